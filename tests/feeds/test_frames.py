from datetime import datetime

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import DataError
from feeds.frames import FrameFeed, as_feed, to_num
from feeds.passport import stamp

CLOSES = {  # as NYSE publishes them, in UTC
    "2024-03-08": "2024-03-08 21:00",  # winter time
    "2024-03-11": "2024-03-11 20:00",  # summer time
    "2024-07-02": "2024-07-02 20:00",
    "2024-07-03": "2024-07-03 17:00",  # half a day
    "2024-07-05": "2024-07-05 20:00",
    "2024-11-01": "2024-11-01 20:00",  # summer time
    "2024-11-04": "2024-11-04 21:00",  # winter time
    "2024-11-29": "2024-11-29 18:00",  # half a day
}


def frame_at(starts: pd.DatetimeIndex, timeframe: str = "1m", calendar: str | None = None):
    close = 100 + np.random.default_rng(3).normal(size=len(starts)).cumsum() / 100
    prices = {"open": close, "high": close + 1, "low": close - 1, "close": close}
    frame = pd.DataFrame({**prices, "volume": np.arange(len(starts))}, index=starts)
    return stamp(frame, symbol="NVDA", source="test", timeframe=timeframe, calendar=calendar)


def minutes(rows: int) -> pd.DataFrame:
    return frame_at(pd.date_range("2024-07-01 13:30", periods=rows, freq="min", tz="UTC"))


def daily(calendar: str | None) -> pd.DataFrame:
    return frame_at(pd.DatetimeIndex(list(CLOSES), tz="America/New_York"), "1d", calendar)


def sessions_of_minutes() -> pd.DataFrame:
    parts = []
    for day, close in CLOSES.items():
        opens = pd.Timestamp(f"{day} 09:30", tz="America/New_York")
        closes = pd.Timestamp(close, tz="UTC")
        parts.append(pd.date_range(opens.tz_convert("UTC"), closes, freq="15min", inclusive="left"))
    return frame_at(parts[0].append(parts[1:]), "15m")


class Recorder(bt.Strategy):
    """What each feed showed at each turn."""

    def __init__(self):
        self.seen = []

    def next(self):
        self.seen.append(
            [(len(d), *(line[0] for line in d.lines)) if len(d) else None for d in self.datas]
        )


def run(*feeds, **how) -> list:
    cerebro = bt.Cerebro(stdstats=False)
    for feed in feeds:
        cerebro.adddata(feed)
    cerebro.addstrategy(Recorder)
    return cerebro.run(**how)[0].seen


instants = st.datetimes(datetime(1678, 1, 1), datetime(2261, 12, 31))


@settings(max_examples=50, deadline=None)
@given(st.lists(instants, min_size=1, max_size=200))
def test_instants_become_backtraders_numbers_to_the_last_bit(times):
    index = pd.DatetimeIndex(np.array(times, "datetime64[us]"))
    assert to_num(index).tolist() == [bt.date2num(time) for time in times]
    assert to_num(index.tz_localize("UTC")).tolist() == to_num(index).tolist()


def test_nanoseconds_are_dropped_as_pandas_drops_them():
    index = pd.DatetimeIndex(["2024-07-03 17:00:00.123456789", "1969-12-31 23:59:59.999999999"])
    times = [datetime(2024, 7, 3, 17, 0, 0, 123456), datetime(1969, 12, 31, 23, 59, 59, 999999)]
    assert to_num(index).tolist() == [bt.date2num(time) for time in times]


def test_a_feed_knows_its_name_timeframe_and_passport():
    frame = minutes(3)
    feed = as_feed(frame)
    assert (feed._name, as_feed(frame, "other")._name) == ("NVDA", "other")
    assert (feed._timeframe, feed._compression) == (bt.TimeFrame.Minutes, 1)
    assert feed.passport == frame.attrs["passport"]
    assert feed.p.tick is None
    assert FrameFeed(dataname=frame, tick=0.01).p.tick == 0.01


