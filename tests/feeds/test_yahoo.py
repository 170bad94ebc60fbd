"""Yahoo's bars through the real yfinance, against a local server that speaks its charts."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from feeds.passport import Passport
from tests.feeds.yahoo_server import MARCH, NOW, Chart, YahooServer, fetch, serving


def passport(frame: pd.DataFrame) -> Passport:
    found = frame.attrs["passport"]
    assert isinstance(found, Passport)
    return found


def test_daily_bars_start_at_midnight_in_new_york_across_the_change_of_clocks() -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}))["AAPL"]
    assert [f"{time:%m-%d %H:%M}" for time in bars.index] == [
        "03-07 05:00",
        "03-08 05:00",
        "03-11 04:00",
        "03-12 04:00",
    ]


def test_total_adjustment_scales_the_whole_bar_by_adjusted_over_raw_close() -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}))["AAPL"]
    assert bars.iloc[0].tolist() == [50.0, 52.0, 49.5, 51.0, 1000.0]
    assert bars.iloc[2].tolist() == [52.5, 54.0, 52.0, 53.0, 1200.0]
    assert passport(bars).adjustment == "total"


def test_split_adjustment_keeps_dividends_in_the_prices() -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}), adjustment="split")["AAPL"]
    assert bars["close"].tolist() == [102.0, 104.0, 53.0, 54.0]
    assert passport(bars).adjustment == "split"


def test_a_split_that_yahoo_has_applied_is_not_applied_again() -> None:
    chart = Chart(
        [
            ("2024-06-07", 119.77, 121.69, 118.02, 120.888, 120.878, 412_386_000),
            ("2024-06-10", 120.37, 123.10, 117.01, 121.79, 121.78, 314_162_700),
        ],
        splits=[("2024-06-10", 10, 1)],
    )
    bars = fetch(YahooServer({"NVDA": chart}), "NVDA", None, None, adjustment="split")["NVDA"]
    assert bars["close"].tolist() == [120.888, 121.79]
    assert bars["volume"].tolist() == [412_386_000.0, 314_162_700.0]


def test_the_passport_says_where_the_bars_came_from() -> None:
    found = passport(fetch(YahooServer({"AAPL": MARCH}))["AAPL"])
    assert (found.symbol, found.source) == ("AAPL", "yahoo")
    assert (found.timeframe, found.calendar, found.fetched_at) == ("1d", "XNYS", NOW)
    assert (found.gaps, found.synthetic) == ((), False)


def test_a_date_as_end_is_inclusive_and_an_instant_is_not() -> None:
    server = YahooServer({"AAPL": MARCH})
    dated = fetch(server, "AAPL", "2024-03-08", "2024-03-11")["AAPL"]
    timed = fetch(server, "AAPL", "2024-03-08T05:00+00:00", "2024-03-11T04:00+00:00")["AAPL"]
    assert dated["close"].tolist() == [52.0, 53.0]
    assert timed["close"].tolist() == [52.0]


def test_without_a_start_everything_is_asked_for() -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}), "AAPL", None, "2024-03-08")["AAPL"]
    assert len(bars) == 2


def test_a_date_means_the_exchanges_date_east_of_greenwich_too(tmp_path: Path) -> None:
    tokyo = Chart(
        [(f"2024-03-{day:02}", 10.0, 11.0, 9.0, 10.0, 10.0, 5) for day in (6, 7, 8)],
        zone="Asia/Tokyo",
        exchange="JPX",
    )
    for cache in (None, tmp_path, tmp_path):
        server = YahooServer({"7203.T": tokyo})
        bars = fetch(server, "7203.T", "2024-03-07", "2024-03-07", cache=cache)["7203.T"]
        assert list(bars.index) == [pd.Timestamp("2024-03-07", tz="Asia/Tokyo")]
        assert (passport(bars).calendar, passport(bars).zone) == (None, "Asia/Tokyo")


def test_two_symbols_come_back_in_the_order_asked() -> None:
    server = YahooServer({"MSFT": MARCH, "AAPL": MARCH})
    assert list(fetch(server, "MSFT,AAPL")) == ["MSFT", "AAPL"]


def intraday(step: str, count: int) -> Chart:
    times = pd.date_range("2024-03-08 09:30", periods=count, freq=step)
    return Chart([(str(t), 10.0, 12.0, 9.0, 11.0, None, 100) for t in times])


@pytest.mark.parametrize(
    ("timeframe", "step", "count"), [("1m", "1min", 390), ("1h", "1h", 7), ("30m", "15min", 26)]
)
def test_intraday_bars_are_utc_and_adjusted_for_splits_only(
    timeframe: str, step: str, count: int
) -> None:
    server = YahooServer({"AAPL": intraday(step, count)})
    bars = fetch(server, "AAPL", "2024-03-08", "2024-03-08", timeframe)["AAPL"]
    assert len(bars) == (13 if timeframe == "30m" else count)
    assert bars.index[0] == pd.Timestamp("2024-03-08 14:30", tz="UTC")
    assert passport(bars).adjustment == "split"
    assert passport(bars).repairs == ()


def test_thirty_minutes_are_made_of_two_bars_of_fifteen() -> None:
    chart = Chart(
        [
            ("2024-03-08 09:30", 10.0, 12.0, 9.0, 11.0, None, 100),
            ("2024-03-08 09:45", 11.0, 14.0, 10.0, 13.0, None, 50),
        ]
    )
    bars = fetch(YahooServer({"AAPL": chart}), "AAPL", "2024-03-08", "2024-03-08", "30m")["AAPL"]
    assert bars.to_numpy().tolist() == [[10.0, 14.0, 9.0, 13.0, 150.0]]


@pytest.mark.parametrize(("timeframe", "interval"), [("1w", "1wk"), ("1mo", "1mo"), ("5m", "5m")])
def test_timeframes_are_asked_for_by_yahoos_names(timeframe: str, interval: str) -> None:
    with serving(YahooServer({"AAPL": MARCH})) as (loopback, session):
        clock = ManualClock(NOW)
        with pytest.raises(DataError, match=r"no 1w|no 1mo|no 5m"):
            history(
                "yahoo", "AAPL", "2023-01-01", "2023-02-01", timeframe, session=session, clock=clock
            )
    assert loopback.requests[-1].query["interval"] == interval


def test_rows_without_a_price_are_left_out_and_named() -> None:
    hole = ("2024-03-11", None, None, None, None, None, None)
    server = YahooServer({"AAPL": Chart([*MARCH.bars[:2], hole, MARCH.bars[3]])})
    bars = fetch(server, adjustment="split")["AAPL"]
    assert len(bars) == 3
    assert passport(bars).repairs[0] == "left out 1 bar(s) without a price: 2024-03-11 00:00"
    assert passport(bars).gaps == ("2024-03-11",)


def test_many_rows_without_a_price_are_counted_not_listed() -> None:
    holes = [(f"2024-02-{day:02}", None, None, None, None, None, None) for day in range(5, 13)]
    bars = fetch(YahooServer({"AAPL": Chart([*holes, *MARCH.bars])}), "AAPL", "2024-02-01")
    assert passport(bars["AAPL"]).repairs[0].endswith("2024-02-09 00:00 and 3 more")


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        (datetime(2024, 3, 12, 19, 59, tzinfo=UTC), 3),
        (datetime(2024, 3, 12, 20, 0, tzinfo=UTC), 4),
    ],
)
def test_todays_bar_comes_only_after_the_close(now: datetime, kept: int) -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}), clock=ManualClock(now))["AAPL"]
    assert len(bars) == kept


def test_a_day_without_calendar_ends_after_24_hours() -> None:
    coin = Chart(
        [(f"2024-03-{day:02}", 10.0, 11.0, 9.0, 10.0, 10.0, 5) for day in (9, 10)],
        zone="UTC",
        kind="CRYPTOCURRENCY",
    )
    now = datetime(2024, 3, 10, 23, 59, tzinfo=UTC)
    bars = fetch(YahooServer({"BTC-USD": coin}), "BTC-USD", clock=ManualClock(now))["BTC-USD"]
    assert list(bars.index) == [pd.Timestamp("2024-03-09", tz="UTC")]


def test_an_unfinished_minute_is_left_out() -> None:
    now = datetime(2024, 3, 8, 14, 32, 30, tzinfo=UTC)
    server = YahooServer({"AAPL": intraday("1min", 3)})
    bars = fetch(server, "AAPL", "2024-03-08", None, "1m", clock=ManualClock(now))["AAPL"]
    assert bars.index[-1] == pd.Timestamp("2024-03-08 14:31", tz="UTC")


def test_a_missed_split_is_named_and_not_repaired() -> None:
    bars = fetch(YahooServer({"AAPL": MARCH}), adjustment="split")["AAPL"]
    assert bars["close"].tolist() == [102.0, 104.0, 53.0, 54.0]
    assert passport(bars).repairs == (
        "NOT repaired: 1 close(s) moved like a missed split or a 100x error, the first times "
        "0.5096: 2024-03-11 00:00",
    )


def test_a_high_that_equals_the_close_stays_no_lower_after_adjustment() -> None:
    closes = [100 + tenth / 10 for tenth in range(300)]
    days = pd.bdate_range("2022-01-03", periods=300).strftime("%Y-%m-%d")
    rows = [
        (day, close, close, close, close, close * 0.9173, 1)
        for day, close in zip(days, closes, strict=True)
    ]
    bars = fetch(YahooServer({"FLAT": Chart(rows)}), "FLAT", "2022-01-01")["FLAT"]
    assert (bars["high"] == bars["close"]).all()


def test_no_symbol_and_an_unknown_adjustment_are_refused() -> None:
    with pytest.raises(ConfigError, match="yahoo: no symbol"):
        history("yahoo", "")
    with pytest.raises(ConfigError, match="no unadjusted ones"):
        history("yahoo", "AAPL", adjustment="none")


def test_a_calendar_may_be_named_and_must_exist() -> None:
    server = YahooServer({"AAPL": MARCH})
    assert passport(fetch(server, calendar="XNAS")["AAPL"]).calendar == "XNAS"
    with pytest.raises(ConfigError, match="unknown calendar 'XNYZ'"):
        fetch(server, calendar="XNYZ")


def test_a_cached_series_is_not_asked_for_twice(tmp_path: Path) -> None:
    with serving(YahooServer({"AAPL": MARCH})) as (loopback, session):
        options = {"session": session, "clock": ManualClock(NOW), "cache": tmp_path}
        first, again = (
            history("yahoo", "AAPL", "2024-03-07", "2024-03-12", **options)["AAPL"]
            for _ in range(2)
        )
    assert sum("period1" in request.query for request in loopback.requests) == 1
    assert passport(again).sha256 == passport(first).sha256
