"""What the gateway says of orders, made into updates: told once each, fills with what they cost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from brokers.clock import Clock
from brokers.errors import Transient, Unknown, VenueRefused
from brokers.wire import ibkr_errors as codes
from brokers.wire.ibkr_book import Book, Entry
from brokers.wire.ibkr_line import LOST
from brokers.wire.ibkr_view import View
from brokers.wire.transport import OrderUpdate, Reconnected

COMMISSION_S = 1.0  # a commission that comes later than that is left to the session's own model
News = OrderUpdate | Reconnected | None  # None: the line is down


@dataclass(slots=True)
class Asked:
    """What was asked for an order and is not answered."""

    answer: asyncio.Future[None]
    kind: str  # "place", "modify" or "cancel"
    ref: str = ""  # after a modification
    terms: tuple[float, ...] = ()


class Updates:
    """Hears the line, keeps the book, and puts out what is news.

    Args:
        account: executions of others are not ours.
    """

    def __init__(
        self, book: Book, clock: Clock, client_id: int, account: Callable[[], str]
    ) -> None:
        self.news: asyncio.Queue[News] = asyncio.Queue()
        self.link_is_down = ""
        self.told = 0  # updates put out
        self._book = book
        self._view = View(book)
        self._clock = clock
        self._client_id = client_id
        self._account = account
        self._asked: dict[Entry, Asked] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._meanings: dict[str, Callable[..., None]] = {
            "openOrder": self._open_order,
            "orderStatus": self._order_status,
            "completedOrder": self._completed_order,
            "execDetails": self._execution,
            "commissionReport": self._commission,
            "error": self._error,
            LOST: self._lost,
        }

    def hear(self, name: str, args: tuple[Any, ...]) -> None:
        """Take one message in."""
        if meaning := self._meanings.get(name):
            meaning(*args)

    def ask(self, entry: Entry, kind: str, ref: str = "", terms: tuple[float, ...] = ()) -> Asked:
        """Note that something is about to be asked for an order."""
        asked = Asked(asyncio.get_running_loop().create_future(), kind, ref, terms)
        self._asked[entry] = asked
        return asked

    def asked(self, entry: Entry) -> Asked | None:
        """What was asked for an order and is not answered; None: nothing."""
        return self._asked.get(entry)

    def drop(self, entry: Entry) -> None:
        """Wait for no answer any more."""
        self._asked.pop(entry, None)

    def tell(self, entry: Entry) -> None:
        """Put out how an order is, if that is news."""
        if not entry.perm_id or ((asked := self._asked.get(entry)) and asked.kind == "place"):
            return
        shown = self._view.shown(entry)
        if shown != entry.told:
            entry.told = shown
            self._put(OrderUpdate(shown))

    def close(self) -> None:
        """Wait for no commission any more."""
        for task in self._late:
            task.cancel()

    def _put(self, update: OrderUpdate) -> None:
        self.told += 1
        self.news.put_nowait(update)

    def _open_order(self, _number: int, contract: Any, order: Any, state: Any) -> None:
        entry = self._book.open_order(contract, order, state)
        asked = self._asked.get(entry)
        if asked and asked.kind == "modify" and terms_of(order) == asked.terms:
            if asked.ref not in entry.refs:
                self._book.rename(entry, asked.ref)
            self._put(OrderUpdate(self._view.shown(entry, entry.refs[-2])))
            self._answer(entry)
        elif asked and asked.kind == "place":
            self._answer(entry)
        self.tell(entry)

    def _order_status(
        self,
        order_id: int,
        status: str,
        filled: float,
        _remaining: float,
        average: float,
        perm_id: int,
        _parent_id: int,
        _last: float,
        client_id: int,
        *_: Any,
    ) -> None:
        key = (client_id, order_id)
        entry = self._book.order_status(perm_id, status, filled, average, key)
        if entry is None:
            return
        asked = self._asked.get(entry)
        if asked and asked.kind == "place":
            self._answer(entry)
        if asked and asked.kind == "cancel" and (entry.is_over or status == "PendingCancel"):
            self._answer(entry)
        self.tell(entry)

    def _completed_order(self, contract: Any, order: Any, state: Any) -> None:
        self.tell(self._book.completed_order(contract, order, state))

    def _execution(self, _number: int, contract: Any, told: Any) -> None:
        if self._account() and told.acctNumber != self._account():
            return
        entry, execution_id = self._book.execution(contract, told)
        if entry is None or not execution_id:
            return
        task = asyncio.get_running_loop().create_task(self._in_time(entry, execution_id))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _in_time(self, entry: Entry, execution_id: str) -> None:
        await self._clock.wait(COMMISSION_S)
        self._tell_fill(entry, execution_id)

    def _commission(self, report: Any) -> None:
        paid = Decimal(repr(float(report.commission)))
        entry, execution_id = self._book.charge(report.execId, paid)
        if entry is not None:
            self._tell_fill(entry, execution_id)

    def _tell_fill(self, entry: Entry, execution_id: str) -> None:
        it = entry.executions[execution_id]
        if it.is_told:
            return
        it.is_told = True
        entry.told = shown = self._view.shown(entry)
        own = shown if it.ref == entry.ref else self._view.shown(entry, it.ref)
        self._put(OrderUpdate(own, it.fill))

    def _error(self, number: int, code: int, text: str, _json: str = "") -> None:
        if code in codes.LINK_LOST:
            self.link_is_down = text
        elif code in codes.LINK_BACK:
            self.link_is_down = ""
            self.news.put_nowait(Reconnected(self._clock.now()))
        entry = self._book.at(self._client_id, number) if number > 0 else None
        if entry is None or codes.is_warning(code):
            return
        asked = self._asked.get(entry)
        if asked is None:
            self._unasked(entry, code, text)
        elif asked.kind == "cancel":
            self._cancel_answered(entry, code, text)
        else:
            self._answer(entry, _verdict(code, text, entry.ref))

    def _unasked(self, entry: Entry, code: int, text: str) -> None:
        """An error about an order that was at work, long after it was placed."""
        if code in codes.ENDS_ORDER and not entry.is_filled:
            entry.reject(text, self._clock.now())
        elif code == codes.CANCELED and not entry.is_over:
            entry.end(text, self._clock.now())
        self.tell(entry)

    def _cancel_answered(self, entry: Entry, code: int, text: str) -> None:
        if code == codes.CANCELED:
            entry.end("", self._clock.now())
        elif code in codes.NOT_CANCELLED:
            self._answer(entry, VenueRefused(str(code), text))
            return
        elif code == codes.NOT_FOUND:
            self._answer(entry, Missing(text))
            return
        self._answer(entry)
        self.tell(entry)

    def _answer(self, entry: Entry, error: Exception | None = None) -> None:
        asked = self._asked.pop(entry, None)
        if asked is None or asked.answer.done():
            return
        if error is None:
            asked.answer.set_result(None)
        else:
            asked.answer.set_exception(error)

    def _lost(self) -> None:
        self.link_is_down = ""
        for entry, asked in tuple(self._asked.items()):
            lost: Exception = Transient("the connection to IB Gateway broke")
            if asked.kind != "cancel":
                lost = Unknown(str(lost), asked.ref or entry.ref)
            self._answer(entry, lost)
        self.news.put_nowait(None)


class Missing(Exception):
    """The gateway does not know the order that is to be cancelled."""


def terms_of(order: Any) -> tuple[float, ...]:
    """What a modification may change of an ib_async order."""
    prices = (order.lmtPrice, order.auxPrice, order.trailingPercent)
    return (float(order.totalQuantity), *(float(price) for price in prices))


def _verdict(code: int, text: str, ref: str) -> Exception:
    if code == codes.DUPLICATE_ORDER_ID:
        return Taken(text)
    if codes.is_verdict(code):
        return VenueRefused(str(code), text)
    return Unknown(f"IB says {code}, {text}", ref)


class Taken(Transient):
    """The number was given before: surely not accepted, and to be sent under another one."""