def test_a_frame_without_passport_is_a_feed_too():
    frame = daily(None)
    frame.attrs = {}
    feed = as_feed(frame, "mine")
    assert feed._timeframe == bt.TimeFrame.Days
    assert feed.passport.source == "frame"


def test_wrong_bars_never_become_a_feed():
    frame = minutes(3)
    frame.iloc[1, 1] = np.nan
    with pytest.raises(DataError, match=r"^NVDA: row 1 .* high is nan"):
        as_feed(frame, "NVDA")


@pytest.mark.parametrize(
    ("timeframe", "calendar", "start", "end"),
    [
        ("1m", None, "2024-07-03 16:59", "2024-07-03 17:00"),
        ("1h", "XNYS", "2024-07-03 14:30", "2024-07-03 15:30"),
        ("1h", "XNYS", "2024-07-03 16:30", "2024-07-03 17:00"),
        ("1d", "XNYS", "2024-07-03", "2024-07-03 17:00"),
        ("1w", "XNYS", "2024-11-25", "2024-11-29 18:00"),
        ("1mo", "XNYS", "2024-11-01", "2024-11-29 18:00"),
        ("1d", None, "2024-07-03", "2024-07-04"),
        ("1w", None, "2024-11-25", "2024-12-02"),
        ("1mo", None, "2024-02-01", "2024-03-01"),
    ],
)
def test_the_datetime_line_is_the_end_of_the_bar(timeframe, calendar, start, end):
    feed = as_feed(frame_at(pd.DatetimeIndex([start], tz="UTC"), timeframe, calendar))
    ((bar,),) = run(feed)
    assert bt.num2date(bar[-1]) == datetime.fromisoformat(end)


def test_two_bars_of_one_session_are_refused():
    starts = pd.DatetimeIndex(["2024-07-03 04:00", "2024-07-03 13:30"], tz="UTC")
    with pytest.raises(DataError, match=r"NVDA: the 1d bars of .* both end at 2024-07-03 17:00:00"):
        as_feed(frame_at(starts, "1d", "XNYS"))


def test_a_bar_outside_every_session_is_refused_with_its_symbol():
    frame = frame_at(pd.DatetimeIndex(["2024-07-04"], tz="UTC"), "1d", "XNYS")
    with pytest.raises(DataError, match="NVDA: calendar XNYS has no session for the bar of"):
        as_feed(frame)


def pandas_feed(frame: pd.DataFrame) -> bt.feeds.PandasData:
    ends = frame.index.tz_localize(None) + pd.Timedelta(minutes=1)
    return bt.feeds.PandasData(dataname=frame.set_axis(ends).assign(openinterest=0.0))


@pytest.mark.parametrize(
    ("rows", "how"),
    [
        ((300, 200), {}),
        ((300, 200), {"preload": False}),
        ((300, 200), {"runonce": False}),
        ((300, 200), {"lookahead": 3}),
        ((300, 200), {"exactbars": -1}),
        ((300,), {"exactbars": 1}),
    ],
)
def test_a_strategy_sees_what_stock_pandas_data_with_the_same_stamps_shows(rows, how):
    frames = [minutes(count) for count in rows]
    assert run(*map(as_feed, frames), **how) == run(*map(pandas_feed, frames), **how)


def test_loading_at_once_leaves_the_arrays_as_stock_preload_does():
    class Watched(FrameFeed):
        def _load(self):
            return super()._load()

    ours, stock = as_feed(minutes(50)), Watched(dataname=minutes(50))
    run(ours, lookahead=2)
    run(stock, lookahead=2)
    for line, other in zip(ours.lines, stock.lines, strict=True):
        assert line.array.tobytes() == other.array.tobytes()
        assert (line.idx, line.lencount, line.extension) == (other.idx, other.lencount, 2)


def test_a_feed_can_run_again():
    feed = as_feed(minutes(20))
    assert run(feed) == run(feed) != []
    assert run(feed, preload=False) == run(feed)


