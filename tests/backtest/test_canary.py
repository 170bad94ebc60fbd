import itertools
import json

import backtrader as bt
import pandas as pd
import pytest

import strategies
from backtest.canary import find_leak
from backtest.cli import main
from backtest.spec import RunSpec
from backtest.witness import decisions_of
from brokers.errors import ConfigError, DataError
from feeds.frames import as_feed
from tests.strategies.stage import walk

FRAMES = {name: walk(330, seed).tz_localize("UTC") for seed, name in enumerate("ABC")}
ONE = {"A": FRAMES["A"]}


class Peeks(bt.Strategy):
    """Buys when tomorrow's close is higher: one index too many."""

    def next(self):
        if len(self) == self.data.buflen():
            return
        if not self.position and self.data.close[1] > self.data.close[0]:
            self.buy()
        elif self.position and self.data.close[1] < self.data.close[0]:
            self.close()


class KnowsTheMean(bt.Strategy):
    """Compares with the mean of the whole sample, as a notebook's z-score does."""

    def __init__(self):
        self.mean = self.data.p.dataname["close"].mean()

    def next(self):
        if (self.data.close[0] < self.mean) != bool(self.position):
            self.close() if self.position else self.buy()


class KnowsTheEnd(bt.Strategy):
    """Sells before the last bars, which live has not."""

    def next(self):
        if len(self) == 20:
            self.buy()
        if len(self) == self.data.buflen() - 3:
            self.close()


class PlacesExits(bt.Strategy):
    """Orders alike in time, yet its stop knows a later low."""

    def next(self):
        if len(self) % 20 == 0 and len(self) + 5 < self.data.buflen():
            self.sell(exectype=bt.Order.Stop, price=min(self.data.low.get(ago=5, size=6)))


class CrossesOver(bt.Strategy):
    """Plain Backtrader without a leak, orders and cancels."""

    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=5), bt.ind.SMA(period=20))
        self.resting = None

    def next(self):
        if self.cross > 0:
            self.buy(price=self.data.close[0] * 0.99, exectype=bt.Order.Limit)
        elif self.cross < 0 and self.position:
            self.close()
        if self.resting:
            self.cancel(self.resting)
            self.resting = None
        elif len(self) % 30 == 0:
            self.resting = self.buy(price=1.0, exectype=bt.Order.Limit)


class Random(bt.Strategy):
    """Draws from a state that outlives the run."""

    draws = itertools.count()

    def next(self):
        if next(self.draws) % 7 == 0:
            self.buy()


class Idle(bt.Strategy):
    """Does nothing."""


@pytest.mark.parametrize("name", strategies.names())
def test_our_strategies_are_clean(name):
    report = find_leak(name, FRAMES, cuts=2)
    assert report.clean, report.leak
    assert report.compared > 0


def test_a_plain_strategy_without_a_leak_is_clean():
    report = find_leak(CrossesOver, ONE, cuts=10)
    assert report.clean
    assert report.cuts == 10


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("leaky", [Peeks, KnowsTheMean, KnowsTheEnd, PlacesExits])
def test_a_planted_leak_is_caught(leaky, seed):
    report = find_leak(leaky, ONE, seed=seed)
    assert not report.clean
    assert report.leak.at <= report.leak.cut_at


def test_a_leak_in_one_of_several_feeds_is_caught():
    class PeeksAtTheOther(bt.Strategy):
        def next(self):
            other = self.datas[1]
            if len(other) < other.buflen() and other.close[1] > other.close[0]:
                self.buy(self.datas[0])

    report = find_leak(PeeksAtTheOther, {name: FRAMES[name] for name in "AB"})
    assert not report.clean


def test_an_error_without_the_later_bars_is_a_leak():
    class CountsOnTomorrow(bt.Strategy):
        def next(self):
            if len(self) < len(ONE["A"]) and self.data.close[1]:
                self.buy()

    leak = find_leak(CountsOnTomorrow, ONE).leak
    assert leak.way == "truncated"
    assert leak.found.startswith("IndexError")


def test_the_first_changed_decision_is_named():
    leak = find_leak(KnowsTheMean, ONE).leak
    assert leak.symbol == "A"
    assert leak.expected != leak.found
    assert {"buy 1 market", "sell 1 market", "nothing"} >= {leak.expected, leak.found}


def test_a_feed_that_begins_late_is_no_leak():
    late = FRAMES | {"D": walk(40, 9).set_axis(FRAMES["A"].index[-40:])}
    assert find_leak("sector_rotation", late, cuts=2).clean


def test_a_strategy_that_is_not_deterministic_is_refused():
    with pytest.raises(ConfigError, match="decides differently each time"):
        find_leak(Random, ONE)


def test_a_strategy_that_decides_nothing_shows_nothing():
    with pytest.raises(DataError, match="decides nothing on 330 bars"):
        find_leak(Idle, ONE)


def test_feeds_that_cannot_be_cut_are_refused():
    feed = bt.feeds.PandasData(dataname=ONE["A"])
    with pytest.raises(ConfigError, match="into a frame"):
        find_leak(CrossesOver, {"A": feed})
    assert find_leak(CrossesOver, as_feed(ONE["A"], "A"), cuts=1).clean


def test_no_cut_at_all_is_refused():
    with pytest.raises(ConfigError, match="at least one"):
        find_leak(CrossesOver, ONE, cuts=0)


def test_refusals_and_cancels_are_decisions_too():
    class Contradicts(CrossesOver):
        def next(self):
            super().next()
            if len(self) % 50 == 0:
                self.buy(exectype=bt.Order.Limit, price=-1.0)

    texts = {item.text.split()[0] for item in decisions_of(RunSpec(Contradicts), ONE)}
    assert texts == {"buy", "sell", "cancel", "refused:"}


def test_the_report_in_plain_values():
    told = find_leak(Peeks, ONE).as_json()
    assert told["clean"] is False
    assert pd.Timestamp(told["leak"]["at"]).tzinfo is not None


LEAKY = """
import backtrader as bt

class Leaky(bt.Strategy):
    def __init__(self):
        self.mean = self.data.p.dataname["close"].mean()

    def next(self):
        if (self.data.close[0] < self.mean) != bool(self.position):
            self.close() if self.position else self.buy()
"""


def test_the_command_names_the_leak_and_exits_with_three(tmp_path, capsys):
    path = tmp_path / "leaky.py"
    path.write_text(LEAKY)
    assert main(["canary", f"{path}:Leaky", "--cuts", "3"]) == 3
    told = capsys.readouterr().out
    assert "LOOKS AHEAD" in told
    assert "with all bars" in told


def test_the_command_says_clean_in_one_json_object(capsys):
    assert main(["canary", "sma_cross", "--cuts", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["clean"], told["cuts"], told["leak"]) == (True, 1, None)


def test_the_command_says_clean_in_words(capsys):
    assert main(["canary", "sma_cross", "--cuts", "1"]) == 0
    assert "sma_cross: clean" in capsys.readouterr().out
