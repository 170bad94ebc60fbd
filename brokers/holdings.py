"""Cash and positions as BackBroker would have computed them from the same fills, bit for bit.

Only for assets that are paid for in full, as stocks are: no futures, no interest, no leverage.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import backtrader as bt

from brokers.translate import exact


class Execution(NamedTuple):
    """What a fill did, in the words and the order of ``bt.Order.execute``; units are signed."""

    closed: float
    closed_value: float
    closed_commission: float
    opened: float
    opened_value: float
    opened_commission: float
    margin: float | None
    pnl: float
    size_after: float
    price_after: float


class Holdings:
    """One account's cash and its positions by feed.

    Args:
        cash: before the first fill.
        comminfo_of: a feed's commission scheme.
    """

    def __init__(self, cash: float, comminfo_of: Callable[[Any], Any]) -> None:
        self.cash = cash
        self.positions: defaultdict[Any, bt.Position] = defaultdict(bt.Position)
        self._comminfo_of = comminfo_of
        self._units: defaultdict[Any, Decimal] = defaultdict(Decimal)
        self._splits: dict[Any, tuple[float, float]] = {}  # feed: when, and the price's factor

    def take_in(self, data: Any, quantity: Decimal, price: float) -> Execution:
        """Hold what was held before: it costs no cash."""
        self._units[data] = quantity
        self.positions[data].update(float(quantity), price)
        return self._execution(data, 0.0, self.positions[data].size, price, price, None)

    def split(self, data: Any, ratio: Decimal, at: float) -> None:
        """Restate a position, its price, and closes up to `at`: it is worth what it was.

        Args:
            ratio: units after the split for one before.
            at: as Backtrader's number.
        """
        self.hold(data, self._units[data] * ratio)
        self.positions[data].price /= float(ratio)
        self._splits[data] = (at, 1 / float(ratio))

    def hold(self, data: Any, quantity: Decimal) -> None:
        """Set the signed units of a position; its price stays."""
        self._units[data] = quantity
        self.positions[data].size = float(quantity)

    def fill(
        self,
        data: Any,
        quantity: Decimal,
        price: float,
        at: datetime,
        commission: Decimal | None = None,
    ) -> Execution:
        """Execute signed units.

        Args:
            at: naive UTC, as Backtrader keeps it.
            commission: what the venue charged; None for what the feed's scheme says.
        """
        position = self.positions[data]
        former_price = position.price
        self._units[data] += quantity
        _, _, opened, closed = position.update(float(quantity), price, at)
        position.size = float(self._units[data])  # parts of a unit add up to flat, exactly
        opened = position.size if opened and closed else opened
        done = self._execution(data, closed, opened, former_price, price, commission)
        self.cash += done.closed_value + done.pnl
        self.cash -= done.closed_commission
        self.cash -= done.opened_value
        self.cash -= done.opened_commission
        self._comminfo_of(data).confirmexec(float(quantity), price)
        return done

    def units(self, data: Any) -> float:
        """Signed units held; asking creates no position."""
        return float(self._units.get(data, 0))

    def value_of(self, data: Any) -> float:
        """A position at the last close, negative when short."""
        position = self.positions[data]
        return float(
            self._comminfo_of(data).getvaluesize(position.size, self._last(data, position))
        )

    def equity(self, datas: Iterable[Any] | None = None) -> float:
        """Cash and positions, by default all, at the last close."""
        total = 0.0
        for data in self.positions if datas is None else datas:
            position = self.positions[data]
            if not position.size:
                continue
            comminfo, last = self._comminfo_of(data), self._last(data, position)
            worth = float(comminfo.getvaluesize(position.size, last))
            if worth > 0:
                # BackBroker takes the gain out and adds it again, for the sake of leverage.
                gain = comminfo.profitandloss(position.size, position.price, last)
                total += worth - gain
                total += gain
            else:
                total += worth
        return float(self.cash + total)

    def _execution(
        self,
        data: Any,
        closed: float,
        opened: float,
        former_price: float,
        price: float,
        commission: Decimal | None,
    ) -> Execution:
        comminfo, position = self._comminfo_of(data), self.positions[data]
        closing = comminfo.getcommission(closed, price) if closed else 0.0
        opening = comminfo.getcommission(opened, price) if opened else 0.0
        if commission is not None and commission != exact(closing + opening):
            closing = float(commission) * (closed / (closed + opened))
            opening = float(commission) - closing
        return Execution(
            closed,
            comminfo.getvaluesize(-closed, former_price) if closed else 0.0,
            closing,
            opened,
            comminfo.getvaluesize(opened, price) if opened else 0.0,
            opening,
            comminfo.margin,
            comminfo.profitandloss(-closed, former_price, price),
            position.size,
            position.price,
        )

    def _last(self, data: Any, position: bt.Position) -> float:
        """The last close; before the first bar, what was paid."""
        closes = data.close
        if not len(closes):
            return float(position.price)
        close = float(closes[0])
        if self._splits and data in self._splits and data.datetime[0] <= self._splits[data][0]:
            close *= self._splits[data][1]
        return close