def test_a_range_of_backtrader_is_respected():
    first, last = datetime(2024, 7, 1, 13, 35), datetime(2024, 7, 1, 13, 40)
    seen = run(FrameFeed(dataname=minutes(60), fromdate=first, todate=last))
    times = [bt.num2date(turn[0][-1]) for turn in seen]
    assert (times[0], times[-1], len(times)) == (first, last, 6)


def test_an_input_zone_of_backtrader_is_respected():
    seen = run(FrameFeed(dataname=minutes(2), tzinput="America/New_York"))
    assert bt.num2date(seen[0][0][-1]) == datetime(2024, 7, 1, 17, 31)


def test_a_filter_of_backtrader_sees_every_bar():
    def drop_odd(data):
        odd = bool(data.volume[0] % 2)
        if odd:
            data.backwards()
        return odd

    feed = as_feed(minutes(10))
    feed.addfilter(drop_odd)
    assert [turn[0][5] for turn in run(feed)] == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_a_line_bound_to_the_feed_is_filled_as_in_stock():
    feed = as_feed(minutes(10))
    follower = bt.linebuffer.LineBuffer()
    follower.forward(size=10)
    feed.lines.close.addbinding(follower)
    run(feed)
    assert follower[0] == feed.close.array[-1]


def visible_days(first: FrameFeed, second: FrameFeed, daily_at: int) -> list:
    """(now, how many daily bars can be seen) at each turn."""
    turns = []
    for turn in run(first, second):
        now = max(bar[-1] for bar in turn if bar)
        turns.append((bt.num2date(now), turn[daily_at][0] if turn[daily_at] else 0))
    return turns


def sessions_ended_by(now: datetime) -> int:
    return sum(datetime.fromisoformat(close) <= now for close in CLOSES.values())


@pytest.mark.parametrize("daily_at", [0, 1])
@pytest.mark.parametrize("how", [{}, {"runonce": False}])
def test_the_days_close_is_seen_exactly_when_its_session_ends(daily_at, how):
    feeds = [as_feed(sessions_of_minutes(), "minutes")]
    feeds.insert(daily_at, as_feed(daily("XNYS"), "days"))
    turns = visible_days(*feeds, daily_at)
    # Backtrader calls next() once every feed has a bar: from the first session's end on.
    assert turns[0] == (datetime(2024, 3, 8, 21), 1)
    assert turns[-1][1] == len(CLOSES)
    for now, days in turns:
        assert days == sessions_ended_by(now)


@pytest.mark.parametrize("daily_at", [0, 1])
def test_without_a_calendar_the_days_close_is_seen_later_but_never_before(daily_at):
    feeds = [as_feed(sessions_of_minutes(), "minutes")]
    feeds.insert(daily_at, as_feed(daily(None), "days"))
    turns = visible_days(*feeds, daily_at)
    assert turns[-1][1] == len(CLOSES)
    for now, days in turns:
        assert days <= sessions_ended_by(now)


def test_feeds_of_different_length_and_start_run_together():
    long, short = minutes(30), frame_at(minutes(30).index[10:15])
    seen = run(as_feed(long, "long"), as_feed(short, "short"))
    assert [turn[0][0] for turn in seen] == list(range(11, 31))
    assert [turn[1][0] for turn in seen] == [1, 2, 3, 4, *[5] * 16]


@pytest.mark.parametrize("method", ["resampledata", "replaydata"])
def test_backtrader_resamples_and_replays_the_feed(method):
    frame = minutes(60)
    cerebro = bt.Cerebro(stdstats=False)
    getattr(cerebro, method)(as_feed(frame), timeframe=bt.TimeFrame.Minutes, compression=15)
    cerebro.addstrategy(Recorder)
    bars = {turn[0][0]: turn[0] for turn in cerebro.run()[0].seen}  # the last state of each bar
    assert [bt.num2date(bar[-1]).strftime("%H:%M") for bar in bars.values()] == [
        "13:45",
        "14:00",
        "14:15",
        "14:30",
    ]
    first = frame.iloc[:15]
    assert bars[1][4] == first["open"].iloc[0]
    assert bars[1][3] == first["high"].max()
    assert bars[1][5] == first["volume"].sum()
