"""Feeds filled at once, as stock fills them bar by bar."""

from datetime import datetime

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from backtest.turbo import Cerebro
from feeds.frames import FrameFeed, as_feed
from tests.turbo.stage import Recorder, bars, feed, same


def reasons(turbo: Cerebro) -> list[str]:
    return [path.reason for path in turbo.explain() if path.part == "feed"]


def with_times(frame: pd.DataFrame, times: object) -> pd.DataFrame:
    return frame.set_index(pd.DatetimeIndex(times))


def in_a_column(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(names="when")


AT_ONCE = {
    "daily": lambda: feed(bars(30)),
    "minutes": lambda: feed(bars(300, freq="1min")),
    "odd microseconds": lambda: feed(
        with_times(bars(30), pd.date_range("1999-12-31 23:59:59.123457", periods=30, freq="7h13us"))
    ),
    "aware": lambda: feed(bars(30).tz_localize("America/New_York")),
    "seconds": lambda: feed(with_times(bars(30), pd.date_range("2020", periods=30).as_unit("s"))),
    "before 1970": lambda: feed(bars(30, start="1901-01-01")),
    "capitals": lambda: feed(bars(30).rename(columns=str.capitalize)),
    "times in a column": lambda: feed(in_a_column(bars(30)), datetime="when"),
    "columns by number": lambda: feed(bars(30), open=3, high=1, low=2, close=0, volume=None),
    "single floats": lambda: feed(bars(30).astype(np.float32)),
    "integers": lambda: feed(bars(30).round().astype(np.int64)),
    "a range": lambda: feed(
        bars(30),
        fromdate=datetime(2020, 1, 5),
        todate=datetime(2020, 1, 20),
    ),
    "a range beyond": lambda: feed(bars(30), todate=datetime(2030, 1, 1)),
    "our own": lambda: as_feed(bars(30, start="2020-01-06").tz_localize("UTC"), "A"),
}
BAR_BY_BAR = {
    "text": lambda: feed(bars(30).astype({"volume": "object"})),
    "missing integers": lambda: feed(bars(30).astype({"volume": "Int64"})),
    "input zone": lambda: feed(bars(30), tzinput="Europe/Berlin"),
    "filtered": lambda: filtered(feed(bars(30))),
    "direct": lambda: bt.feeds.PandasDirectData(dataname=bars(30), openinterest=-1),
    "a line without a name": lambda: WithoutAName(dataname=bars(30)),
    "own load": lambda: OwnLoad(dataname=bars(30)),
    "our own, in a range": lambda: ranged(bars(30, start="2020-01-06").tz_localize("UTC")),
    "beyond nanoseconds": lambda: feed(
        with_times(bars(30), pd.date_range("1500-01-01", periods=30, unit="s"))
    ),
}


class WithoutAName(bt.feeds.PandasData):
    extralines = 1


class OwnLoad(bt.feeds.PandasData):
    def _load(self):
        return super()._load()


def filtered(data):
    data.addfilter(lambda data: False)
    return data


def ranged(frame):
    return FrameFeed(dataname=frame, name="A", fromdate=datetime(2020, 1, 10))


@pytest.mark.parametrize("make", AT_ONCE.values(), ids=AT_ONCE)
def test_feed_filled_at_once_is_as_in_stock(make):
    turbo = same(Recorder, lambda: [make()])
    assert reasons(turbo) == [""]
    assert turbo.explain().is_fast


@pytest.mark.parametrize("make", BAR_BY_BAR.values(), ids=BAR_BY_BAR)
def test_feed_that_has_to_go_bar_by_bar_does_so(make):
    turbo = same(Recorder, lambda: [make()])
    [reason] = reasons(turbo)
    assert reason


def test_lookahead_leaves_its_places():
    turbo = same(Recorder, lambda: [feed(bars(30))], lookahead=3)
    assert reasons(turbo) == [""]


def test_nanoseconds_are_left_to_stock_which_warns():
    times = pd.date_range("2020-01-01 00:00:00.000000001", periods=30)
    with pytest.warns(UserWarning, match="nanoseconds"):
        turbo = same(Recorder, lambda: [feed(with_times(bars(30), times))])
    assert reasons(turbo) == ["its times are finer than a microsecond"]


@pytest.mark.parametrize("odd", [pd.NaT, datetime(2020, 2, 1)], ids=["missing", "plain"])
def test_times_that_are_no_timestamps_fail_as_in_stock(odd):
    times = pd.Index([*pd.date_range("2020-01-01", periods=29), odd], dtype=object)
    frame = bars(30).set_index(pd.DatetimeIndex(times) if odd is pd.NaT else times)
    for cerebro_class in (bt.Cerebro, Cerebro):
        cerebro = cerebro_class()
        cerebro.adddata(feed(frame))
        with pytest.raises((ValueError, AttributeError)):
            cerebro.run()


def test_feed_has_its_own_preload_again_when_the_run_is_over():
    data = feed(bars(30))
    cerebro = Cerebro()
    cerebro.adddata(data)
    cerebro.run()
    assert "preload" not in vars(data)
