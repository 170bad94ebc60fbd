"""A wanted position, and the way to it, as values."""

import math
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import backtrader as bt

Terms = tuple[float | None, ...]
NO_EXITS: Terms = (None, None)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A wanted position in one feed, and the terms on which it may be reached.

    Args:
        data: the feed.
        size: in stakes, negative for short. A stake is what the strategy's sizer answers (1 unit by
            default); it is asked when a position is opened and holds until that is closed.
        weight: instead of `size`: share of the account's equity, 0.25 for a quarter, negative for
            short; rounded towards zero to whole units, or to a multiple of `lot`.
        reason: why, for the decision log; with the numbers that decided.
        limit: price of a limit order; None for a market order.
        take_profit: price of a limit order that closes the position again.
        stop_loss: price of a stop order that closes the position again.
        lot: step of the units that a weight comes to, 0.001 for parts of a share; None for whole
            units. Venues take parts in market orders to buy, and to sell what is held: short, with
            a limit or with exits a weight comes to whole units all the same.

    Raises:
        ValueError: not exactly one of size and weight, a number that is not finite, or a lot that
            is not in (0, 1].
    """

    data: bt.DataBase
    size: float | None = None
    weight: float | None = None
    reason: str = ""
    limit: float | None = None
    take_profit: float | None = None
    stop_loss: float | None = None
    lot: float | None = None

    def __post_init__(self) -> None:
        if (self.size is None) == (self.weight is None):
            raise ValueError(f"the target for {feed_name(self.data)} needs a size or a weight")
        names = ("size", "weight", "limit", "take_profit", "stop_loss")
        for name, number in zip(names, self.terms, strict=True):
            if number is not None and not math.isfinite(number):
                raise ValueError(f"the target for {feed_name(self.data)} has {name} {number}")
        if self.lot is not None and not 0 < self.lot <= 1:
            raise ValueError(f"the target for {feed_name(self.data)} has lot {self.lot}")

    @property
    def terms(self) -> Terms:
        """Everything that its orders are made of."""
        return (self.size, self.weight, self.limit, *self.exits)

    @property
    def effective_lot(self) -> float:
        """What the units that its weight comes to are a multiple of."""
        is_plain = self.limit is None and self.exits == NO_EXITS
        return self.lot if self.lot and is_plain and (self.weight or 0.0) > 0 else 1.0

    @property
    def exits(self) -> Terms:
        """Take-profit and stop-loss price; `NO_EXITS` when there is neither."""
        return (self.take_profit, self.stop_loss)


@dataclass(slots=True)
class Working:
    """What was sent last for one feed."""

    terms: Terms = ()
    exit_terms: Terms = NO_EXITS
    entry: bt.Order | None = None
    exits: list[bt.Order] = field(default_factory=list)
    is_closing_first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A change of position, in units."""

    want: Target
    held: float
    wanted: float

    @property
    def gap(self) -> float:
        """Units to buy, negative to sell."""
        return self.wanted - self.held

    @property
    def is_reversal(self) -> bool:
        """From long to short, or back."""
        return self.held * self.wanted < 0

    @property
    def is_reduction(self) -> bool:
        """Some of what is held goes."""
        return abs(self.wanted) < abs(self.held) or self.is_reversal

    @property
    def kept(self) -> float:
        """What is held before and after, signed."""
        return min(self.held, self.wanted, key=abs) if self.held * self.wanted > 0 else 0.0


def feed_name(data: bt.DataBase) -> str:
    """The name that a feed was added under."""
    return str(data._name)


def units_of(lots: float, lot: float) -> float:
    """So many lots in units, without float noise.

    >>> units_of(3, 0.1)
    0.3
    """
    return float(Decimal(repr(lots)) * Decimal(repr(lot)))


def round_to_tick(price: float, tick: float, *, is_buy: bool) -> float:
    """The price on the grid of `tick` that is no worse than asked: buys down, sells up.

    So a limit never pays more or takes less than asked, and a stop never triggers later. What is
    off the grid by less than a millionth of a tick is float noise and goes to the nearest.

    >>> round_to_tick(41.237, 0.05, is_buy=True), round_to_tick(41.237, 0.05, is_buy=False)
    (41.2, 41.25)
    """
    step = Decimal(repr(tick))
    ticks = Decimal(repr(price)) / step
    nearest = ticks.to_integral_value()
    if abs(ticks - nearest) > Decimal("1e-6"):
        nearest = ticks.to_integral_value(ROUND_FLOOR if is_buy else ROUND_CEILING)
    return float(nearest * step)
