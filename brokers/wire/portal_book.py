"""Orders and executions as the Client Portal told of them; pure and synchronous.

Fills are counted from executions, each once by its id. Trades name their order by our own name for
it alone, so executions of an order that was not told of yet wait under that name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.orders import OrderType, Side
from brokers.wire import portal_words as words
from brokers.wire.portal_words import Row, Trade
from brokers.wire.transport import VenueOrder

NONE = Decimal(0)
OVER = ("Cancelled", "ApiCancelled", "Inactive", "Filled")


@dataclass(slots=True)
class Execution:
    """One execution, and whether it was told."""

    trade: Trade
    is_told: bool = False


@dataclass(slots=True, eq=False)
class PortalEntry:
    """One order at IBKR through all its modifications.

    Args:
        refs: our names for it, the present one last.
        body: what a modification has to repeat.
        word: IBKR's for its state.
        filled: as rows have it, cumulative.
        parent: number or name of the entry that it is a leg of.
        group: of orders that cancel each other.
        told: how we last told of it.
    """

    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    refs: list[str]
    updated_at: datetime
    body: dict[str, Any]
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    word: str = "PendingSubmit"
    filled: Decimal = NONE
    average: Decimal | None = None
    parent: str = ""
    group: str = ""
    reason: str = ""
    executions: dict[str, Execution] = field(default_factory=dict)
    told: VenueOrder | None = None

    @property
    def ref(self) -> str:
        """Our name for it now."""
        return self.refs[-1]

    @property
    def executed(self) -> Decimal:
        """Units of the executions that we know of."""
        return sum((it.trade.fill.quantity for it in self.executions.values()), NONE)

    @property
    def is_filled(self) -> bool:
        """Whether executions make it whole."""
        return 0 < self.quantity <= self.executed

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.word in OVER or self.is_filled

    def venue_id(self, ref: str) -> str:
        """The id of the venue's order that has worked under a name."""
        return f"{self.order_id}/{ref}"


