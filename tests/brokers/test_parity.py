"""With nothing refused, guarded and bare give the same run to the last bit."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import backtrader as bt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.risk import RiskLimits
from tests.brokers.stage import Bar, perform

LOOSE = RiskLimits(
    max_order_notional=1e12,
    max_position_notional=1e12,
    max_orders_per_minute=10**6,
    max_drawdown_frac=1e9,
)
KINDS = ("market", "close", "limit", "stop", "stop_limit", "trail", "trail_limit", "bracket", "oco")


@dataclass(frozen=True)
class Act:
    """One thing a random strategy does: an order of some kind, or a cancel of an earlier one."""

    kind: str
    buy: bool
    size: int
    near: float
    far: float
    feed: int
    valid: Any

    def __call__(self, strategy: Any) -> None:
        orders = strategy.memory.setdefault("orders", [])
        if self.kind == "cancel":
            if orders:
                strategy.cancel(orders[self.size % len(orders)])
            return
        data = strategy.datas[self.feed % len(strategy.datas)]
        if not len(data):
            return
        orders.extend(order for order in self.place(strategy, data) if order is not None)

    def place(self, strategy: Any, data: Any) -> list[Any]:
        side = strategy.buy if self.buy else strategy.sell
        sign = 1 if self.buy else -1
        last = data.close[0]
        low, high = last * (1 - sign * self.near), last * (1 + sign * self.far)
        common = {"data": data, "size": self.size, "valid": self.valid}
        order = bt.Order
        if self.kind == "bracket":
            make = strategy.buy_bracket if self.buy else strategy.sell_bracket
            kind = order.Market if self.far > 0.02 else order.Limit
            return make(price=last, exectype=kind, stopprice=low, limitprice=high, **common)
        if self.kind == "oco":
            first = side(exectype=order.Limit, price=low, **common)
            return [first, side(exectype=order.Stop, price=high, oco=first, **common)]
        how: dict[str, dict[str, Any]] = {
            "market": {},
            "close": {"exectype": order.Close},
            "limit": {"exectype": order.Limit, "price": low},
            "stop": {"exectype": order.Stop, "price": high},
            "stop_limit": {"exectype": order.StopLimit, "price": high, "plimit": low},
            "trail": {"exectype": order.StopTrail, "trailpercent": self.near},
            "trail_limit": {
                "exectype": order.StopTrailLimit,
                "trailamount": last * self.near,
                "plimit": last * (1 + sign * self.near),
                "price": last,
            },
        }
        return [side(**common, **how[self.kind])]


prices = st.floats(5, 50, allow_nan=False).map(lambda x: round(x, 4))


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    first, last, a, b = (draw(prices) for _ in range(4))
    return (first, max(first, last, a, b), min(first, last, a, b), last)


series = st.lists(bars(), min_size=4, max_size=14)
acts = st.builds(
    Act,
    kind=st.sampled_from([*KINDS, "cancel", "market", "cancel"]),
    buy=st.booleans(),
    size=st.integers(1, 50),
    near=st.floats(0.001, 0.1),
    far=st.floats(0.001, 0.1),
    feed=st.integers(0, 2),
    valid=st.sampled_from([None, None, None, 0, timedelta(days=2)]),
)
scripts = st.dictionaries(st.integers(0, 12), st.lists(acts, min_size=1, max_size=3), max_size=8)


def same(script: Any, feeds: Any, cash: float, commission: float, slip: float) -> None:
    def setup(broker: Any) -> None:
        broker.setcommission(commission)
        broker.set_slippage_perc(slip)

    played = {bar: lambda s, todo=todo: [act(s) for act in todo] for bar, todo in script.items()}
    bare = perform(played, *feeds, cash=cash, setup=setup)
    guard = {"rules": LOOSE.rules(), "limits": LOOSE.limits()}
    guarded = perform(played, *feeds, cash=cash, setup=setup, guard=guard)
    assert not [decision.refusal for decision in guarded.decisions if decision.refusal]
    assert (guarded.notes, guarded.trades) == (bare.notes, bare.trades)
    assert guarded.account == bare.account
    assert guarded.left == bare.left


random_runs = given(
    script=scripts,
    feeds=st.lists(series, min_size=1, max_size=3),
    cash=st.sampled_from([1e6, 3000.0, 200.0]),
    commission=st.sampled_from([0.0, 0.001]),
    slip=st.sampled_from([0.0, 0.0005, 0.01]),
)


@settings(max_examples=60)
@random_runs
def test_random_strategies_are_the_same_guarded_and_bare(script, feeds, cash, commission, slip):
    same(script, feeds, cash, commission, slip)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("buy", [True, False])
def test_each_order_type_is_the_same_guarded_and_bare(kind, buy):
    act = Act(kind, buy, 7, 0.02, 0.03, 0, None)
    rising = [(10 + i, 11.5 + i, 9 + i, 10.6 + i) for i in range(8)]
    falling = [(20 - i, 21.5 - i, 18 - i, 19.4 - i) for i in range(8)]
    for feed in (rising, falling):
        same({1: [act], 4: [act]}, [feed], 1e5, 0.001, 0.0)
