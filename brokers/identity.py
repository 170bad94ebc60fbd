"""Client order ids that a retry, a restart or a replay finds again."""

import re
from hashlib import sha256
from typing import Any

from brokers.translate import Family, Request, symbol

ID_LENGTH = 20


class OrderIds:
    """Derives an order's id from the decision behind it, and remembers it by reference.

    The id is a hash of the session, the strategy and its parameters, the symbol, the bar's time
    and the how-manieth order it is of these; so the same run gives the same ids. An order born of
    a notification is counted by itself, with the id of the order that was told of: the orders of
    the bar have the same ids whether its fills came before them or after.
    """

    def __init__(self, session_id: str) -> None:
        self.known: dict[int, str] = {}
        self._session_id = session_id
        self._strategies: dict[int, str] = {}
        self._last: dict[str, tuple[float, int]] = {}  # bar time and orders on it so far
        self._told_of = ""

    def new(self, request: Request) -> str:
        """The id of the family that this request begins."""
        owner = id(request.owner)
        if owner not in self._strategies:
            self._strategies[owner] = strategy_text(request.owner)
        origin = f"{self._session_id}|{self._strategies[owner]}|{symbol(request.data)}"
        if self._told_of:
            origin = f"{origin}|{self._told_of}"
        bar_time = float(request.data.lines.datetime[0])
        last_time, ordinal = self._last.get(origin, (bar_time, 0))
        ordinal = ordinal + 1 if last_time == bar_time else 1
        self._last[origin] = (bar_time, ordinal)
        return sha256(f"{origin}|{bar_time!r}|{ordinal}".encode()).hexdigest()[:ID_LENGTH]

    def tell_of(self, order: Any) -> None:
        """Note the order that a strategy is told of from now on; None: of none any more."""
        self._told_of = self.of(order) or ""

    def of(self, order: Any) -> str | None:
        """The id of one of Backtrader's orders; None: there is none, or it is not from here."""
        return None if order is None else self.known.get(order.ref)

    def name(self, family: Family) -> None:
        """Remember the ids of all members of a family whose orders exist."""
        self.known.update(family.ids)


def strategy_text(strategy: Any) -> str:
    """A strategy's class and parameters, the same in every process."""
    params = sorted(strategy.p._getkwargs().items())
    return type(strategy).__name__ + ",".join(f"{name}={_plain(value)}" for name, value in params)


def _plain(value: Any) -> str:
    """Text without memory addresses, which differ from process to process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