class PortalBook:
    """Every order that the gateway told of.

    Args:
        now: when something is heard.
        symbol: what we call a contract, by its conid and IBKR's ticker.
    """

    def __init__(self, now: Callable[[], datetime], symbol: Callable[[Any, str], str]) -> None:
        self.entries: list[PortalEntry] = []
        self._now = now
        self._symbol = symbol
        self._by_id: dict[str, PortalEntry] = {}
        self._by_ref: dict[str, PortalEntry] = {}
        self._early: dict[str, dict[str, Execution]] = {}  # by name
        self._partial: dict[str, dict[str, Any]] = {}  # rows about orders not told of, by number

    def find(self, ref: str) -> PortalEntry | None:
        """The order that has, or had, this name."""
        return self._by_ref.get(ref)

    def known(self, venue_order_id: str) -> PortalEntry | None:
        """The order with this id or number of the venue's."""
        return self._by_id.get(venue_order_id.partition("/")[0])

    def early(self) -> list[Trade]:
        """Executions of orders that were not told of."""
        return [it.trade for home in self._early.values() for it in home.values()]

    def place(self, row: Row, body: Mapping[str, Any], *, group: str = "") -> PortalEntry:
        """Take in what the venue made of an order that was sent.

        Args:
            row: its answer.
            body: what was sent.
            group: name of the two exits that it is one of.
        """
        told = {
            "orderId": words.order_id(row),
            "order_ref": body["cOID"],
            "ticker": "",
            "conid": body["conid"],
            "side": body["side"],
            "totalSize": body["quantity"],
            "orderType": body["orderType"],
            "status": row.get("order_status") or "PendingSubmit",
            **{name: body[name] for name in ("price", "auxPrice") if name in body},
        }
        entry = self._by_id.get(told["orderId"]) or self._strange(told)
        entry.body = dict(body)
        entry.parent = entry.parent or str(body.get("parentId", ""))
        entry.group = group or entry.group
        self._apply(entry, self._partial.pop(entry.order_id, {}))
        return entry

    def refuse(self, body: Mapping[str, Any], reason: str, *, group: str = "") -> PortalEntry:
        """Take in that one of a family was refused, of which the venue says nothing later.

        Args:
            body: what was sent.
            group: see `place`.
        """
        row = {"order_id": f"refused-{body['cOID']}", "order_status": "Inactive"}
        entry = self.place(row, body, group=group)
        entry.reason = reason
        return entry

    def order(self, row: Row) -> PortalEntry | None:
        """Take in a row about an order; None: it is not known, and the row does not say enough."""
        number = words.order_id(row)
        entry = self._by_id.get(number)
        if entry is None:
            if not words.is_complete(row):
                self._partial.setdefault(number, {}).update(row)
                return None
            entry = self._strange({**self._partial.pop(number, {}), **row})
        self._apply(entry, row)
        return entry

    def trade(self, row: Row) -> tuple[PortalEntry | None, Execution | None]:
        """Take in an execution; its order, and itself where it is new or has its commission now."""
        told = words.trade(row, self._symbol(row.get("conid", 0), str(row.get("symbol", ""))))
        entry = self._by_ref.get(told.ref)
        home = self._early.setdefault(told.ref, {}) if entry is None else entry.executions
        if entry is not None:
            named = replace(told.fill, venue_order_id=entry.venue_id(told.ref))
            told = replace(told, fill=named)
        if known := home.get(told.fill.execution_id):
            if known.trade.fill.commission is None:
                known.trade = told
            return entry, None
        home[told.fill.execution_id] = new = Execution(told)
        if entry is not None:
            entry.updated_at = self._now()
        return entry, new

    def rename(self, entry: PortalEntry, ref: str, body: Mapping[str, Any]) -> None:
        """Note that an order works on under another name and with other terms."""
        if ref not in entry.refs:
            entry.refs.append(ref)
        self._by_ref[ref] = entry
        entry.body = dict(body)
        entry.quantity = words.exactly(body["quantity"])
        row = {name: body[name] for name in ("price", "auxPrice") if name in body}
        entry.limit_price, entry.stop_price = words.prices(row, entry.order_type)
        entry.updated_at = self._now()

    def _strange(self, row: Row) -> PortalEntry:
        """An order of an earlier session, placed by hand, or told of before its answer came."""
        kind = words.order_type(row)
        limit, stop = words.prices(row, kind)
        ended_at = row.get("lastExecutionTime_r")
        entry = PortalEntry(
            order_id=words.order_id(row),
            symbol=self._symbol(row["conid"], str(row["ticker"])),
            side=words.side(row),
            order_type=kind,
            quantity=words.exactly(row["totalSize"]),
            refs=words.names(row),
            updated_at=words.instant(ended_at) if ended_at else self._now(),
            body=words.body(row),
            limit_price=limit,
            stop_price=stop,
            word=str(row["status"]),
        )
        self.entries.append(entry)
        self._by_id[entry.order_id] = entry
        self._know(entry)
        return entry

    def _know(self, entry: PortalEntry) -> None:
        """Take over what waits under the names of an order."""
        for ref in entry.refs:
            self._by_ref[ref] = entry
            for number, execution in self._early.pop(ref, {}).items():
                fill = replace(execution.trade.fill, venue_order_id=entry.venue_id(ref))
                execution.trade = replace(execution.trade, fill=fill)
                entry.executions[number] = execution

    def _apply(self, entry: PortalEntry, row: Row) -> None:
        """Take over what a row says anew."""
        before = (entry.word, entry.filled, entry.quantity, entry.limit_price, entry.stop_price)
        told = words.names(row) if row.get("order_ref") else entry.refs
        if told[-1] not in entry.refs:
            ours = [ref for ref in entry.refs if ref != entry.order_id]
            entry.refs = ours + [ref for ref in told if ref not in ours]
            self._know(entry)
        if row.get("status") and not entry.is_over:
            entry.word = str(row["status"])
        entry.filled = max(entry.filled, words.amount(row.get("filledQuantity")) or NONE)
        entry.average = words.amount(row.get("avgPrice")) or entry.average
        entry.quantity = words.amount(row.get("totalSize")) or entry.quantity
        limit, stop = words.prices(row, entry.order_type)
        entry.limit_price, entry.stop_price = limit or entry.limit_price, stop or entry.stop_price
        entry.parent = str(row.get("parentId") or entry.parent)
        entry.group = entry.group or str(row.get("ocaGroupId") or "")
        entry.reason = words.reason(row) or entry.reason
        if before != (
            entry.word,
            entry.filled,
            entry.quantity,
            entry.limit_price,
            entry.stop_price,
        ):
            entry.updated_at = self._now()
