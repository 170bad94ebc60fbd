"""Random strategies on stock and on turbo: every order, fill, trade and account the same."""

from dataclasses import dataclass, replace
from typing import Any

import backtrader as bt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.turbo import Cerebro
from brokers.guard import GuardedBroker
from tests.turbo import orders_play as play
from tests.turbo.orders_play import DOING, PLAIN_KINDS, Deed, Script


class AtLeast(bt.CommInfoBase):
    """Commission with a minimum."""

    params = (("stocklike", True), ("commtype", bt.CommInfoBase.COMM_PERC), ("percabs", True))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        return max(1.0, abs(size) * price * 0.001)


SCHEMES: dict[str, dict[str, Any]] = {
    "none": {},
    "share": {"commission": 0.001},
    "per cent": {"commission": 0.1, "percabs": False},
    "fixed": {"commission": 0.5, "commtype": bt.CommInfoBase.COMM_FIXED, "stocklike": True},
    "future": {"commission": 2.0, "margin": 50.0, "mult": 10.0},
    "automargin": {"commission": 2.0, "margin": 1.0, "automargin": 0.25, "mult": 5.0},
    "interest": {"commission": 0.001, "interest": 0.4},
    "interest long": {"commission": 0.001, "interest": 0.3, "interest_long": True},
    "leverage": {"commission": 0.001, "leverage": 4.0},
}
BROKERS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"slip_perc": 0.01, "slip_open": True},
    {"slip_perc": 0.02, "slip_open": True, "slip_match": False, "slip_limit": False},
    {"slip_perc": 0.03, "slip_out": True, "slip_open": True},
    {"slip_fixed": 0.5},
    {"checksubmit": False},
    {"coc": True},
    {"coo": True},
    {"shortcash": False},
    {"int2pnl": False},
    {"fundmode": True, "fundstartval": 33.0},
    {"filler": bt.fillers.FixedSize(size=3)},
)
ANALYZERS = (
    (),
    (),
    (bt.analyzers.TradeAnalyzer, bt.analyzers.DrawDown),
    (bt.analyzers.Transactions, bt.analyzers.PositionsValue, bt.analyzers.TimeReturn),
    (play.Hearing, play.Nested, play.Relaying),
)
STAKE = {"stake": 3}


@dataclass(frozen=True)
class Case:
    """One run, for both sides."""

    script: Script
    strategy: type[bt.Strategy]
    feeds: tuple[tuple[int, str, tuple[tuple[float, ...], ...]], ...]
    cash: float
    schemes: tuple[str, ...]
    broker: dict[str, Any]
    analyzers: tuple[Any, ...] = ()
    options: tuple[str, ...] = ()


def frame(start: int, freq: str, rows: tuple[tuple[float, ...], ...]) -> pd.DataFrame:
    first = pd.Timestamp("2020-01-06 09:30") + pd.Timedelta(days=start)
    index = pd.date_range(first, periods=len(rows), freq=freq)
    bars = pd.DataFrame(rows, columns=["open", "high", "low", "close"], index=index, dtype=float)
    return bars.assign(volume=[5.0 + n % 3 for n in range(len(rows))])


def broker_of(case: Case) -> bt.brokers.BackBroker:
    broker = bt.brokers.BackBroker(cash=case.cash, **case.broker)
    for number, name in enumerate(case.schemes):
        feed = f"feed{number}" if number else None
        if name == "at least":
            broker.addcommissioninfo(AtLeast(), name=feed)
        else:
            broker.setcommission(name=feed, **SCHEMES[name])
    return broker


def perform(cerebro_class: type[bt.Cerebro], case: Case) -> tuple[bt.Cerebro, Any]:
    """Everything that one run showed and left."""
    has = case.options.__contains__
    cerebro = cerebro_class(stdstats=has("observers"), tradehistory=has("history"))
    feeds = [bt.feeds.PandasData(dataname=frame(*feed)) for feed in case.feeds]
    for number, feed in enumerate(feeds):
        cerebro.adddata(feed, name=f"feed{number}")
    if has("compensate") and len(feeds) > 1:
        feeds[1].compensate(feeds[0])
    broker = broker_of(case)
    cerebro.broker = GuardedBroker(broker) if has("guard") else broker
    if has("sizer"):
        cerebro.addsizer(bt.sizers.PercentSizer, percents=30)
    for analyzer in case.analyzers:
        cerebro.addanalyzer(analyzer)
    cerebro.addstrategy(case.strategy, script=case.script)
    try:
        [strategy] = cerebro.run()
    except (IndexError, KeyError, ZeroDivisionError, OverflowError) as error:  # stock's own
        return cerebro, {"seen": cerebro.runningstrats[0].seen, "raised": repr(error)}
    return cerebro, seen(strategy, broker)


def seen(strategy: Any, broker: Any) -> dict[str, Any]:
    plain = strategy.plain
    trades = {
        (data._name, number): [plain.trade(trade) for trade in trades]
        for data, by_id in strategy._trades.items()
        for number, trades in by_id.items()
    }
    return {
        "seen": strategy.seen,
        "held": plain.position(strategy.held) if strategy.held is not None else None,
        "account": plain.account(broker),
        "book": plain.book(broker),
        "trades": trades,
        "lines": [
            [float(x).hex() for x in line.array]
            for observer in strategy.getobservers()
            for line in observer.lines
        ],
        "analyses": [plain.of(one.get_analysis()) for one in strategy.analyzers],
        "attributes": sorted(vars(broker)),
        "types": [
            type(it).__module__ for it in (broker, broker.comminfo, *broker.positions.values())
        ],
    }


