"""Orders, trades, positions and accounts taken apart into values that compare to the last bit."""

import datetime as dt
from collections import deque
from typing import Any

import backtrader as bt
from backtrader.metabase import AutoInfoClass
from backtrader.order import OrderBase, OrderData, OrderExecutionBit
from backtrader.position import Position
from backtrader.trade import Trade

PLAIN = (str, int, bool, bytes, type(None), dt.date, dt.timedelta, dt.time)
ACCOUNT = (
    "_value", "_valuemkt", "_valuelever", "_valuemktlever", "_leverage", "_unrealized", "_fundval",
    "_fundshares", "cash", "startingcash",
)  # fmt: skip


class Plain:
    """Takes things apart; references count from where they stood when this was made."""

    def __init__(self) -> None:
        self._orders = _next(bt.Order.refbasis)
        self._trades = _next(bt.Trade.refbasis)

    def of(self, it: Any) -> Any:
        """A thing by its value, another order by its reference, a feed by its name."""
        if isinstance(it, float):
            return it.hex()
        if isinstance(it, PLAIN):
            return it
        for kinds, take_apart in (
            (OrderBase, lambda: ("order", it.ref - self._orders, it.status)),
            ((OrderData, OrderExecutionBit, AutoInfoClass), lambda: self.members(it)),
            (dict, lambda: [(str(key), self.of(value)) for key, value in it.items()]),
            ((list, tuple, deque), lambda: [self.of(item) for item in it]),
            (bt.AbstractDataBase, lambda: ("feed", it._name)),
        ):
            if isinstance(it, kinds):
                return take_apart()
        return type(it).__name__

    def members(self, it: Any) -> Any:
        """Every attribute of an object, in the order in which they were set."""
        return [(name, self.of(value)) for name, value in vars(it).items()]

    def order(self, order: Any) -> Any:
        """Everything about an order."""
        known = [item for item in self.members(order) if item[0] not in ("ref", "p")]
        ref = ("parent", self.of(order.parent)), order.ref - self._orders
        pending = [bit.size for bit in order.executed.iterpending()]
        return [type(order).__name__, ref, known, pending, str(order.getstatusname())]

    def trade(self, trade: Trade) -> Any:
        """Everything about a trade, its history too."""
        known = [item for item in self.members(trade) if item[0] != "ref"]
        return [trade.ref - self._trades, known, bool(trade)]

    def position(self, position: Position) -> Any:
        """Everything about a position."""
        names = (
            "size",
            "price",
            "price_orig",
            "adjbase",
            "upopened",
            "upclosed",
            "updt",
            "datetime",
        )
        return [self.of(getattr(position, name, None)) for name in names]

    def account(self, broker: Any) -> Any:
        """Everything that the broker says of the account, public or not."""
        said = [
            broker.getcash(), broker.getvalue(), broker.get_value(mkt=True),
            broker.get_value(lever=True), broker.get_value(mkt=True, lever=True),
            broker.get_leverage(), broker.fundvalue, broker.fundshares,
        ]  # fmt: skip
        held = [(data._name, self.position(it)) for data, it in broker.positions.items()]
        return [self.of(said), held, [self.of(getattr(broker, name)) for name in ACCOUNT]]

    def book(self, broker: Any) -> Any:
        """Every order of the broker, open and done, and what it keeps of families and groups."""
        refs = self._orders
        families = {ref - refs: self.of(kin) for ref, kin in broker._pchildren.items()}
        groups = {ref - refs: [r - refs for r in kin] for ref, kin in broker._ocol.items()}
        waiting = [self.of(it) for it in (broker.pending, broker.submitted)]
        orders = [self.order(order) for order in broker.orders]
        credit = {data._name: self.of(paid) for data, paid in broker.d_credit.items() if paid}
        return [orders, waiting, families, groups, credit]


def _next(references: Any) -> int:
    """What a counter will give next; it prints as count(7)."""
    return int(repr(references).removeprefix("count(").removesuffix(")"))
