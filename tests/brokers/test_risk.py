"""Each rule refuses what is above its limit, by name, limit and value."""

from dataclasses import dataclass, field, replace

import pytest

from brokers import risk
from brokers.errors import ConfigError, RiskRefused
from brokers.orders import OrderSchema
from brokers.risk import RiskLimits


@dataclass
class Account:
    """Ten thousand in equity, one symbol at 100 by default; `at` puts an order before it."""

    equity: float = 10_000.0
    gross_exposure: float = 0.0
    position: float = 0.0
    last_price: float = 100.0
    bar_at: float = 0.0
    now: float = 0.0
    resting: dict = field(default_factory=dict)
    order: OrderSchema | None = None
    partner: OrderSchema | None = None

    def at(self, order):
        return replace(self, order=order)

    def working(self, side):
        return self.resting.get(side, 0.0)

    @property
    def quantity(self):
        return float(self.order.signed_quantity)

    @property
    def price(self):
        limit = self.order.limit_price
        return self.last_price if limit is None else float(limit)

    @property
    def growth(self):
        return risk.growth(self.position, self.working(self.order.side), self.quantity)


def order(side="buy", quantity=10, limit_price=None):
    kind = "market" if limit_price is None else "limit"
    return OrderSchema(
        client_order_id="a", symbol="AAPL", side=side, quantity=quantity, order_type=kind,
        limit_price=limit_price,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "given", "account", "value"),
    [
        (risk.MaxOrderNotional(1000), order(), Account(), None),
        (risk.MaxOrderNotional(999), order(), Account(), 1000),
        (risk.MaxOrderNotional(999), order(limit_price=99), Account(), None),
        (risk.MaxOrderNotional(1e9), order(), Account(last_price=float("nan")), "nan"),
        (risk.MaxPositionNotional(1000), order(), Account(), None),
        (risk.MaxPositionNotional(1000), order(), Account(position=1), 1100),
        (risk.MaxPositionNotional(1000), order(), Account(resting={"buy": 1}), 1100),
        (risk.MaxPositionNotional(1), order("sell"), Account(position=10), None),
        (risk.MaxPositionNotional(1000), order("sell", 25), Account(position=10), 1500),
        (risk.MaxPositionShare(0.1), order(), Account(), None),
        (risk.MaxPositionShare(0.1), order(), Account(equity=5000), 0.2),
        (risk.MaxPositionShare(0.9), order(), Account(equity=0.0), float("inf")),
        (risk.MaxPositionShare(0.9), order("sell"), Account(position=10, equity=-5.0), None),
        (risk.MaxGrossExposure(1), order(), Account(gross_exposure=9000), None),
        (risk.MaxGrossExposure(1), order(), Account(gross_exposure=9001), 1.0001),
        (risk.MaxGrossExposure(1), order("sell"), Account(position=10, gross_exposure=9e9), None),
        (risk.MaxGrossExposure(1), order(), Account(equity=0.0), float("inf")),
        (risk.PriceCollar(0.05), order(limit_price=95), Account(), None),
        (risk.PriceCollar(0.05), order(limit_price=94), Account(), 0.06),
        (risk.PriceCollar(0.05), order(), Account(), None),
        (risk.MaxBarAge(60), order(), Account(now=60), None),
        (risk.MaxBarAge(60), order(), Account(now=61), 61),
        (risk.RestrictedSymbols(frozenset({"MSFT"})), order(), Account(), None),
        (risk.RestrictedSymbols(frozenset({"AAPL"})), order(), Account(), "AAPL"),
    ],
)
def test_rule_refuses_what_is_above_its_limit(rule, given, account, value):
    if value is None:
        rule(account.at(given))
        return
    with pytest.raises(RiskRefused) as refused:
        rule(account.at(given))
    if isinstance(value, str):
        assert str(refused.value.value) == value
    else:
        assert refused.value.value == pytest.approx(value)


def test_runaway_loop_is_stopped_at_the_limit_and_freed_a_minute_later():
    rule, account = risk.MaxOrdersPerMinute(2), Account()
    rule(account.at(order()))
    account.now = 30
    rule(account.at(order()))
    with pytest.raises(RiskRefused, match="max_orders_per_minute: limit 2, value 3"):
        rule(account.at(order()))
    account.now = 60
    rule(account.at(order()))
    with pytest.raises(RiskRefused):
        rule(account.at(order()))


MONDAY_15H_NEW_YORK = 1_704_139_200.0  # 2024-01-01 20:00 UTC
HOUR = 3600.0


def test_daily_loss_is_measured_from_the_last_equity_of_the_day_before():
    limit = risk.MaxDailyLoss(0.05)
    limit(100.0, MONDAY_15H_NEW_YORK)
    limit(97.0, MONDAY_15H_NEW_YORK + HOUR)
    limit(93.0, MONDAY_15H_NEW_YORK + 24 * HOUR)
    with pytest.raises(RiskRefused, match="max_daily_loss_frac"):
        limit(92.0, MONDAY_15H_NEW_YORK + 25 * HOUR)


def test_daily_loss_day_ends_at_midnight_in_new_york():
    limit = risk.MaxDailyLoss(0.05)
    limit(100.0, MONDAY_15H_NEW_YORK)
    limit(97.0, MONDAY_15H_NEW_YORK + 8.9 * HOUR)
    limit(93.0, MONDAY_15H_NEW_YORK + 9.1 * HOUR)


def test_drawdown_is_measured_from_the_highest_equity():
    limit = risk.MaxDrawdown(0.10)
    limit(100.0, 0)
    limit(120.0, 0)
    limit(108.0, 0)
    with pytest.raises(RiskRefused) as refused:
        limit(107.0, 0)
    assert refused.value.value == pytest.approx(13 / 120)


@pytest.mark.parametrize(("equity", "stops"), [(0.0, False), (-1.0, True)])
def test_account_that_began_with_nothing_can_only_fall(equity, stops):
    limit = risk.MaxDrawdown(0.5)
    if stops:
        with pytest.raises(RiskRefused):
            limit(equity, 0)
    else:
        limit(equity, 0)


def test_limits_make_fresh_rules_by_name():
    limits = RiskLimits(
        max_order_notional=1, max_orders_per_minute=3, restricted_symbols=("X",),
        max_daily_loss_frac=0.1, max_drawdown_frac=0.2,
    )  # fmt: skip
    rules = limits.rules()
    assert [type(rule).__name__ for rule in rules] == [
        "RestrictedSymbols",
        "MaxOrderNotional",
        "MaxOrdersPerMinute",
    ]
    assert limits.rules()[2] is not rules[2]
    assert [limit.limit for limit in limits.limits()] == [0.1, 0.2]
    assert RiskLimits().rules() == ()


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "5"])
def test_limit_that_is_no_positive_number_is_named(limit):
    with pytest.raises(ConfigError, match="max_order_notional="):
        RiskLimits(max_order_notional=limit)
