"""The command from the key to the report, against a local server that speaks Polygon's format."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analyzers.outlier import OutlierReport
from brokers.clock import ManualClock
from fetch_polygon_intraday_data import main
from tests.analyzers.outliers.polygon_market import Market
from tests.analyzers.outliers.stage import SYMBOLS, Stage
from tests.feeds.polygon_server import KEY
from tests.feeds.servers import Loopback, Reply

NOW = datetime(2024, 2, 8, 12, tzinfo=UTC)
REFUSED = Reply.of({"status": "ERROR", "error": "Unknown API Key"}, 401)
DATE = ("--date", "2024-02-07")


@pytest.fixture
def market() -> Market:
    stage = Stage()
    stage.set("AAA", slice(2, 10), "close", 130.0)
    return Market(stage)


@pytest.fixture
def loopback(market: Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Loopback]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYGON_API_KEY", KEY)
    with Loopback(market) as server:
        yield server


def fetch(
    loopback: Loopback,
    *options: str,
    symbols: Sequence[str] = SYMBOLS[:6],
    clock: ManualClock | None = None,
) -> int:
    given = ("--symbols", ",".join(symbols), "--base", loopback.url, *options)
    return main(list(given), clock or ManualClock(NOW))


def test_a_day_is_fetched_screened_and_written(
    loopback: Loopback, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(loopback, *DATE) == 0
    report = OutlierReport.load(Path("data/outliers/2024-02-07.json"))
    assert (report.source, report.feed, report.adjustment) == ("polygon", "sip", "split")
    assert report.days[0].hits[0].symbol == "AAA"
    assert (report.universe, report.generated_at > NOW) == (7, True)
    said = capsys.readouterr()
    assert "outliers of 2024-02-07" in said.out
    assert "1/7 SPY, at most 0 h 03 min left" in said.err
    assert market.calls == 2 + 2 * 7


def test_json_is_the_report_and_nothing_else(
    loopback: Loopback, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(loopback, *DATE, "--json", "--out", "mine.json", "--chart", "1") == 0
    said = capsys.readouterr().out
    assert said.encode() == Path("mine.json").read_bytes()
    assert json.loads(said)["schema_version"] == 1
    assert Path("mine-AAA.png").exists()


def test_the_pace_is_five_calls_a_minute(loopback: Loopback) -> None:
    clock = ManualClock(NOW)
    fetch(loopback, *DATE, clock=clock)
    assert clock.monotonic() == 180  # the sixteenth call is in the fourth minute


def test_a_week_is_screened_as_far_as_it_has_come(
    loopback: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("names.csv").write_text("symbol,sector\n" + "".join(f"{s},Energy\n" for s in SYMBOLS[:6]))
    code = fetch(loopback, "--universe", "names.csv", "--week", "2024-02-07", symbols=())
    assert code == 0
    report = OutlierReport.load(Path("data/outliers/2024-02-07-week.json"))
    assert len(report.days) == 3
    assert {hit.sector for day in report.days for hit in day.hits} == {"Energy"}
    assert "candidates" in capsys.readouterr().out


def test_a_sector_map_names_the_sectors_and_the_universe_overrides_it(loopback: Loopback) -> None:
    Path("map.csv").write_text("symbol,yahoo,sic\nAAA,,2911\nBBB,Technology,\n")
    Path("names.csv").write_text("AAA\nBBB,Utilities\nCCC\n")
    words = ("--universe", "names.csv", "--sectors", "map.csv")
    assert fetch(loopback, *words, *DATE, symbols=()) == 0
    hits = OutlierReport.load(Path("data/outliers/2024-02-07.json")).days[0].hits
    assert {hit.sector for hit in hits if hit.symbol == "AAA"} == {"Energy"}


def test_a_rate_limit_in_the_middle_is_told_and_the_next_run_goes_on(
    loopback: Loopback, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    market.fails_after = 9
    assert fetch(loopback, *DATE) == 2
    assert "over its calls a minute" in capsys.readouterr().err
    assert not Path("data/outliers").exists()
    market.fails_after, market.calls = None, 0
    assert fetch(loopback, *DATE) == 0
    assert market.calls == 2 + 14 - 7


def test_a_half_written_cache_file_is_fetched_anew(loopback: Loopback) -> None:
    assert fetch(loopback, *DATE) == 0
    before = OutlierReport.load(Path("data/outliers/2024-02-07.json")).days
    file = next(Path("data/cache").rglob("AAA.parquet"))
    file.write_bytes(file.read_bytes()[:100])
    assert fetch(loopback, *DATE) == 0
    assert OutlierReport.load(Path("data/outliers/2024-02-07.json")).days == before


def test_a_wrong_key_is_told_at_once(
    loopback: Loopback, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    market.fails_after, market.failure = 0, REFUSED
    assert fetch(loopback, *DATE) == 2
    said = capsys.readouterr().err
    assert "the key was refused" in said
    assert KEY not in said
    assert market.calls == 1


def test_an_unknown_symbol_is_named_and_the_others_are_screened(
    loopback: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(loopback, *DATE, symbols=("AAA", "NOPE")) == 0
    report = OutlierReport.load(Path("data/outliers/2024-02-07.json"))
    assert "no 1m bars of NOPE" in report.days[0].missing["NOPE"]
    assert "no bars: NOPE" in capsys.readouterr().out


def test_symbol_after_symbol_without_bars_is_an_error(
    loopback: Loopback, market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = [f"X{number}" for number in range(9)]
    assert fetch(loopback, *DATE, "--benchmark", "X0", symbols=unknown) == 2
    assert "no 1m bars of X4" in capsys.readouterr().err
    assert market.calls == 2 + 5


def test_a_dividend_of_today_makes_no_gap(loopback: Loopback, market: Market) -> None:
    row = {"ticker": "AAA", "ex_dividend_date": "2024-02-07", "cash_amount": 10.0}
    market.actions["dividends"] = [row]
    assert fetch(loopback, *DATE) == 0
    hit = OutlierReport.load(Path("data/outliers/2024-02-07.json")).days[0].hits[0]
    assert "dividend today" in hit.flags
    assert hit.scores["gap"].value > 0.05
    assert fetch(loopback, *DATE, "--no-actions") == 0
    assert "dividend" not in Path("data/outliers/2024-02-07.json").read_text()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "give --date"),
        (("--date", "2024-02-08"), "its session has not begun"),
        (("--calls-per-minute", "0"), "calls-per-minute"),
        (("--nothing",), "--nothing"),
        (("--date", "2024-02-10"), "no session of XNYS"),
        (("--date", "2024-02-07", "--universe", "none.csv"), "none.csv"),
        (("--date", "2024-02-07", "--sectors", "none.csv"), "sector map none.csv cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    options: Sequence[str], text: str, loopback: Loopback, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(loopback, *options) == 2
    said = capsys.readouterr().err
    assert text in said
    assert said.count("\n") == 1


def test_a_day_before_the_plan_reaches_is_an_error(loopback: Loopback) -> None:
    past = f"{NOW - timedelta(days=400):%Y-%m-%d}"
    assert fetch(loopback, "--date", past) == 2