def same(case: Case) -> None:
    """Stock and turbo show and leave the same."""
    _, stock = perform(bt.Cerebro, case)
    turbo, fast = perform(Cerebro, case)
    assert fast.keys() == stock.keys()
    for part, expected in stock.items():
        assert fast[part] == expected, f"{part}: {turbo.explain()}"


prices = st.floats(5, 50, allow_nan=False).map(lambda x: round(x, 4))


@st.composite
def rows(draw: st.DrawFn) -> tuple[float, ...]:
    first, last, a, b = (draw(prices) for _ in range(4))
    return (first, max(first, last, a, b), min(first, last, a, b), last)


@st.composite
def calm_rows(draw: st.DrawFn) -> tuple[tuple[float, ...], ...]:
    """A walk in which most orders are near the bars."""
    close, walk = 20.0, []
    for step, up, down in draw(
        st.lists(
            st.tuples(st.floats(-1, 1), st.floats(0, 0.6), st.floats(0, 0.6)),
            min_size=6,
            max_size=24,
        )
    ):
        opened, close = close, round(max(5.0, close + step), 3)
        walk.append((opened, max(opened, close) + up, min(opened, close) - down, close))
    return tuple(walk)


deeds = st.builds(
    Deed,
    kind=st.sampled_from([*PLAIN_KINDS, *DOING, "market", "market", "exit", "bracket"]),
    buy=st.booleans(),
    size=st.integers(1, 40),
    near=st.sampled_from([0.001, 0.01, 0.03, 0.1]),
    far=st.sampled_from([0.001, 0.01, 0.03, 0.1]),
    feed=st.integers(0, 2),
    valid=st.sampled_from(play.VALID),
    tradeid=st.sampled_from([0, 0, 0, 1]),
)
scripts = st.builds(
    Script,
    deeds=st.dictionaries(st.integers(1, 20), st.lists(deeds, min_size=1, max_size=4), max_size=12),
    looks=st.frozensets(st.integers(1, 24), max_size=4),
    replies=st.lists(deeds, max_size=3),
)
tapes = st.lists(rows(), min_size=3, max_size=16).map(tuple) | calm_rows()
schemes = st.sampled_from([*SCHEMES, "share", "at least"])
cases = st.builds(
    Case,
    script=scripts,
    strategy=st.sampled_from([play.Silent, play.Silent, play.Listening, play.Counting]),
    feeds=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["1D", "1D", "6h", "2D"]), tapes),
        min_size=1, max_size=3,
    ).map(tuple),
    cash=st.sampled_from([1e6, 3000.0, 400.0]),
    schemes=st.lists(schemes, min_size=1, max_size=3).map(tuple),
    broker=st.sampled_from(BROKERS),
    analyzers=st.sampled_from(ANALYZERS),
    options=st.sets(
        st.sampled_from(["observers", "history", "compensate", "guard", "sizer"]), max_size=2
    ).map(lambda chosen: tuple(sorted(chosen))),
)  # fmt: skip
random_cases = given(case=cases)


@settings(max_examples=50)
@random_cases
@pytest.mark.prove
def test_random_strategies_are_the_same_on_stock_and_on_turbo(case):
    same(case)


WALK = tuple((20.0 + n % 5, 22.5 + n % 5, 18.5 + n % 4, 20.5 + (n * 7) % 5) for n in range(24))
EVERYTHING = Script(
    {
        2 + n: [Deed(kind, buy=n % 3 > 0, size=4 + n, feed=n % 2)]
        for n, kind in enumerate([*PLAIN_KINDS, "bracket", "oco", "exit", "target_percent"])
    },
    looks=frozenset({5, 6, 15, 20}),
    replies=[Deed("market", size=2), Deed("limit", buy=False, size=3)],
)
FIXED = Case(
    EVERYTHING,
    play.Listening,
    ((0, "1D", WALK), (2, "2D", WALK[3:])),
    cash=4000.0,
    schemes=("share",),
    broker={},
)


@pytest.mark.parametrize("setting", BROKERS[2:], ids=lambda setting: "-".join(setting) or "none")
def test_each_setting_of_the_broker_is_the_same(setting):
    same(replace(FIXED, broker=setting))


@pytest.mark.parametrize("scheme", [*SCHEMES, "at least"])
def test_each_commission_scheme_is_the_same(scheme):
    same(replace(FIXED, schemes=(scheme, "share")))


@pytest.mark.parametrize("option", ["observers", "history", "compensate", "guard", "sizer"])
def test_each_way_of_running_is_the_same(option):
    same(replace(FIXED, options=(option,)))


@pytest.mark.parametrize("strategy", [play.Silent, play.Listening, play.Counting])
@pytest.mark.parametrize("analyzers", ANALYZERS[1:])
def test_whoever_listens_hears_the_same(strategy, analyzers):
    same(replace(FIXED, strategy=strategy, analyzers=analyzers))


@pytest.mark.parametrize(
    "deeds",
    [
        {2: [Deed("bracket", size=10_000, far=0.03)]},
        {2: [Deed("market", tradeid=1)], 4: [Deed("market", buy=False, tradeid=2)],
         6: [Deed("market", tradeid=2)]},
        {2: [Deed("limit", near=0.1)], 3: [Deed("late_child"), Deed("cancel")]},
    ],
    ids=["a family without cash", "trades that close each other", "a leg after its entry"],
)  # fmt: skip
def test_what_happens_seldom_is_the_same(deeds):
    same(replace(FIXED, script=Script(deeds)))
