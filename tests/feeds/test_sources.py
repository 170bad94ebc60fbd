import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest

import feeds
from brokers.errors import ConfigError
from feeds.sources import GROUP, find, history, names, parse_range, parse_symbols
from feeds.timeframe import Timeframe

PLUG_IN = """
import pandas as pd

def history(symbols, start, end, timeframe, *, venue, depth=5):
    return {symbol: pd.DataFrame({"seen": [start, end, timeframe, venue, depth]})
            for symbol in symbols}

def open_ended(symbols, start, end, timeframe, **options):
    return {symbol: pd.DataFrame(options, index=[0]) for symbol in symbols}
"""


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """An installed distribution that adds two sources, one a module, one a function."""
    tmp_path.joinpath("seawall_moon.py").write_text(PLUG_IN)
    info = tmp_path / "seawall_moon-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        "Metadata-Version: 2.1\nName: seawall-moon\nVersion: 1.0\n"
    )
    info.joinpath("entry_points.txt").write_text(
        f"[{GROUP}]\nmoon = seawall_moon\nmoonlight = seawall_moon:open_ended\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("seawall_moon", None)


def test_every_module_with_a_history_function_is_a_source_and_no_other():
    assert {"files", "synthetic", "yahoo", "polygon"} <= set(names())
    assert not {"sources", "timeframe", "bars", "cache", "__init__"} & set(names())


def test_the_package_exports_the_one_call():
    assert feeds.history is history


def test_importing_feeds_brings_no_heavy_library():
    heavy = "pandas backtrader pyarrow exchange_calendars yfinance massive"
    code = f"import sys, feeds; print([m for m in '{heavy}'.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_listing_sources_imports_none_of_them():
    code = "import sys, feeds.sources as s; s.names(); print('feeds.yahoo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("yahu", "did you mean yahoo?"),
        ("bloomberg", "use one of alpaca, files, polygon, polygon_grouped, synthetic, yahoo"),
        ("bars", "use one of"),
        ("../feeds/files", "use one of"),
        ("", "use one of"),
    ],
)
def test_unknown_source_suggests_the_nearest(source, hint):
    with pytest.raises(ConfigError, match=f"unknown source {source!r}") as caught:
        history(source, "A")
    assert hint in str(caught.value)


def test_unknown_option_names_those_that_there_are():
    with pytest.raises(ConfigError, match="source synthetic has no option 'sede': it has seed"):
        history("synthetic", "SPY", sede=1)


def test_a_missing_option_is_named():
    with pytest.raises(ConfigError, match="source files needs the option 'path'"):
        history("files", "NVDA")


def test_unknown_timeframe_is_refused_before_anything_is_fetched():
    with pytest.raises(ConfigError, match="unknown timeframe '2d'"):
        history("synthetic", "SPY", timeframe="2d")


@pytest.mark.usefixtures("plug_in")
def test_an_installed_package_adds_a_source():
    assert {"moon", "moonlight", "files"} <= set(names())
    bars = history("moon", "A", "2024-07-03", "2024-07-03", "5m", venue="far")
    first, after = date(2024, 7, 3), date(2024, 7, 4)
    assert list(bars["A"]["seen"]) == [first, after, Timeframe("5m"), "far", 5]
    with pytest.raises(ConfigError, match="source moon has no option 'size': it has venue, depth"):
        history("moon", "A", size=1)


@pytest.mark.usefixtures("plug_in")
def test_a_source_without_a_timeframe_of_its_own_is_asked_for_days():
    assert Timeframe("1d") in list(history("moon", "A", venue="far")["A"]["seen"])


@pytest.mark.usefixtures("plug_in")
def test_a_source_may_take_any_option():
    assert list(history("moonlight", "A", phase=3)["A"].columns) == ["phase"]
    assert find("moonlight").__name__ == "open_ended"


@pytest.mark.parametrize(
    ("symbols", "parsed"),
    [
        ("A,B", ("A", "B")),
        (" B , A,,B ", ("B", "A")),
        (["B", "A", "B"], ("B", "A")),
        ("", ()),
        ((), ()),
    ],
)
def test_symbols_keep_their_order_once_each(symbols, parsed):
    assert parse_symbols(symbols) == parsed


NEW_YORK_SUMMER = timezone(timedelta(hours=-4))


@pytest.mark.parametrize("end", ["2024-07-03", date(2024, 7, 3)])
def test_a_date_as_end_is_inclusive(end):
    assert parse_range(None, end) == (None, date(2024, 7, 4))


@pytest.mark.parametrize(
    "end",
    [
        "2024-07-03T13:00:00-04:00",
        datetime(2024, 7, 3, 13, tzinfo=NEW_YORK_SUMMER),
        pd.Timestamp("2024-07-03 17:00", tz="UTC"),
    ],
)
def test_a_datetime_as_end_is_exclusive_and_becomes_utc(end):
    _, after = parse_range(None, end)
    assert after == datetime(2024, 7, 3, 17, tzinfo=UTC)
    assert after.utcoffset() == timedelta(0)


def test_a_date_stays_a_date_for_the_source_to_place():
    assert parse_range("2024-07-03", None) == (date(2024, 7, 3), None)


def test_a_datetime_is_compared_with_a_date():
    with pytest.raises(ConfigError, match="must be before end"):
        parse_range("2024-07-05", datetime(2024, 7, 4, 12, tzinfo=UTC))


def test_one_day_is_a_range():
    first, after = parse_range("2024-07-03", "2024-07-03")
    assert after - first == timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2024-07-04", "2024-07-03", r"start \(2024-07-04\) must be before end \(2024-07-03\)"),
        (
            datetime(2024, 7, 3, tzinfo=UTC),
            datetime(2024, 7, 3, tzinfo=UTC),
            "must be before end",
        ),
        ("03.07.2024", None, "start is '03.07.2024', not a date: write it as 2024-07-03"),
        (None, 20240703, "end is 20240703, not a date"),
        (None, datetime(2024, 7, 3), r"end \(2024-07-03 00:00:00\) has no time zone: add one"),
        ("2024-07-03T10:00", None, "has no time zone"),
        (None, "9999-12-31", "end .* lies outside the years 1678 to 2261: leave it out"),
        (date.min, None, "start .* lies outside"),
    ],
)
def test_a_wrong_range_is_refused_with_the_side_and_the_remedy(start, end, told):
    with pytest.raises(ConfigError, match=told):
        parse_range(start, end)
