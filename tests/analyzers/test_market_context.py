"""What a strategy saw: names, values, times."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from analyzers.equity import instants
from analyzers.market_context import BarClock, MarketContext, instant
from brokers.guard import GuardedBroker

CLOSES = (10.0, 11.0, 12.0, 13.0, 14.0)


def bars(start: str = "2024-01-02", factor: float = 1.0) -> pd.DataFrame:
    index = pd.date_range(start, periods=len(CLOSES), freq="D")
    close = pd.Series(CLOSES, index) * factor
    return pd.DataFrame(
        {"open": close - 1, "high": close + 1, "low": close - 2, "close": close, "volume": 5.0}
    )


def seen(
    build: Callable[[Any], None], *feeds: pd.DataFrame, of: int = 0, bar: int = 5, **methods: Any
) -> dict[str, Any]:
    """The context of one feed at one bar, from 1, for a strategy built by `build`."""
    found: list[dict[str, Any]] = []

    class Looking(bt.Strategy):
        def __init__(self) -> None:
            build(self)

        def start(self) -> None:
            self.look = MarketContext(self)

        def next(self) -> None:
            if len(self) == bar:
                found.append(self.look.of(self.datas[of]))

        def prenext(self) -> None:
            self.next()

    for name, method in methods.items():
        setattr(Looking, name, method)
    cerebro = bt.Cerebro(stdstats=False)
    for number, frame in enumerate(feeds or (bars(),)):
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, name=f"S{number}"))
    cerebro.broker = GuardedBroker(bt.brokers.BackBroker(cash=1000.0))
    cerebro.addstrategy(Looking)
    cerebro.run()
    return found[0]


def nothing(strategy: Any) -> None:
    """No indicators."""


def test_bar_position_and_account_are_those_of_the_moment() -> None:
    assert seen(nothing, bar=2) == {
        "symbol": "S0",
        "bar": {
            "time": datetime(2024, 1, 3, tzinfo=UTC),
            "open": 10.0,
            "high": 12.0,
            "low": 9.0,
            "close": 11.0,
            "volume": 5.0,
        },
        "indicators": {},
        "position": 0.0,
        "cash": 1000.0,
        "equity": 1000.0,
        "passport": None,
    }


def test_feed_names_its_passport() -> None:
    def stamped(strategy: Any) -> None:
        strategy.data.passport = SimpleNamespace(id="0123456789ab")

    assert seen(stamped)["passport"] == "0123456789ab"


def named_in_attributes(strategy: Any) -> None:
    strategy.fast = bt.ind.SMA(period=2)
    strategy.alias = strategy.fast
    strategy.before = strategy.data.close(-1)
    strategy.above = strategy.data.close > strategy.fast


def named_in_members(strategy: Any) -> None:
    strategy.by_feed = {data: {"fast": bt.ind.SMA(data, period=2)} for data in strategy.datas}
    strategy.several = [bt.ind.SMA(period=3), (bt.ind.SMA(period=4),)]


def unnamed(strategy: Any) -> None:
    bt.ind.SMA(period=2)
    bt.ind.SMA(strategy.data.high, period=2)
    bt.ind.TrueRange()
    strategy.data.close(-1)
    strategy._hidden = bt.ind.SMA(period=3)


def of_several_lines(strategy: Any) -> None:
    strategy.band = bt.ind.BollingerBands(period=2, devfactor=0.0)


@pytest.mark.parametrize(
    ("build", "indicators"),
    [
        (named_in_attributes, {"fast": 13.5, "before": 13.0, "above": 1.0}),
        (named_in_members, {"by_feed.S0.fast": 13.5, "several.0": 13.0, "several.1.0": 12.5}),
        (
            unnamed,
            {
                "SimpleMovingAverage(2)": 13.5,
                "SimpleMovingAverage(2)#2": 14.5,
                "TrueRange": 3.0,
                "SimpleMovingAverage(3)": 13.0,
            },
        ),
        (of_several_lines, {"band.mid": 13.5, "band.top": 13.5, "band.bot": 13.5}),
    ],
)
def test_indicators_have_names_that_a_person_knows(
    build: Callable[[Any], None], indicators: dict[str, float]
) -> None:
    found = seen(build)["indicators"]
    assert {name.replace("SMA(", "SimpleMovingAverage("): v for name, v in found.items()} == (
        indicators
    )


def test_indicators_are_those_of_the_feed_in_question() -> None:
    def two(strategy: Any) -> None:
        strategy.own = bt.ind.SMA(strategy.data1, period=2)
        strategy.other = bt.ind.SMA(strategy.data0, period=2)
        strategy.stepped = bt.ind.Highest(strategy.data1.high(-1), period=2)
        strategy.built = bt.ind.SMA(strategy.own, period=2)

    feeds = bars(), bars(factor=10.0)
    assert seen(two, *feeds, of=0)["indicators"] == {"other": 13.5}
    assert seen(two, *feeds, of=1)["indicators"] == {"own": 135.0, "stepped": 131.0, "built": 130.0}


def test_indicator_of_no_feed_is_seen_with_each() -> None:
    def two(strategy: Any) -> None:
        strategy.floor = bt.Max(5.0, strategy.data0.close)

    for of in (0, 1):
        assert list(seen(two, bars(), bars(), of=of)["indicators"]) == ["floor"]


def test_feed_that_has_not_begun_shows_nothing_of_its_future() -> None:
    def two(strategy: Any) -> None:
        strategy.late = bt.ind.SMA(strategy.data1, period=1)

    found = seen(two, bars(), bars("2024-01-05"), of=1, bar=1)
    assert (found["bar"], found["indicators"]) == (None, {"late": None})


def test_strategy_may_say_itself_what_it_saw() -> None:
    assert seen(nothing, context=lambda self: {"mood": 1.0})["indicators"] == {"mood": 1.0}
    by_feed = seen(
        nothing, bars(), bars(), of=1, context=lambda self, data=None: {"feed": data._name}
    )
    assert by_feed["indicators"] == {"feed": "S1"}


def test_attribute_named_context_that_cannot_be_called_is_left_alone() -> None:
    assert seen(nothing, context="a note")["indicators"] == {}


@pytest.mark.parametrize(
    "text", ["2014-01-02 21:00", "2024-02-29 23:59:59.999990", "2024-03-10 14:31:07", "1970-01-01"]
)
def test_instant_agrees_with_the_equity_curve(text: str) -> None:
    number = bt.date2num(pd.Timestamp(text))
    assert instant(number) == pd.Timestamp(text, tz="UTC") == instants([number])[0]


def test_bar_clock_says_the_start_before_the_first_bar() -> None:
    clock = BarClock(datetime(2024, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2024, 1, 1, tzinfo=UTC)
