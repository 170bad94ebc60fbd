"""What of an account's positions is one strategy's own, where several trade in one account."""

from collections import defaultdict
from itertools import islice, takewhile
from math import inf
from typing import Any

import backtrader as bt


class Share:
    """The session's broker as one strategy sees it: its positions are those that it traded.

    Cash, value and everything else are the account's.

    Args:
        broker: the guard round the session's broker.
        held: what the account held before, if it is this strategy's.
    """

    def __init__(self, broker: Any, held: dict[Any, bt.Position] | None = None) -> None:
        self._broker = broker
        self._positions: defaultdict[Any, bt.Position] = defaultdict(bt.Position, held or {})
        self._orders: dict[int, tuple[Any, int]] = {}  # those at work, and their fills so far
        self._restated = len(broker.restatements)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_broker"], name)

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Place a buy, and remember whose it is."""
        return self._keep(self._broker.buy(owner, data, size, **how))

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        """Place a sell, and remember whose it is."""
        return self._keep(self._broker.sell(owner, data, size, **how))

    @property
    def positions(self) -> defaultdict[Any, bt.Position]:
        """Units that this strategy traded, and their average price, by feed."""
        for data, ratio, at in self._broker.restatements[self._restated :]:
            self._take_fills(at)
            self._positions[data].size *= ratio
            self._positions[data].price /= ratio
            self._restated += 1
        self._take_fills(inf)
        return self._positions

    def _take_fills(self, until: float) -> None:
        """Count the fills that are new, up to an instant in Backtrader's number."""
        for ref, (order, seen) in list(self._orders.items()):
            fresh = islice(order.executed.exbits, seen, None)
            bits = list(takewhile(lambda bit: bit.dt <= until, fresh))
            for bit in bits:
                self._positions[order.data].update(bit.size, bit.price)
            self._orders[ref] = (order, seen + len(bits))
            if not order.alive() and until == inf:
                del self._orders[ref]

    def getposition(self, data: Any) -> bt.Position:
        """Units that this strategy traded of one feed, and their average price."""
        return self.positions[data]

    def _keep(self, order: Any) -> Any:
        self._orders[order.ref] = (order, 0)
        return order
