from datetime import date

import pytest
from typer.testing import CliRunner

from analyzers.__main__ import app
from analyzers.cli_sector_map import of_polygon
from analyzers.sector_map import SectorMap
from analyzers.sectors.filling import Source, filled
from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds.vendor import UnknownSymbol
from tests.feeds.polygon_server import KEY, NOW, PolygonServer, polygon
from tests.feeds.servers import Loopback, Reply

CODES = {"AAPL": "3571", "XOM": "2911", "PLD": "6798"}
DETAILS = {symbol: {"ticker": symbol, "sic_code": code} for symbol, code in CODES.items()}
FUND = {"SPY": {"ticker": "SPY", "type": "ETF"}}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "data" / "sectors.csv"


def asked(loopback):
    return [request.path.rpartition("/")[2] for request in loopback.requests]


def fill(loopback, out, *symbols, report=lambda *_: None):
    return filled(out, symbols, of_polygon(polygon(loopback, ManualClock(NOW)), 5), report)


def run(*words):
    environment = {"POLYGON_API_KEY": KEY}
    return CliRunner().invoke(app, ["sector-map", *map(str, words)], env=environment)


def test_codes_become_a_map_that_places_the_symbols(out):
    with Loopback(PolygonServer(details=DETAILS)) as loopback:
        done = run("--symbols", "AAPL,XOM,PLD", "--base", loopback.url, "--out", out)
    assert (done.exit_code, done.output) == (0, f"map     {out}\n")
    placed = SectorMap.read(out).placed(CODES, date(2024, 3, 8))
    assert [item.sector for item in placed.values()] == [
        "Information Technology",
        "Energy",
        "Real Estate",
    ]


def test_what_polygon_does_not_know_is_told_and_not_asked_for_again(out):
    with Loopback(PolygonServer(details={**DETAILS, **FUND})) as loopback:
        words = ("--symbols", "SPY,NOPE,XOM", "--base", loopback.url, "--out", out)
        first, again = run(*words), run(*words)
    assert "unknown SPY: polygon knows no SIC code of it" in first.output
    assert "unknown NOPE: polygon: details of NOPE: 404" in first.output
    assert (asked(loopback), again.output) == (["SPY", "NOPE", "XOM"], f"map     {out}\n")


def test_lines_that_are_there_stay_as_they_are(out):
    out.parent.mkdir()
    out.write_text("symbol,sector\nAAPL,Energy\n")
    told = []
    with Loopback(PolygonServer(details=DETAILS)) as loopback:
        fill(loopback, out, "AAPL", "XOM", report=lambda *it: told.append(it))
    assert out.read_text() == "symbol,sector,yahoo,sic\nAAPL,Energy,,\nXOM,,,2911\n"
    assert (asked(loopback), told) == (["XOM"], [(1, 2, 12.0), (2, 2, 0.0)])


def test_a_rate_limit_in_the_middle_keeps_what_came_before_it(out):
    busy = Reply.of({"status": "ERROR"}, 429)

    class Tired(PolygonServer):
        def __call__(self, request):
            return busy if request.path.endswith("XOM") else super().__call__(request)

    with Loopback(Tired(details=DETAILS)) as loopback, pytest.raises(DataError, match="wait some"):
        fill(loopback, out, "AAPL", "XOM", "PLD")
    with Loopback(PolygonServer(details=DETAILS)) as loopback:
        fill(loopback, out, "AAPL", "XOM", "PLD")
    assert asked(loopback) == ["XOM", "PLD"]


def test_a_wrong_key_leaves_no_file(out):
    refused = Reply.of({"status": "ERROR", "error": "Unknown API Key"}, 401)
    with Loopback(PolygonServer(always=refused)) as loopback:
        done = run("--symbols", "AAPL", "--base", loopback.url, "--out", out)
    assert (done.exit_code, done.stderr.count("\n"), out.exists()) == (2, 1, False)
    assert "the key was refused" in done.stderr
    assert KEY not in done.stderr


def test_a_network_that_is_gone_is_no_unknown_symbol(out):
    with Loopback(PolygonServer()) as loopback:
        gone = loopback.url
    done = run("--symbols", "AAPL", "--base", gone, "--out", out)
    assert (done.exit_code, out.exists()) == (2, False)
    assert "no connection" in done.stderr


def test_many_are_saved_on_the_way(out):
    details = {f"S{number}": {"ticker": f"S{number}", "sic_code": "3571"} for number in range(7)}
    kept = []
    with Loopback(PolygonServer(details=details)) as loopback:
        fill(loopback, out, *details, report=lambda *_: kept.append(out.exists()))
    assert kept == [False] * 5 + [True] * 3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "no symbol: name some"),
        (("--universe", "none.txt"), "none.txt cannot be read"),
        (("--symbols", "A", "--feed", "moon"), "--feed moon: choose polygon or yahoo"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(out, words, text):
    done = run("--out", out, *words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert text in done.stderr


def test_a_map_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    server = PolygonServer(details=DETAILS)
    with Loopback(server) as loopback, pytest.raises(ConfigError, match="cannot write"):
        fill(loopback, tmp_path / "taken" / "x.csv", "AAPL")


def of_yahoo(names):
    def ask(symbol):
        if symbol not in names:
            raise UnknownSymbol(f"yahoo: unknown symbol {symbol!r}")
        return names[symbol]

    return Source(ask, "yahoo", 1.0, "yahoo knows no sector of it")


def test_a_second_source_adds_to_the_lines_of_the_first_and_decides_before_it(out):
    out.parent.mkdir()
    out.write_text("symbol,sector,sic\nAAPL,,3571\nXOM,Utilities,2911\nNOPE,,\n")
    source = of_yahoo({"AAPL": "Consumer Cyclical", "SPY": ""})
    unknown = filled(out, ["AAPL", "XOM", "NOPE", "SPY", "GONE"], source, lambda *_: None)
    assert list(unknown) == ["SPY", "GONE"]
    assert out.read_text() == (
        "symbol,sector,yahoo,sic\nAAPL,,Consumer Cyclical,3571\nXOM,Utilities,,2911\nNOPE,,,\n"
        "SPY,,,\nGONE,,,\n"
    )
    placed = SectorMap.read(out).placed(["AAPL"], date(2024, 3, 8))["AAPL"]
    assert placed.rule == "yahoo: Consumer Cyclical"


def test_yahoo_is_asked_without_a_key(out):
    out.parent.mkdir()
    out.write_text("symbol,yahoo\nAAPL,Technology\n")
    done = CliRunner().invoke(
        app, ["sector-map", "--feed", "yahoo", "--symbols", "AAPL", "--out", str(out)]
    )
    assert (done.exit_code, done.output) == (0, f"map     {out}\n")
