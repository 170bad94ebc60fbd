"""What strategies and their authors do with Backtrader, on turbo as in stock."""

from collections.abc import Callable
from typing import Any

import backtrader as bt
import pytest

from tests.turbo.stage import bars, exact, feed, same
from tests.turbo.test_loop import FEEDS, Trader, costly

OPTIONS: dict[str, dict[str, Any]] = {
    "zone": {"tz": "Europe/Berlin"},
    "trade history": {"tradehistory": True},
    "object cache": {"objcache": True},
    "lookahead": {"lookahead": 2},
    "old observers": {"oldbuysell": True, "oldtrades": True},
}
SETTINGS: dict[str, Callable[[Any], object]] = {
    "fund mode": lambda cerebro: cerebro.broker.set_fundmode(True),
    "cheat on close": lambda cerebro: cerebro.broker.set_coc(True),
    "sizer": lambda cerebro: cerebro.addsizer(bt.sizers.PercentSizer, percents=7),
    "slippage": lambda cerebro: cerebro.broker.set_slippage_perc(0.01),
    "indicator of Cerebro's": lambda cerebro: cerebro.addindicator(bt.ind.SMA, period=6),
}


class HearingOfTheAccount(Trader):
    def notify_fund(self, cash, value, fundvalue, shares):
        self.seen.append(exact([cash, value, fundvalue, shares]))

    def notify_cashvalue(self, cash, value):
        self.seen.append(exact([cash, value]))


class LookingAhead(Trader):
    def build(self):
        super().build()
        self.future = self.data.close(2)


class ReadingObservers(Trader):
    def act(self):
        super().act()
        stats = self.stats
        marks = [stats.buysell[0].buy[0], stats.buysell[0].sell[0], stats.trades.pnlplus[0]]
        self.seen.append(exact([*marks, len(stats.trades), len(stats.buysell[0])]))


class BuyingEarly(Trader):
    def prenext(self):
        super().prenext()
        self.buy(size=1)


class Targeting(Trader):
    def act(self):
        if not self.position:
            self.buy()
        else:
            self.order_target_percent(target=0.1 * (len(self) % 5))


class Bracketing(Trader):
    def act(self):
        price = self.data.close[0]
        if len(self) % 9 == 0:
            self.buy_bracket(size=2, price=price, stopprice=price * 0.98, limitprice=price * 1.02)


class ReadingByNumber(Trader):
    def act(self):
        super().act()
        series = [*self.datas, *self.means, self.cross]
        self.seen.append(exact([[len(one), one[0], one[-1]] for one in series]))


class ReadingItsTimes(Trader):
    """Its own line of times has a value for each bar until now and no other."""

    def act(self):
        super().act()
        if len(self) % 5 == 0:
            times = self.datetime
            self.seen.append(exact([times[-2], list(times.get(size=3)), self.buflen()]))
            with pytest.raises(IndexError):
                times[1]


class Labelled(bt.Indicator):
    """Has its own way of being read."""

    lines = ("twice",)

    def __init__(self):
        self.lines.twice = self.data.close * 2.0

    def __getitem__(self, ago):
        return "twice", self.lines[0][ago]


class ReadingLabels(Trader):
    def build(self):
        super().build()
        self.labelled = Labelled(self.data)

    def act(self):
        super().act()
        self.seen.append(exact([self.labelled[0], self.labelled[-1]]))


STRATEGIES = [
    HearingOfTheAccount,
    LookingAhead,
    ReadingObservers,
    BuyingEarly,
    Targeting,
    Bracketing,
    ReadingByNumber,
    ReadingItsTimes,
    ReadingLabels,
]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_option_is_as_in_stock(options):
    assert same(Trader, FEEDS["one"], costly, **options).explain().is_fast


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_setting_is_as_in_stock(setting):
    def setup(cerebro):
        costly(cerebro)
        setting(cerebro)

    assert same(Targeting, FEEDS["same calendar"], setup).explain().is_fast


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.__name__)
def test_habit_of_a_strategy_is_as_in_stock(strategy):
    assert same(strategy, FEEDS["one"], costly).explain().is_fast


def test_feeds_that_compensate_each_other_are_as_in_stock():
    def feeds():
        one, other = feed(bars(60)), feed(bars(60, 1))
        other.compensate(one)
        return [one, other]

    assert same(Trader, feeds, costly).explain().is_fast


def test_feed_in_a_zone_is_as_in_stock():
    def feeds():
        return [feed(bars(60, freq="1h"), tz="Europe/Berlin")]

    assert same(Trader, feeds, costly).explain().is_fast
