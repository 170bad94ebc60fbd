"""Stock splits applied to what is held, when the first bar or fill after them comes."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import backtrader as bt

from brokers.facts import Restated, Split
from brokers.holdings import Holdings


class Restatement(NamedTuple):
    """A split that took effect on a feed's position.

    Args:
        ratio: units after it for one before.
        at: of the effect, as Backtrader's number: fills after it are in new units.
    """

    data: Any
    ratio: float
    at: float


class Splits:
    """Splits that are known and have not taken effect, by symbol.

    A position is restated in the same turn as its first bar at the new price, so that its worth
    never jumps; a fill at the new price brings it forward, and then the last close is restated too.

    Args:
        trades: the open trades of a feed, of all strategies.
    """

    def __init__(self, holdings: Holdings, trades: Callable[[Any], Iterable[bt.Trade]]) -> None:
        self.done: list[Restatement] = []
        self._holdings = holdings
        self._trades = trades
        self._expected: dict[str, Split] = {}

    def expect(self, split: Split) -> None:
        """Take note of a split that is to come."""
        self._expected[split.symbol] = split

    def after_bars(self, feeds: Mapping[str, Any]) -> None:
        """Restate the positions of feeds whose newest bar is one after their split."""
        for name, split in list(self._expected.items()):
            if name in feeds and len(feeds[name]) and feeds[name].datetime[0] > _num(split.ex_at):
                self._restate(feeds[name], split)

    def before_fill(self, symbol: str, data: Any, at: datetime) -> None:
        """Restate a position that is about to be filled at a price after its split."""
        split = self._expected.get(symbol)
        if split is not None and at > split.ex_at:
            self._restate(data, split)

    def settle(self, fact: Restated, data: Any) -> None:
        """Hold what the venue holds after a split: it may have paid a fraction out."""
        if (split := self._expected.get(fact.symbol)) is not None:
            self._restate(data, split)
        self._holdings.hold(data, fact.quantity)

    def _restate(self, data: Any, split: Split) -> None:
        del self._expected[split.symbol]
        ratio, at = float(split.ratio), _num(split.ex_at)
        self._holdings.split(data, split.ratio, at)
        for trade in self._trades(data):
            trade.size *= ratio
            trade.price /= ratio
        self.done.append(Restatement(data, ratio, at))


def _num(at: datetime) -> float:
    """An instant as Backtrader's number."""
    return float(bt.date2num(at.astimezone(UTC).replace(tzinfo=None)))
