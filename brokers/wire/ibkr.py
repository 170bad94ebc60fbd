"""IBKR through the socket of IB Gateway, as a transport.

Orders are known by `orderRef`, which is our client_order_id, and by permId; numbers of orders
belong to one connection and may come again after the gateway's nightly restart. IB modifies an
order in place: what replaces one keeps its permId and carries both names in `orderRef`.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.clock import Clock
from brokers.errors import (
    DuplicateOrderId,
    Transient,
    TransportError,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema, Terms
from brokers.wire.clearance import cleared
from brokers.wire.http import within
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_book import Book, Entry, number
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.ibkr_line import Line
from brokers.wire.ibkr_orders import changed, family, words
from brokers.wire.ibkr_updates import Missing, Taken, Updates, terms_of
from brokers.wire.ibkr_upkeep import Upkeep
from brokers.wire.ibkr_view import View, is_ended, latest
from brokers.wire.steps import another_request
from brokers.wire.transport import (
    OrderUpdate,
    Reconnected,
    Replacement,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

if TYPE_CHECKING:
    from ib_async.contract import Contract

IDS_APART = 1000
TAGS = "NetLiquidation,TotalCashValue,BuyingPower"


class Ibkr:
    """One account at IBKR.

    Args:
        rng: seeded; draws the waits before the gateway is called again.
        timeout_s: how long an answer may take.
        quiet_s: silence after which the gateway is asked for its time.
        contracts: shared with the bars, which are asked for first: while the contract of one order
            is looked up another one would overtake it.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        clock: Clock,
        rng: random.Random,
        timeout_s: float = 10.0,
        quiet_s: float = 15.0,
        contracts: Contracts | None = None,
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._timeout_s = timeout_s
        self._quiet_s = quiet_s
        self._contracts = contracts or Contracts()
        self._book = Book(clock.now, self._contracts.symbol)
        self._view = View(self._book)
        self._updates = Updates(self._book, clock, gateway.client_id, lambda: gateway.account)
        self._line = Line(gateway, self._updates.hear, clock=clock, timeout_s=timeout_s)
        self._upkeep = Upkeep(
            gateway, self._line, self._book, self._updates, self._contracts, clock=clock, rng=rng
        )

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """See `Transport.submit`.

        Raises:
            SchemaRefused: IB has no such order, or several contracts of that symbol.
        """
        members = family(order)
        await cleared()
        self._upkeep.require_day()
        await self._upkeep.up()
        self._upkeep.require_link()
        for terms in members:
            self._require_new(terms.client_order_id)
        is_known = self._contracts.has(order.symbol)
        contract = await self._contracts.find(order.symbol, self._line)
        if not is_known:
            await another_request()
        entries = self._place(order, members, contract)
        try:
            await self._answered(entries, order.client_order_id)
        except BaseException as error:
            self._give_up(entries, is_refused=isinstance(error, VenueRefused | Transient))
            raise
        head = next(entry for entry in entries if entry.ref == order.client_order_id)
        shown = head.told = self._view.shown(head)
        return shown

    async def cancel(self, venue_order_id: str) -> None:
        """See `Transport.cancel`."""
        await self._upkeep.up()
        entry = self._book.known(venue_order_id)
        if entry is None or entry.is_over:
            return
        self._require_own(entry)
        asked = self._updates.ask(entry, "cancel")
        self._line.client.cancelOrder(entry.order_id, "")
        try:
            await within(self._clock, self._timeout_s, asked.answer)
        except TimeoutError:
            self._line.close()  # it would not answer what is asked next either
            raise Transient(f"{self._gateway.where} does not answer a cancel") from None
        except Missing as missing:
            await another_request()
            await self._look_again(entry, str(missing))
        finally:
            self._updates.drop(entry)

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        """See `Transport.replace`; IB changes the order in place."""
        self._upkeep.require_day()
        await self._upkeep.up()
        self._upkeep.require_link()
        self._require_new(client_order_id)
        entry = self._book.known(venue_order_id)
        if entry is None or entry.is_over:
            raise VenueRefused("104", f"order {venue_order_id} is not at work")
        self._require_own(entry)
        order = changed(entry.order, [*entry.refs, client_order_id], terms, entry.executed)
        asked = self._updates.ask(entry, "modify", client_order_id, terms_of(order))
        self._line.client.placeOrder(entry.order_id, entry.contract, order)
        try:
            await within(self._clock, self._timeout_s, asked.answer)
        except TimeoutError:
            self._line.close()
            text = f"{self._gateway.where} does not answer a modification"
            raise Unknown(text, client_order_id) from None
        finally:
            self._updates.drop(entry)
        return self._view.shown(entry, client_order_id)

    async def find(self, client_order_id: str) -> VenueOrder | None:
        """See `Transport.find`; IB is asked for all orders of the day."""
        await self._upkeep.up()
        await self._upkeep.read_orders()
        entry = self._book.find(client_order_id)
        if entry is None or not entry.perm_id:
            return None
        return self._view.shown(entry, client_order_id)

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        """See `Transport.orders_since`."""
        await self._upkeep.up()
        await self._upkeep.read_orders()
        found = [self._view.shown(entry) for entry in self._view.heads()]
        return [it for it in found if not is_ended(it) or latest(it) > since]

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        """See `Transport.fills_since`; IB tells those of the day, in whole seconds."""
        await self._upkeep.up()
        await self._upkeep.read_executions()
        second = since.replace(microsecond=0)
        return [fill for fill in self._view.fills() if fill.filled_at >= second]

    async def account(self) -> VenueAccount:
        """See `Transport.account`."""
        await self._upkeep.up()
        numbers: list[int] = []

        def send(client: Any, number: int) -> None:
            numbers.append(number)
            client.reqAccountSummary(number, "All", TAGS)

        rows = await self._line.ask(send, "accountSummaryEnd")
        self._line.client.cancelAccountSummary(numbers[0])
        found = {row[2]: row for row in rows if row[1] == self._account}
        if missing := sorted(set(TAGS.split(",")) - found.keys()):
            raise Transient(f"{self._gateway.where}: no {', '.join(missing)} of {self._account}")
        values = {tag: Decimal(row[3]) for tag, row in found.items()}
        return VenueAccount(
            account_id=self._account,
            cash=values["TotalCashValue"],
            equity=values["NetLiquidation"],
            buying_power=values["BuyingPower"],
            currency=found["NetLiquidation"][4],
            blocked=self._updates.link_is_down and f"no link to IB: {self._updates.link_is_down}",
        )

    async def positions(self) -> Sequence[VenuePosition]:
        """See `Transport.positions`; the average price of IB holds what was paid for trading."""
        await self._upkeep.up()
        rows = await self._line.ask(lambda client, _: client.reqPositions(), "positionEnd")
        self._line.client.cancelPositions()
        return [
            VenuePosition(self._contracts.symbol(contract), number(size), number(average))
            for account, contract, size, average in rows
            if account == self._account and size
        ]

    async def time(self) -> datetime:
        """What time it is at the gateway, in whole seconds."""
        await self._upkeep.up()
        (row,) = await self._line.ask(lambda client, _: client.reqCurrentTime(), "currentTime")
        return datetime.fromtimestamp(row[0], UTC)

    async def look_up(self, symbol: str) -> None:
        """Have the contract of a symbol.

        Raises:
            OrderRefused: there is none, or several.
        """
        await self._upkeep.up()
        await self._contracts.find(symbol, self._line)

    async def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """See `Transport.updates`.

        Raises:
            ConfigError: the client id is in use by another program.
        """
        tries = 0
        while True:
            try:
                await self._upkeep.up()
                tries = 0
                yield Reconnected(self._clock.now())
                while (news := await self._next()) is not None:
                    yield news
            except TransportError:
                self._line.close()
            tries += 1
            await self._clock.wait(self._upkeep.wait_s(tries))

    async def close(self) -> None:
        """See `Transport.close`."""
        self._updates.close()
        self._line.close()

    @property
    def heard(self) -> tuple[int, int]:
        """Messages of the present connection (-1: it is down), and updates made of all so far."""
        return self._line.heard, self._updates.told

    @property
    def _account(self) -> str:
        return self._gateway.account or self._line.accounts[0]

    async def _next(self) -> OrderUpdate | Reconnected | None:
        """What comes next; in silence the gateway has to say that it is there."""
        while True:
            try:
                return await within(self._clock, self._quiet_s, self._updates.news.get())
            except TimeoutError:
                await self._line.ask(lambda client, _: client.reqCurrentTime(), "currentTime")

    async def _look_again(self, entry: Entry, text: str) -> None:
        """Ask for all orders: one that the gateway cannot find to cancel must not stay open."""
        rows = await self._line.ask(lambda client, _: client.reqAllOpenOrders(), "openOrderEnd")
        if entry.perm_id not in [row[2].permId for row in rows]:
            entry.end(text, self._clock.now())
            self._updates.tell(entry)

    def _place(
        self, order: OrderSchema, members: Sequence[Terms], contract: "Contract"
    ) -> list[Entry]:
        """Send a family; the last of it lets all of it go."""
        client, now = self._line.client, self._clock.now()
        entries: list[Entry] = []
        is_pair = order.order_class == "oco"
        for terms in members:
            it = words(order, terms, account=self._gateway.account)
            it.orderId, it.clientId = self._line.next_id(), self._gateway.client_id
            it.parentId = entries[0].order_id if entries and not is_pair else 0
            it.transmit = is_pair or terms is members[-1]
            entry = Entry(it, contract, [terms.client_order_id], now, it.orderId, it.clientId)
            entry.parent_id = it.parentId
            self._book.place(entry)
            self._updates.ask(entry, "place", terms.client_order_id)
            entries.append(entry)
        for entry in entries:
            client.placeOrder(entry.order_id, contract, entry.order)
        return entries

    async def _answered(self, entries: Sequence[Entry], client_order_id: str) -> None:
        waiting = [asked.answer for entry in entries if (asked := self._updates.asked(entry))]
        try:
            await within(self._clock, self._timeout_s, asyncio.gather(*waiting))
        except TimeoutError:
            self._line.close()
            text = f"{self._gateway.where} does not answer an order"
            raise Unknown(text, client_order_id) from None
        except Taken:
            highest = self._book.highest_order_id(self._gateway.client_id)
            self._line.skip_to(highest + IDS_APART)
            raise

    def _give_up(self, entries: Sequence[Entry], *, is_refused: bool) -> None:
        """After a refusal nothing of a family may stay; of a lost one we know nothing more."""
        for entry in entries:
            self._updates.drop(entry)
            if is_refused and self._line.is_up and len(entries) > 1:
                self._line.client.cancelOrder(entry.order_id, "")
            if is_refused or not entry.perm_id:
                self._book.forget(entry)

    def _require_new(self, client_order_id: str) -> None:
        if self._book.find(client_order_id) is not None:
            text = f"client_order_id {client_order_id} has been used"
            raise DuplicateOrderId("duplicate", text)

    def _require_own(self, entry: Entry) -> None:
        if entry.client_id != self._gateway.client_id:
            text = f"order {entry.perm_id} belongs to client {entry.client_id} of the gateway"
            raise VenueRefused("10147", text)
