"""Orders and executions as the gateway told of them, by permId.

Pure and synchronous. Fills are counted from executions, each once by its execId; of orderStatus,
which comes doubled, late or not at all, the cumulative quantity says whether one is on its way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.orders import Side
from brokers.wire.ibkr_orders import UNSET, unchained
from brokers.wire.transport import VenueFill, VenueOrder

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell", "BOT": "buy", "SLD": "sell"}
OVER = ("Cancelled", "ApiCancelled")
NONE = Decimal(0)


@dataclass(slots=True)
class Execution:
    """One execution; `ref` is the name that its order had then."""

    fill: VenueFill
    ref: str
    is_told: bool = False


@dataclass(slots=True, eq=False)
class Entry:
    """One order at IB through all its modifications.

    Args:
        order: ib_async's, with its terms as they were last confirmed.
        refs: our names for it, the present one last.
        word: IB's for its state.
        filled: as orderStatus has it, cumulative.
        told: how we last told of it.
    """

    order: Any
    contract: Any
    refs: list[str]
    updated_at: datetime
    order_id: int = 0
    client_id: int = 0
    perm_id: int = 0
    parent_id: int = 0
    parent_perm_id: int = 0
    word: str = "PendingSubmit"
    filled: Decimal = NONE
    average: Decimal = NONE
    reason: str = ""
    is_rejected: bool = False
    executions: dict[str, Execution] = field(default_factory=dict)
    told: VenueOrder | None = None

    @property
    def ref(self) -> str:
        """Our name for it now."""
        return self.refs[-1]

    @property
    def executed(self) -> Decimal:
        """Units of the executions that we know of."""
        return sum((it.fill.quantity for it in self.executions.values()), NONE)

    @property
    def quantity(self) -> Decimal:
        """Units asked for in all."""
        return number(self.order.totalQuantity)

    def say(self, word: str, at: datetime) -> None:
        """Take IB's word for its state over, unless it has ended."""
        if word and word != self.word and not self.is_over:
            self.word, self.updated_at = word, at

    def end(self, reason: str, at: datetime) -> None:
        """Note that it is no longer at work."""
        self.reason = self.reason or reason
        self.say("Cancelled", at)

    def reject(self, reason: str, at: datetime) -> None:
        """Note that it has been refused after it was at work."""
        self.is_rejected, self.reason, self.updated_at = True, reason, at

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.is_rejected or self.word in (*OVER, "Filled") or self.is_filled

    @property
    def is_filled(self) -> bool:
        """Whether executions make it whole."""
        return 0 < self.quantity <= self.executed

    def venue_id(self, ref: str) -> str:
        """The id of the venue's order that has worked under a name."""
        return f"{self.perm_id}/{ref}"


