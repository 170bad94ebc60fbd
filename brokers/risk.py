"""Risk rules: one small class a limit. Add yours to a guard's `rules`, or a field to `RiskLimits`.

A rule is called with the situation of every order before it leaves, and raises `RiskRefused` to
stop it. An account limit is called at every turn of the loop; raising halts the guard: from then on
only orders that shrink a position leave.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from brokers.errors import ConfigError, RiskRefused
from brokers.orders import OrderSchema, Side

NEW_YORK = ZoneInfo("America/New_York")


class Situation(Protocol):
    """What a rule may ask about an order's surroundings; every answer is a cached read.

    Quantities are signed units, money is in the account's currency, instants are seconds since
    1970 UTC.
    """

    @property
    def order(self) -> OrderSchema:
        """The order itself."""

    @property
    def quantity(self) -> float:
        """Signed units of the order."""

    @property
    def price(self) -> float:
        """The price to value the order at: its limit, else its stop, else the last close."""

    @property
    def growth(self) -> float:
        """See `growth`, for this order."""

    @property
    def equity(self) -> float:
        """Cash and positions at the last close."""

    @property
    def gross_exposure(self) -> float:
        """Sum of |position| x last close over all symbols, and of entries still at work."""

    @property
    def position(self) -> float:
        """Units held of the symbol, negative when short."""

    @property
    def last_price(self) -> float:
        """Close of the symbol's last bar."""

    @property
    def bar_at(self) -> float:
        """End of the symbol's last bar."""

    @property
    def now(self) -> float:
        """The present instant."""

    def working(self, side: Side) -> float:
        """Signed units that the symbol's resting orders, legs aside, may still fill on a side."""


Rule = Callable[[Situation], None]
AccountLimit = Callable[[float, float], None]  # (equity, now in seconds since 1970 UTC)


def growth(held: float, working: float, quantity: float) -> float:
    """Units by which |position| can grow when an order and those at work fill; 0 for an exit.

    Args:
        held: signed units of the position.
        working: signed units that orders at work on the order's side may still fill.
        quantity: signed units of the order.
    """
    return max(abs(held + working + quantity) - abs(held), 0.0)


def position_value(situation: Situation) -> float:
    """What the position would be worth with this order and those at work; 0 for an exit."""
    if not situation.growth:
        return 0.0
    return (abs(situation.position) + situation.growth) * situation.price


def _share(value: float, equity: float) -> float:
    if equity > 0:
        return value / equity
    return float("inf") if value else 0.0


def _refuse_above(rule: str, limit: float, value: float) -> None:
    if not value <= limit:  # NaN is above every limit
        raise RiskRefused(rule, limit, value)


@dataclass(frozen=True)
class MaxOrderNotional:
    """No single order above `limit` in money."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse when quantity x price is above the limit."""
        value = abs(situation.quantity) * situation.price
        _refuse_above("max_order_notional", self.limit, value)


@dataclass(frozen=True)
class MaxPositionNotional:
    """No position above `limit` in money; orders that shrink one always pass."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse when position, orders at work and this order are worth more than the limit."""
        _refuse_above("max_position_notional", self.limit, position_value(situation))


@dataclass(frozen=True)
class MaxPositionShare:
    """No position above `limit` as a share of equity (0..1); orders that shrink one pass."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse when the position would exceed its share of equity."""
        value = position_value(situation)
        _refuse_above("max_position_share", self.limit, _share(value, situation.equity))


@dataclass(frozen=True)
class MaxGrossExposure:
    """Long plus short at most `limit` times equity; orders that shrink a position pass."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse when all positions and entries together would exceed the multiple of equity."""
        if situation.growth:
            total = situation.gross_exposure + abs(situation.quantity) * situation.price
            _refuse_above("max_gross_exposure", self.limit, _share(total, situation.equity))


@dataclass(frozen=True)
class PriceCollar:
    """A limit or stop price at most `limit` (a fraction) away from the last close."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse a price that is far from the market, most likely a mistake."""
        last = situation.last_price
        distance = abs(situation.price - last) / last
        _refuse_above("price_collar_frac", self.limit, distance)


@dataclass(frozen=True)
class RestrictedSymbols:
    """Symbols that must not be traded."""

    symbols: frozenset[str]

    def __call__(self, situation: Situation) -> None:
        """Refuse a symbol on the list."""
        symbol = situation.order.symbol
        if symbol in self.symbols:
            raise RiskRefused("restricted_symbols", ",".join(sorted(self.symbols)), symbol)


