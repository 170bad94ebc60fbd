import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from strategies.panel import FIELDS, Panel
from tests.strategies.stage import play, walk

MODES = {
    "preloaded": {},
    "preloaded, bar by bar": {"runonce": False},
    "growing": {"runonce": False, "preload": False},
}
DAYS = walk(40, seed=1)
HOLES = DAYS.drop(DAYS.index[[3, 17, 18]])
LATE = walk(30, seed=2, start="2020-01-20")
HOURS = walk(200, seed=3, start="2020-01-06", freq="h")


class Watcher(bt.Strategy):
    """Compares a panel with what Cerebro shows, at every step."""

    params = (("across", True),)

    def __init__(self):
        groups = [self.datas] if self.p.across else [[feed] for feed in self.datas]
        self.panels = [Panel(group) for group in groups]
        self.steps = 0

    def prenext(self):
        self.next()

    def next(self):
        self.steps += 1
        for panel in self.panels:
            if not panel.advance():
                continue
            for name, table in zip(FIELDS, panel.bars, strict=True):
                row = np.atleast_1d(table[panel.row])
                shown = [getattr(f, name)[0] if len(f) else np.nan for f in panel.feeds]
                np.testing.assert_array_equal(row, shown)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "frames",
    [{"A": DAYS}, {"A": DAYS, "B": HOLES, "C": LATE}, {"A": LATE, "B": HOURS}, {"A": DAYS[:1]}],
)
def test_the_row_is_what_cerebro_shows(frames, mode):
    ran = play(Watcher, frames, options=MODES[mode])
    panel = ran.strategy.panels[0]
    times = sorted(set().union(*(frame.index for frame in frames.values())))
    assert panel.row + 1 == len(times) == ran.strategy.steps
    assert len(panel.bars.close) == len(times)


@pytest.mark.parametrize("mode", MODES)
def test_a_table_shows_the_last_bar_and_nothing_before_the_first(mode):
    frames = {"A": DAYS, "B": HOLES, "C": LATE}
    panel = play(Watcher, frames, options=MODES[mode]).strategy.panels[0]
    wanted = pd.concat({name: frame["close"] for name, frame in frames.items()}, axis=1).ffill()
    np.testing.assert_array_equal(panel.bars.close, wanted.to_numpy())


@pytest.mark.parametrize("mode", MODES)
def test_a_feed_alone_has_its_own_rows(mode):
    frames = {"A": LATE, "B": HOURS, "C": HOLES}
    panels = play(Watcher, frames, options=MODES[mode], across=False).strategy.panels
    for panel, frame in zip(panels, frames.values(), strict=True):
        np.testing.assert_array_equal(panel.bars.close, frame["close"].to_numpy())
        assert panel.row == len(frame) - 1


def test_one_bar_is_kept_where_cerebro_keeps_no_more():
    panel = play(Watcher, DAYS, options={"exactbars": 1}).strategy.panels[0]
    np.testing.assert_array_equal(panel.bars.close, DAYS["close"].to_numpy())


def test_times_that_repeat_are_rows_of_their_own():
    twice = pd.concat([DAYS[:5], DAYS[4:]])
    panel = play(Watcher, {"A": twice, "B": DAYS}).strategy.panels[0]
    assert panel.row + 1 == 41


def test_a_bar_that_still_grows_is_written_over():
    rows = []

    class Replays(Watcher):
        def next(self):
            super().next()
            rows.append(self.panels[0].row)

    cerebro = bt.Cerebro(stdstats=False)
    feed = bt.feeds.PandasData(dataname=HOURS, timeframe=bt.TimeFrame.Minutes, compression=60)
    cerebro.replaydata(feed, timeframe=bt.TimeFrame.Days)
    cerebro.addstrategy(Replays)
    panel = cerebro.run()[0].panels[0]
    assert len(rows) == 200
    assert rows[-1] == 8
    days = HOURS["close"].resample("D").last().to_numpy()
    np.testing.assert_array_equal(panel.bars.close, days)