class Book:
    """Every order that the gateway told of.

    Args:
        now: when something is heard.
        symbol: what we call one of IB's contracts.
    """

    def __init__(self, now: Callable[[], datetime], symbol: Callable[[Any], str]) -> None:
        self._now = now
        self.symbol = symbol
        self.entries: list[Entry] = []
        self._by_perm_id: dict[int, Entry] = {}
        self._by_key: dict[tuple[int, int], Entry] = {}
        self._by_ref: dict[str, Entry] = {}
        self._by_execution: dict[str, Entry] = {}
        self.early: dict[int, dict[str, Execution]] = {}  # of orders not told of yet, by permId

    def place(self, entry: Entry) -> None:
        """Note an order that is about to be placed; its permId is not known."""
        self._add(entry)
        self._by_key[entry.client_id, entry.order_id] = entry

    def forget(self, entry: Entry) -> None:
        """Drop an order that was refused."""
        self.entries.remove(entry)
        self._by_key.pop((entry.client_id, entry.order_id), None)
        self._by_perm_id.pop(entry.perm_id, None)
        for ref in entry.refs:
            self._by_ref.pop(ref, None)

    def find(self, ref: str) -> Entry | None:
        """The order that has, or had, this name."""
        return self._by_ref.get(ref)

    def known(self, venue_order_id: str) -> Entry | None:
        """The order with this id of the venue's."""
        perm_id = venue_order_id.partition("/")[0]
        return self._by_perm_id.get(int(perm_id)) if perm_id.isdigit() else None

    def at(self, client_id: int, order_id: int) -> Entry | None:
        """The order that a client placed under a number."""
        return self._by_key.get((client_id, order_id))

    def open_order(self, contract: Any, order: Any, state: Any) -> Entry:
        """Take an openOrder in."""
        entry = self._by_key.get((order.clientId, order.orderId))
        if entry is not None and entry.perm_id not in (0, order.permId):
            entry = None  # the number is used again, after a restart of the gateway
        entry = self._by_perm_id.get(order.permId) or entry or self._strange(contract, order)
        self._know(entry, order.permId)
        if order.orderId > 0:
            entry.order_id, entry.client_id = order.orderId, order.clientId
            self._by_key[order.clientId, order.orderId] = entry
            entry.parent_id = order.parentId
        entry.order = order
        self._name(entry, order.orderRef)
        entry.say(state.status, self._now())
        return entry

    def completed_order(self, contract: Any, order: Any, state: Any) -> Entry:
        """Take a completedOrder in; it has no number and no client."""
        entry = self._by_perm_id.get(order.permId)
        if entry is None:
            entry = self._strange(contract, order)
            entry.updated_at = _completed_at(state.completedTime) or self._now()
            entry.word = state.status
        self._know(entry, order.permId)
        entry.parent_perm_id = order.parentPermId if order.parentPermId < UNSET else 0
        if order.filledQuantity < UNSET:
            entry.filled = max(entry.filled, number(order.filledQuantity))
        entry.say(state.status, self._now())
        return entry

    def order_status(
        self, perm_id: int, status: str, filled: float, average: float, key: tuple[int, int]
    ) -> Entry | None:
        """Take an orderStatus in; None: it is about no order that was told of."""
        entry = self._by_perm_id.get(perm_id) or self._by_key.get(key)
        if entry is None or entry.perm_id not in (0, perm_id):
            return None
        self._know(entry, perm_id)
        entry.filled = max(entry.filled, number(filled))
        entry.average = number(average)
        entry.say(status, self._now())
        return entry

    def execution(self, contract: Any, told: Any) -> tuple[Entry | None, str]:
        """Take an execution in; gives its order and its id, which is empty when it is known."""
        prefix = told.execId.rpartition(".")[0] or told.execId  # corrections count its end up
        entry = self._by_perm_id.get(told.permId) or self._just_placed(told)
        if entry is not None and not entry.order_id and told.orderId > 0:
            # A filled entry comes back without the number by which its legs call it.
            entry.order_id, entry.client_id = told.orderId, told.clientId
            self._by_key.setdefault((told.clientId, told.orderId), entry)
        home = entry.executions if entry else self.early.setdefault(told.permId, {})
        if prefix in home:
            return entry, ""
        ref = unchained(told.orderRef)[-1]
        fill = VenueFill(
            execution_id=prefix,
            venue_order_id=f"{told.permId}/{ref}",
            symbol=self.symbol(contract),
            side=SIDES[told.side],
            quantity=number(told.shares),
            price=number(told.price),
            filled_at=told.time,
        )
        home[prefix] = Execution(fill, ref)
        if entry is not None:
            self._by_execution[prefix] = entry
            entry.updated_at = self._now()
        return entry, prefix

    def charge(self, exec_id: str, commission: Decimal) -> tuple[Entry | None, str]:
        """Take a commission in; gives the order and the execution's id, empty when unknown."""
        prefix = exec_id.rpartition(".")[0] or exec_id
        if entry := self._by_execution.get(prefix):
            known = entry.executions[prefix]
            known.fill = _charged(known.fill, commission)
            return entry, prefix
        for executions in self.early.values():
            if it := executions.get(prefix):
                it.fill = _charged(it.fill, commission)
        return None, ""

    def rename(self, entry: Entry, ref: str) -> None:
        """Note that an order works on under another name, of which the gateway says nothing."""
        entry.refs.append(ref)
        self._by_ref[ref] = entry
        entry.updated_at = self._now()

    def highest_order_id(self, client_id: int) -> int:
        """The highest number that this client is known to have given; 0: none."""
        return max((number for client, number in self._by_key if client == client_id), default=0)

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        for ref in entry.refs:
            self._by_ref[ref] = entry

    def _strange(self, contract: Any, order: Any) -> Entry:
        """An order of an earlier session, of another client, or placed by hand."""
        refs = unchained(order.orderRef)
        entry = Entry(order, contract, refs, self._now())
        self._add(entry)
        return entry

    def _just_placed(self, told: Any) -> Entry | None:
        """The order of an execution that comes before any other word of it."""
        entry = self._by_key.get((told.clientId, told.orderId))
        if entry is None or entry.perm_id or entry.ref != unchained(told.orderRef)[-1]:
            return None
        self._know(entry, told.permId)
        return entry

    def _know(self, entry: Entry, perm_id: int) -> None:
        entry.perm_id = perm_id
        self._by_perm_id[perm_id] = entry
        early = self.early.pop(perm_id, {})
        entry.executions |= early
        self._by_execution |= dict.fromkeys(early, entry)

    def _name(self, entry: Entry, order_ref: str) -> None:
        """Take over a name that it has been given, and one before that which we do not know."""
        told = unchained(order_ref)
        if told[-1] not in entry.refs:
            known = entry.refs if told[0] in entry.refs else told[:-1]
            entry.refs = [*known, told[-1]]
            entry.updated_at = self._now()
            self._by_ref |= dict.fromkeys(entry.refs, entry)


def number(value: float) -> Decimal:
    """A number of ib_async's, to its last digit; whole ones without a point."""
    exact = Decimal(repr(float(value)))
    return exact.to_integral_value() if exact == exact.to_integral_value() else exact


def _charged(fill: VenueFill, commission: Decimal) -> VenueFill:
    return replace(fill, commission=commission)


def _completed_at(text: str) -> datetime | None:
    """An instant such as ``20240304 10:15:00 US/Eastern``; None when it cannot be read."""
    from ib_async.util import parseIBDatetime  # noqa: PLC0415  an extra

    try:
        at = parseIBDatetime(text) if text else None
    except (ValueError, KeyError):
        return None
    return at.astimezone(UTC) if isinstance(at, datetime) else None
