"""The guard's own cost for one order: schema, profile and seven risk rules. Goal: at most 40 us.

The inner broker hands back one ready order, so that nothing but the guard is measured.
"""

from types import SimpleNamespace
from typing import Any

import backtrader as bt
import pytest

from brokers.guard import GuardedBroker
from brokers.profile import ALPACA, BACKTRADER
from brokers.risk import RiskLimits
from tests.brokers.stage import perform

LIMITS = RiskLimits(
    max_order_notional=1e9,
    max_position_notional=1e9,
    max_position_share=1.0,
    max_gross_exposure=2.0,
    price_collar_frac=0.5,
    max_bar_age_s=60,
    max_orders_per_minute=10**9,
)


@pytest.fixture
def scene() -> Any:
    """A strategy of a real run, on its last bar."""
    return perform({0: lambda s: s.buy(size=1)}).broker.cerebro.runningstrats[0]


class Instant:
    """A broker that has its order ready."""

    def __init__(self, real: Any) -> None:
        self.positions, self.cerebro, self.getvalue = real.positions, real.cerebro, real.getvalue
        data = real.cerebro.datas[0]
        self._ready = SimpleNamespace(ref=1, size=1, data=data, parent=None, alive=lambda: False)

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        return self._ready


@pytest.mark.parametrize("profile", [BACKTRADER, ALPACA], ids=lambda profile: profile.name)
@pytest.mark.parametrize("rules", [(), LIMITS.rules()], ids=["schema", "schema-and-risk"])
def test_guard_one_order(benchmark: Any, scene: Any, rules: Any, profile: Any) -> None:
    guard = GuardedBroker(Instant(scene.broker), rules=rules, profile=profile)
    how = {"price": 10.0, "plimit": None, "exectype": bt.Order.Limit, "valid": None,
           "tradeid": 0, "oco": None, "trailamount": None, "trailpercent": None,
           "parent": None, "transmit": True, "reason": "benchmark"}  # fmt: skip
    benchmark(guard.buy, scene, scene.data, 1, **how)
