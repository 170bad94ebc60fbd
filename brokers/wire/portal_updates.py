"""What the Client Portal says of orders and trades, made into updates: told once each."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from brokers.errors import Transient
from brokers.wire.portal_book import Execution, PortalBook, PortalEntry
from brokers.wire.portal_view import PortalView
from brokers.wire.portal_words import UNREADABLE, Row
from brokers.wire.transport import OrderUpdate, Reconnected

News = OrderUpdate | Reconnected | BaseException | None  # None: the websocket is to be opened


class PortalUpdates:
    """Takes rows in, keeps the book, and puts out what is news.

    Args:
        account: rows of others are not ours.
    """

    def __init__(self, book: PortalBook) -> None:
        self.news: asyncio.Queue[News] = asyncio.Queue()
        self.account = ""
        self.told = 0  # updates put out
        self._book = book
        self._view = PortalView(book)
        self._placing: set[str] = set()

    @contextmanager
    def placing(self, refs: Iterable[str]) -> Iterator[None]:
        """Tell nothing of these orders: whoever places them is about to hear it as the answer."""
        names = set(refs)
        self._placing |= names
        try:
            yield
        finally:
            self._placing -= names

    def orders(self, rows: Sequence[Row]) -> bool:
        """Take rows about orders in; False: one was about an order that is not known.

        Raises:
            Transient: a row cannot be read.
        """
        entries = [self._order(row) for row in rows if self._is_ours(row)]
        for entry in entries:
            if entry is not None:
                self.tell(entry)
        return None not in entries

    def trades(self, rows: Sequence[Row]) -> None:
        """Take executions in.

        Raises:
            Transient: a row cannot be read.
        """
        for row in rows:
            if not self._is_ours(row):
                continue
            try:
                entry, execution = self._book.trade(row)
            except UNREADABLE as error:
                raise Transient(f"a trade of IBKR's cannot be read: {error!r}") from None
            if entry is not None and execution is not None:
                self._tell_fill(entry, execution)

    def tell(self, entry: PortalEntry) -> None:
        """Put out how an order is, if that is news; its executions first."""
        if entry.ref in self._placing:
            return
        for execution in entry.executions.values():
            if not execution.is_told:
                self._tell_fill(entry, execution)
        shown = self._view.shown(entry)
        if shown != entry.told:
            entry.told = shown
            self.put(OrderUpdate(shown))

    def put(self, update: OrderUpdate) -> None:
        """Put an update out."""
        self.told += 1
        self.news.put_nowait(update)

    def _order(self, row: Row) -> PortalEntry | None:
        try:
            return self._book.order(row)
        except UNREADABLE as error:
            raise Transient(f"an order of IBKR's cannot be read: {error!r}") from None

    def _tell_fill(self, entry: PortalEntry, execution: Execution) -> None:
        if entry.ref in self._placing:
            return
        execution.is_told = True
        entry.told = shown = self._view.shown(entry)
        ref = execution.trade.ref
        own = shown if ref == entry.ref else self._view.shown(entry, ref)
        self.put(OrderUpdate(own, execution.trade.fill))

    def _is_ours(self, row: Row) -> bool:
        told = row.get("acct") or row.get("account") or row.get("accountCode")
        return not told or not self.account or told == self.account