@dataclass(frozen=True)
class MaxBarAge:
    """No order on a bar that ended more than `limit` seconds ago."""

    limit: float

    def __call__(self, situation: Situation) -> None:
        """Refuse when the symbol's last bar is stale."""
        _refuse_above("max_bar_age_s", self.limit, situation.now - situation.bar_at)


@dataclass
class MaxOrdersPerMinute:
    """At most `limit` orders in any 60 seconds: the end of a runaway loop."""

    limit: int
    _sent: deque[float] = field(default_factory=deque, init=False, repr=False)

    def __call__(self, situation: Situation) -> None:
        """Refuse the order that would be one too many; an order that passes is counted."""
        while self._sent and self._sent[0] <= situation.now - 60:
            self._sent.popleft()
        _refuse_above("max_orders_per_minute", self.limit, len(self._sent) + 1)
        self._sent.append(situation.now)


def _loss_frac(reference: float, equity: float) -> float:
    if reference > 0:
        return 1 - equity / reference
    return float("inf") if equity < reference else 0.0


@dataclass
class MaxDailyLoss:
    """Halt when equity fell more than `limit` (a fraction) below the day's first equity.

    The day is the exchange's in `zone`; the day's first equity is the last one of the day before.
    """

    limit: float
    zone: ZoneInfo = NEW_YORK
    _day: date | None = field(default=None, init=False, repr=False)
    _last: float = field(default=0.0, init=False, repr=False)
    _opening: float = field(default=0.0, init=False, repr=False)

    def __call__(self, equity: float, now: float) -> None:
        """Take note of the equity; refuse when today's loss is above the limit."""
        day = datetime.fromtimestamp(now, self.zone).date()
        if day != self._day:
            self._opening = self._last if self._day else equity
            self._day = day
        self._last = equity
        _refuse_above("max_daily_loss_frac", self.limit, _loss_frac(self._opening, equity))


@dataclass
class MaxDrawdown:
    """Halt when equity fell more than `limit` (a fraction) below its highest value so far."""

    limit: float
    _peak: float = field(default=0.0, init=False, repr=False)

    def __call__(self, equity: float, now: float) -> None:  # noqa: ARG002
        """Take note of the equity; refuse when the drawdown is above the limit."""
        self._peak = max(self._peak, equity)
        _refuse_above("max_drawdown_frac", self.limit, _loss_frac(self._peak, equity))


@dataclass(frozen=True)
class RiskLimits:
    """Every limit by name; None leaves it out.

    Money is in the account's currency; `_frac` and `_share` are fractions (0..1);
    `max_gross_exposure` is a multiple of equity.

    Raises:
        ConfigError: a limit is not a positive finite number.
    """

    max_order_notional: float | None = None
    max_position_notional: float | None = None
    max_position_share: float | None = None
    max_gross_exposure: float | None = None
    price_collar_frac: float | None = None
    max_bar_age_s: float | None = None
    max_orders_per_minute: int | None = None
    max_daily_loss_frac: float | None = None
    max_drawdown_frac: float | None = None
    restricted_symbols: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, limit in self._numbers().items():
            if not (isinstance(limit, int | float) and isfinite(limit) and limit > 0):
                raise ConfigError(f"risk limit {name}={limit!r}: give a positive number")

    def rules(self) -> tuple[Rule, ...]:
        """Fresh order rules, the counting one last."""
        named = self._numbers()
        rules = [RULES[name](named[name]) for name in RULES if name in named]
        if self.restricted_symbols:
            rules.insert(0, RestrictedSymbols(frozenset(self.restricted_symbols)))
        return tuple(rules)

    def limits(self) -> tuple[AccountLimit, ...]:
        """Fresh account limits."""
        named = self._numbers()
        return tuple(LIMITS[name](named[name]) for name in LIMITS if name in named)

    def _numbers(self) -> dict[str, Any]:
        every = {name: getattr(self, name) for name in (*RULES, *LIMITS)}
        return {name: limit for name, limit in every.items() if limit is not None}


RULES: dict[str, Callable[[Any], Rule]] = {
    "max_order_notional": MaxOrderNotional,
    "max_position_notional": MaxPositionNotional,
    "max_position_share": MaxPositionShare,
    "max_gross_exposure": MaxGrossExposure,
    "price_collar_frac": PriceCollar,
    "max_bar_age_s": MaxBarAge,
    "max_orders_per_minute": MaxOrdersPerMinute,
}
LIMITS: dict[str, Callable[[Any], AccountLimit]] = {
    "max_daily_loss_frac": MaxDailyLoss,
    "max_drawdown_frac": MaxDrawdown,
}
