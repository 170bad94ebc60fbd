"""Cash and positions of the paper account, in floats and in BackBroker's order of additions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from brokers import fills
from brokers.fills import Bar, Commission, Execution, Position

FLAT = Position(0.0, 0.0)


class Prices(Protocol):
    """What the account wants of a bar; `fills.Bar` and `VenueBar` have it."""

    @property
    def open(self) -> float:
        """First price."""

    @property
    def high(self) -> float:
        """Highest price."""

    @property
    def low(self) -> float:
        """Lowest price."""

    @property
    def close(self) -> float:
        """Last price."""


class Seen(NamedTuple):
    """The newest bar of one symbol and the instant at which it ended."""

    at: datetime
    bar: Bar


class Ledger:
    """What the account holds and what it is worth.

    Args:
        symbols: the order in which positions are summed; others follow as they come. With three
            positions or more it decides about the last bit of the value.
    """

    def __init__(self, cash: float, commission: Commission, symbols: Sequence[str] = ()) -> None:
        self.cash = cash
        self.value = cash
        self.commission = commission
        self._positions: dict[str, Position] = dict.fromkeys(symbols, FLAT)
        self._seen: dict[str, Seen] = {}

    @property
    def positions(self) -> Mapping[str, Position]:
        """By symbol, flat ones among them."""
        return self._positions

    @property
    def closes(self) -> Mapping[str, float]:
        """The last price of each symbol that has one."""
        return {symbol: seen.bar.close for symbol, seen in self._seen.items()}

    def position(self, symbol: str) -> Position:
        """What is held of it; flat when nothing is known."""
        return self._positions.get(symbol, FLAT)

    def seen(self, symbol: str) -> Seen | None:
        """Its newest bar; None before the first."""
        return self._seen.get(symbol)

    def newest(self, symbol: str) -> Seen:
        """Its newest bar, where there surely is one."""
        return self._seen[symbol]

    def see(self, at: datetime, bars: Mapping[str, Prices]) -> None:
        """Take the bars that ended at `at`."""
        for symbol, bar in bars.items():
            self._positions.setdefault(symbol, FLAT)
            self._seen[symbol] = Seen(at, Bar(bar.open, bar.high, bar.low, bar.close))

    def split(self, symbol: str, ratio: float) -> None:
        """Hold `ratio` units for each one, each worth so much less; the value stays."""
        held = self.position(symbol)
        self._positions[symbol] = Position(held.size * ratio, held.price / ratio)
        if (seen := self._seen.get(symbol)) is not None:
            self._seen[symbol] = Seen(seen.at, Bar(*(price / ratio for price in seen.bar)))

    def execute(self, symbol: str, size: float, price: float, credit: float) -> Execution:
        """Fill `size` (signed) at `price` as far as cash and `credit` reach."""
        held = self.position(symbol)
        done = fills.execute(self.cash + credit, held, size, price, self.commission)
        self.cash = done.cash - credit
        self._positions[symbol] = done.position
        return done

    def revalue(self) -> None:
        """Mark every position at its last close; `value` holds until the next time."""
        worth = 0.0
        for symbol, position in self._positions.items():
            if position.size == 0.0:
                continue
            close = self._seen[symbol].bar.close
            value = position.size * close
            if value > 0.0:  # BackBroker takes the profit out and puts it back
                profit = position.size * (close - position.price)
                worth += value - profit
                worth += profit
            else:
                worth += value
        self.value = self.cash + worth
