import pandas as pd
import pytest
from typer.testing import CliRunner

from analyzers.__main__ import app
from analyzers.sector import SectorMap, SectorReport, sector_report
from feeds import history
from tests.analyzers.sectors.market_of_six import SECTORS, frames
from tests.feeds.polygon_server import KEY, PolygonServer, row_of
from tests.feeds.servers import Loopback, Reply


@pytest.fixture
def out(tmp_path):
    return tmp_path / "data" / "sector_report.json"


@pytest.fixture
def closes(tmp_path):
    table = pd.DataFrame({name: bars["close"] for name, bars in frames().items()})
    table.index = pd.DatetimeIndex(table.index).tz_localize(None)
    table.drop(columns="SPY").to_csv(tmp_path / "closes.csv", index_label="Date")
    table[["SPY"]].to_csv(tmp_path / "index.csv", index_label="Date")
    return tmp_path / "closes.csv"


@pytest.fixture
def sector_map(tmp_path):
    lines = [f"{symbol},{sector}" for symbol, sector in SECTORS.items()]
    path = tmp_path / "map.csv"
    path.write_text("\n".join(["symbol,sector", *lines]) + "\n")
    return path


def sector(out, *words, **environment):
    words = ("sector", "--out", out, *words)
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


def test_it_works_at_once_on_the_embedded_market(out):
    done = sector(out)
    assert done.exit_code == 0, done.output
    assert "sectors on 2025-12-31 against SPY" in done.output
    report = SectorReport.load(out)
    assert (report.universe, report.missing) == (72, {})
    assert all(item.equal and item.fund and not item.reasons for item in report.sectors)
    assert (out.with_suffix("") / "2025-12-31.json").read_bytes() == out.read_bytes()


def test_json_is_the_report_and_the_bytes_are_those_of_the_function(out, closes, sector_map):
    words = ("--path", closes, "--benchmark-path", closes.with_name("index.csv"))
    done = sector(out, *words, "--sectors", sector_map, "--json")
    assert done.stdout.encode() == out.read_bytes()
    market = history("files", (), path=closes)
    market |= history("files", (), path=closes.with_name("index.csv"))
    written = SectorReport.load(out)
    own = sector_report(
        market, generated_at=written.generated_at, sector_map=SectorMap.read(sector_map)
    )
    assert own.as_bytes() == out.read_bytes()


def test_symbols_come_from_a_file_and_unknown_ones_are_told(out, closes, sector_map, tmp_path):
    (tmp_path / "universe.txt").write_text("OIL1\nOIL2\nOIL3\nNOPE\n")
    words = ("--path", closes, "--sectors", sector_map, "--universe", tmp_path / "universe.txt")
    done = sector(out, *words)
    assert "missing NOPE: closes.csv has no column 'NOPE'" in done.output
    assert list(SectorReport.load(out).missing) == ["NOPE", "SPY"]


def test_many_that_are_missing_are_counted(out, closes):
    done = sector(out, "--path", closes, "--symbols", ",".join(["OIL1", *"ABCDEFG"]))
    assert "missing 3 more, see the report" in done.output


def test_the_whole_market_comes_from_polygon_day_by_day(out, sector_map, tmp_path):
    names = (*SECTORS, "SPY", "ZZZ")
    days = {f"2024-03-0{day}": [row_of(name, 10.0 + day) for name in names] for day in (6, 7, 8)}
    with Loopback(PolygonServer(grouped=days)) as loopback:
        words = ("--feed", "polygon", "--start", "2024-03-06", "--end", "2024-03-08")
        options = ("--option", f"base={loopback.url}", "--option", f"cache={tmp_path / 'cache'}")
        done = sector(out, *words, *options, "--sectors", sector_map, POLYGON_API_KEY=KEY)
    assert done.exit_code == 0, done.output
    report = SectorReport.load(out)
    assert (report.source, report.feed, report.adjustment) == (
        "polygon_grouped",
        "sip-grouped",
        "split",
    )
    assert [item.members_used for item in report.sectors if item.name == "Energy"] == [3]
    assert len(list(tmp_path.rglob("2024-*.parquet"))) == 3
    assert KEY not in done.output


def test_a_wrong_key_is_one_line_and_exit_code_two(out, tmp_path):
    refused = Reply.of({"status": "ERROR", "error": "Unknown API Key"}, 401)
    with Loopback(PolygonServer(always=refused)) as loopback:
        options = ("--option", f"base={loopback.url}", "--option", f"cache={tmp_path}")
        words = ("--feed", "polygon", "--symbols", "A", *options)  # from two years ago
        done = sector(out, *words, POLYGON_API_KEY=KEY)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "the key was refused" in done.stderr
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--sectors", "none.csv"], "sector map none.csv cannot be read"),
        (["--universe", "none.txt"], "universe none.txt cannot be read"),
        (["--min-members", "0"], "min_members=0: at least 1"),
        (["--benchmark-path", "x.csv"], "--benchmark-path goes with --feed files"),
        (
            ["--symbols", "NOPE"],
            "no symbol that was asked for has bars: NOPE: the synthetic market",
        ),
        (["--timeframe", "1w"], "has bars of 1w: a sector report needs days"),
        (["--feed", "moon"], "unknown source 'moon'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(out, words, text):
    done = sector(out, *words)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert text in done.stderr
    assert not out.exists()


def test_a_benchmark_file_holds_one_symbol(out, closes):
    done = sector(out, "--path", closes, "--benchmark-path", closes)
    assert "holds 8 symbols: give one of one" in done.stderr


def test_help_names_the_options():
    shown = CliRunner().invoke(app, ["sector", "--help"], env={"COLUMNS": "200"}).output
    assert all(word in shown for word in ("--universe", "--benchmark", "--sectors", "--feed"))


def test_the_picture_is_drawn_where_asked(out, tmp_path):
    done = sector(out, "--chart", tmp_path / "sectors.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "sectors.png").read_bytes().startswith(b"\x89PNG")
    refused = sector(out, "--chart", tmp_path / "sectors.png" / "x.png")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
