"""Polygon through the real massive client, against a local server that speaks its format."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds import history
from feeds.passport import Passport
from feeds.polygon import TickerDetails
from tests.feeds.polygon_server import KEY, MARCH, NOW, PolygonServer, aggregate, polygon
from tests.feeds.servers import Loopback, Reply


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def fetch(
    server: PolygonServer,
    symbols: str = "AAPL",
    start: str | None = "2024-03-07",
    end: str | None = "2024-03-11",
    timeframe: str = "1d",
    **options: Any,
) -> dict[str, pd.DataFrame]:
    options = {"clock": ManualClock(NOW), "api_key": KEY, **options}
    with Loopback(server) as loopback:
        return history("polygon", symbols, start, end, timeframe, base=loopback.url, **options)


def passport(frame: pd.DataFrame) -> Passport:
    found = frame.attrs["passport"]
    assert isinstance(found, Passport)
    return found


def test_daily_bars_start_at_midnight_in_new_york_across_the_change_of_clocks() -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}))["AAPL"]
    assert [f"{time:%m-%d %H}" for time in bars.index] == ["03-07 05", "03-08 05", "03-11 04"]
    assert bars.iloc[2].tolist() == [104.0, 108.0, 103.0, 106.0, 1200.5]


def test_the_passport_says_where_the_bars_came_from() -> None:
    found = passport(fetch(PolygonServer({"AAPL": MARCH}))["AAPL"])
    assert (found.symbol, found.source, found.feed) == ("AAPL", "polygon", "sip")
    assert (found.timeframe, found.calendar, found.fetched_at) == ("1d", "XNYS", NOW)
    assert (found.adjustment, found.gaps, found.repairs) == ("split", (), ())


@pytest.mark.parametrize(("adjusted", "name"), [(True, "split"), (False, "none")])
def test_adjustment_is_asked_for_and_noted(adjusted: bool, name: str, clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        bars = polygon(loopback, clock).aggregates("AAPL", None, None, "1d", adjusted=adjusted)
    assert loopback.requests[0].query["adjusted"] == str(adjusted).lower()
    assert passport(bars).adjustment == name


def test_days_are_asked_for_by_date_and_minutes_by_the_millisecond() -> None:
    minute = aggregate("2024-03-08 09:30", 10.0, 12.0, 9.0, 11.0, 100.0)
    with Loopback(PolygonServer({"AAPL": MARCH, "MSFT": [minute]})) as loopback:
        options = {"api_key": KEY, "clock": ManualClock(NOW), "base": loopback.url}
        history("polygon", "AAPL", "2024-03-07", "2024-03-11", **options)
        history("polygon", "MSFT", "2024-03-08", "2024-03-08", "5m", **options)
    days, minutes = (request.path for request in loopback.requests)
    assert days == "/v2/aggs/ticker/AAPL/range/1/day/2024-03-07/2024-03-11"
    midnight, next_midnight = (
        int(pd.Timestamp(day, tz="America/New_York").timestamp() * 1000)
        for day in ("2024-03-08", "2024-03-09")
    )
    asked = f"range/5/minute/{midnight}/{next_midnight - 1}"
    assert minutes == f"/v2/aggs/ticker/MSFT/{asked}"


def test_what_the_server_sends_outside_the_range_is_cut() -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}), start="2024-03-08", end="2024-03-08")["AAPL"]
    assert bars["close"].tolist() == [104.0]


def test_two_symbols_come_back_in_the_order_asked() -> None:
    server = PolygonServer({"MSFT": MARCH, "BRK.B": MARCH})
    assert list(fetch(server, "MSFT,BRK.B")) == ["MSFT", "BRK.B"]


def minutes(day: str, first: str, last: str, step: str) -> list[dict[str, Any]]:
    times = pd.date_range(f"{day} {first}", f"{day} {last}", freq=step)
    return [
        aggregate(str(time), 10.0 + row, 12.0 + row, 9.0 + row, 11.0 + row, 100.0)
        for row, time in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("day", "close"), [("2024-03-08", "21:00"), ("2024-03-11", "20:00"), ("2023-11-24", "18:00")]
)
def test_intraday_bars_keep_to_the_session_in_winter_summer_and_on_half_days(
    day: str, close: str
) -> None:
    server = PolygonServer({"AAPL": minutes(day, "04:00", "19:55", "5min")})
    bars = fetch(server, start=day, end=day, timeframe="5m")["AAPL"]
    opens = pd.Timestamp(f"{day} 09:30", tz="America/New_York")
    assert bars.index[0] == opens
    assert bars.index[-1] == pd.Timestamp(f"{day} {close}", tz="UTC") - pd.Timedelta(minutes=5)
    assert (passport(bars).missing_bars, passport(bars).feed) == (0, "sip")


def test_all_hours_are_kept_when_asked_for_and_are_another_feed() -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-08", "04:00", "19:55", "5min")})
    options = {"start": "2024-03-08", "end": "2024-03-08", "timeframe": "5m"}
    bars = fetch(server, regular_hours=False, **options)["AAPL"]
    assert len(bars) == 16 * 12
    assert passport(bars).feed == "sip-all-hours"


def test_the_evening_belongs_to_its_date_with_and_without_a_cache(tmp_path: Path) -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-08", "04:00", "19:55", "5min")})
    options: dict[str, Any] = {"end": "2024-03-08", "timeframe": "5m", "regular_hours": False}
    for cache in (None, tmp_path, tmp_path):
        bars = fetch(server, start="2024-03-08", cache=cache, **options)["AAPL"]
        assert len(bars) == 16 * 12
        assert bars.index[-1] == pd.Timestamp("2024-03-09 00:55", tz="UTC")


def test_hours_count_from_the_open_and_are_made_of_half_hours() -> None:
    server = PolygonServer({"AAPL": minutes("2024-03-08", "09:00", "16:30", "30min")})
    day = {"start": "2024-03-08", "end": "2024-03-08"}
    bars = fetch(server, timeframe="1h", **day)["AAPL"]
    assert [f"{time:%H:%M}" for time in bars.index.tz_convert("America/New_York")] == [
        "09:30",
        "10:30",
        "11:30",
        "12:30",
        "13:30",
        "14:30",
        "15:30",
    ]
    assert bars.iloc[0].tolist() == [11.0, 14.0, 10.0, 13.0, 200.0]
    assert bars.iloc[-1].tolist() == [23.0, 25.0, 22.0, 24.0, 100.0]


def test_what_trades_round_the_clock_has_no_calendar_and_no_session() -> None:
    server = PolygonServer({"X:BTCUSD": minutes("2024-03-09", "00:00", "23:00", "1h")})
    day = {"start": "2024-03-09", "end": "2024-03-09"}
    bars = fetch(server, "X:BTCUSD", timeframe="1h", **day)["X:BTCUSD"]
    assert len(bars) == 24
    assert passport(bars).calendar is None
    with pytest.raises(DataError, match="check the ticker and the range"):
        fetch(PolygonServer(), "X:NOPE")


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (datetime(2024, 3, 11, 19, 59, tzinfo=UTC), 2),
        (datetime(2024, 3, 11, 20, 0, tzinfo=UTC), 3),
    ],
)
def test_todays_bar_comes_only_after_the_close(now: datetime, kept: int) -> None:
    bars = fetch(PolygonServer({"AAPL": MARCH}), end=None, clock=ManualClock(now))["AAPL"]
    assert len(bars) == kept


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2024-03-07", "2024-03-11", r"which has 3 session\(s\): check the ticker"),
        ("2024-03-09", "2024-03-10", "there is no session in that range"),
    ],
)
@pytest.mark.parametrize("content", [{"status": "OK", "resultsCount": 0}, {"results": []}])
def test_missing_results_are_an_error_that_says_why(
    start: str, end: str, text: str, content: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match=f"polygon: no 1d bars of AAPL from {start}.*{text}"):
        fetch(PolygonServer(always=Reply.of(content)), start=start, end=end)


@pytest.mark.parametrize("rows", [[], minutes("2024-03-09", "10:00", "11:00", "5min")])
def test_minutes_outside_every_session_are_no_bars(rows: list[dict[str, Any]]) -> None:
    server = PolygonServer({"AAPL": rows})
    with pytest.raises(DataError, match="no 5m bars of AAPL"):
        fetch(server, start="2024-03-08", end="2024-03-11", timeframe="5m")


def test_bars_with_a_hole_are_refused_by_row_and_column() -> None:
    torn = [
        {key: value for key, value in MARCH[0].items() if key != "c"},
        *MARCH[1:],
    ]
    with pytest.raises(DataError, match=r"AAPL: row 0 .*close is nan, a missing value"):
        fetch(PolygonServer({"AAPL": torn}))


@pytest.mark.parametrize("results", [[1, 2], ["text"], "text", 5, {"t": 1}])
def test_results_that_are_no_bars_are_refused(results: object) -> None:
    with pytest.raises(DataError, match=r"the results are no list of bars|have another form"):
        fetch(PolygonServer(always=Reply.of({"results": results})))


def test_a_time_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="a bar's time cannot be read"):
        fetch(PolygonServer({"AAPL": [{**MARCH[0], "t": "noon"}]}))


def test_a_cached_series_is_not_asked_for_twice(tmp_path: Path, clock: ManualClock) -> None:
    with Loopback(PolygonServer({"AAPL": MARCH})) as loopback:
        options: dict[str, Any] = {"client": polygon(loopback, clock), "cache": tmp_path}
        first, again = (
            history("polygon", "AAPL", "2024-03-07", "2024-03-11", **options)["AAPL"]
            for _ in range(2)
        )
    assert len(loopback.requests) == 1
    assert passport(again).sha256 == passport(first).sha256


GROUPED = {
    "2024-03-08": [
        {"T": "AAPL", "o": 1.0, "h": 3.0, "l": 0.5, "c": 2.0, "v": 100.0, "vw": 1.9, "n": 7},
        {"T": "ZZZ", "o": 5.0, "h": 5.0, "l": 5.0, "c": 5.0, "v": 1.0},
    ]
}


def test_grouped_daily_is_the_whole_market_of_a_day_in_one_call(clock: ManualClock) -> None:
    with Loopback(PolygonServer(grouped=GROUPED)) as loopback:
        market = polygon(loopback, clock).grouped_daily(date(2024, 3, 8))
    assert len(loopback.requests) == 1
    assert market.loc["AAPL"].tolist() == [1.0, 3.0, 0.5, 2.0, 100.0, 1.9, 7.0]
    assert market.loc["ZZZ"].isna().sum() == 2
    assert (market.index.name, market.columns[-2:].tolist()) == ("symbol", ["vwap", "trades"])


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2024, 3, 9), "is no session"),
        (date(2024, 7, 1), "is not over"),
        (date(2024, 3, 11), "no bars of 2024-03-11"),
    ],
)
def test_a_day_without_a_market_is_an_error(day: date, text: str, clock: ManualClock) -> None:
    server = PolygonServer(grouped=GROUPED)
    with Loopback(server) as loopback, pytest.raises(DataError, match=text):
        polygon(loopback, clock).grouped_daily(day)


def test_ticker_details_bring_the_sic_code(clock: ManualClock) -> None:
    facts = {"ticker": "AAPL", "name": "Apple Inc.", "sic_code": "3571", "branding": {}}
    with Loopback(PolygonServer(details={"AAPL": facts})) as loopback:
        details = polygon(loopback, clock).ticker_details("AAPL")
    assert details == TickerDetails("AAPL", name="Apple Inc.", sic_code="3571")


@pytest.mark.parametrize("symbol", ["NOPE", "A/B", "../x"])
def test_details_of_an_unknown_ticker_are_an_error(symbol: str, clock: ManualClock) -> None:
    refused = pytest.raises(DataError, match=r"404 Ticker not found.*check the ticker")
    with Loopback(PolygonServer()) as loopback, refused:
        polygon(loopback, clock).ticker_details(symbol)
    assert len(loopback.requests[0].path.split("/")) == 5


def test_details_that_say_nothing_are_an_error(clock: ManualClock) -> None:
    told = pytest.raises(DataError, match="it says nothing of AAPL")
    with Loopback(PolygonServer(details={"AAPL": {}})) as loopback, told:
        polygon(loopback, clock).ticker_details("AAPL")
