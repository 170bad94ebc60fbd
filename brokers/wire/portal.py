"""IBKR through the Client Portal Web API, as a transport.

Orders are known by cOID, which is our client_order_id; IBKR modifies an order in place, and what
replaces one carries both names. Requests go by ibind, see `portal_rest.py`; events come by our own
websocket, which needs no thread, and are asked for while it is closed.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.clock import Clock
from brokers.errors import (
    DuplicateOrderId,
    TransportError,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire import portal_words as words
from brokers.wire.clearance import cleared
from brokers.wire.http import NoAnswer
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.ibkr_orders import chain
from brokers.wire.ibkr_view import is_ended, latest
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_book import PortalBook, PortalEntry
from brokers.wire.portal_contracts import PortalContracts
from brokers.wire.portal_orders import bodies, portal_family
from brokers.wire.portal_pacing import Turns
from brokers.wire.portal_parts import PortalParts
from brokers.wire.portal_questions import settle
from brokers.wire.portal_reads import PortalReads
from brokers.wire.portal_rest import LoginLost, PortalRest
from brokers.wire.portal_session import PortalSession
from brokers.wire.portal_stream import HEARTBEAT, LOGIN, ORDERS, TRADES, PortalStream
from brokers.wire.portal_updates import PortalUpdates
from brokers.wire.portal_view import PortalView
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

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
POLL_S = 5.0  # between two looks while the websocket is closed
PERCENT = Decimal(100)


class Portal:
    """One account at IBKR.

    Args:
        pace: shared by all who use the login.
        rng: seeded; draws the waits before the websocket is opened again.
        timeout_s: how long an answer may take.
        quiet_s: silence after which the websocket is pinged; after twice that it is mute.
    """

    def __init__(
        self,
        access: PortalAccess,
        *,
        clock: Clock,
        rng: random.Random,
        pace: Turns,
        timeout_s: float = 10.0,
        quiet_s: float = 15.0,
    ) -> None:
        self._access = access
        self._clock = clock
        self._rng = rng
        self._rest = PortalRest(access, clock=clock, pace=pace, timeout_s=timeout_s)
        self._http = Aiohttp(access.url, clock=clock, tls=access.tls())
        self.session = PortalSession(self._rest, access, clock)
        self.contracts = PortalContracts(self.session)
        self._book = PortalBook(clock.now, self.contracts.symbol)
        self._view = PortalView(self._book)
        self._updates = PortalUpdates(self._book)
        self._reads = PortalReads(self.session, self.contracts, self._updates, clock)
        self._parts = PortalParts(self.session)
        self.stream = PortalStream(self._http, self.session, clock, quiet_s=quiet_s)
        # IBKR takes no order while it asks about another one. Within it nobody may wait for a turn
        # to ask, since those who wait for the lane may have it.
        self._lane = asyncio.Lock()
        self._synced_login = 0
        self._failures = 0

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """See `Transport.submit`.

        Raises:
            SchemaRefused: the Client Portal has no such order, or several contracts of the symbol.
        """
        members = portal_family(order)
        await cleared()
        await self._may_trade()
        for terms in members:
            self._require_new(terms.client_order_id)
        conid = await self._conid(order.symbol)
        sent = bodies(order, members, conid=conid, account=self.session.account)
        path = f"iserver/account/{self.session.account}/orders"
        async with self._lane:
            with self._updates.placing(terms.client_order_id for terms in members):
                rows = await self._create(order.client_order_id, path, {"orders": sent})
                entries = await self._taken(rows, sent, order)
        head = next(entry for entry in entries if order.client_order_id in entry.refs)
        shown = head.told = self._view.shown(head)
        for entry in entries:
            self._updates.tell(entry)
        return shown

    async def cancel(self, venue_order_id: str) -> None:
        """See `Transport.cancel`."""
        await self._up()
        entry = self._book.known(venue_order_id)
        if entry is None or entry.is_over:
            return
        path = f"iserver/account/{self.session.account}/order/{entry.order_id}"
        try:
            await self.session.ask("DELETE", path)
        except VenueRefused:
            await another_request()
            await self._reads.orders()
            if not entry.is_over:
                raise

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        """See `Transport.replace`; IBKR changes the order in place."""
        await self._may_trade()
        self._require_new(client_order_id)
        entry = self._book.known(venue_order_id)
        if entry is None or entry.is_over:
            raise VenueRefused("104", f"order {venue_order_id} is not at work")
        body = _changed(entry, terms)
        body["cOID"] = chain([*entry.refs, client_order_id])
        body["acctId"] = self.session.account
        path = f"iserver/account/{self.session.account}/order/{entry.order_id}"
        async with self._lane:
            with self._updates.placing([client_order_id]):
                rows = await self._create(client_order_id, path, body)
                _require_taken(rows)
                self._book.rename(entry, client_order_id, body)
        before = entry.refs[entry.refs.index(client_order_id) - 1]
        self._updates.put(OrderUpdate(self._view.shown(entry, before)))
        shown = entry.told = self._view.shown(entry, client_order_id)
        return shown

    async def find(self, client_order_id: str) -> VenueOrder | None:
        """See `Transport.find`; IBKR is asked for all orders of the day."""
        await self._look()
        entry = self._book.find(client_order_id)
        return None if entry is None else self._view.shown(entry, client_order_id)

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        """See `Transport.orders_since`."""
        await self._look()
        found = [self._view.shown(entry) for entry in self._view.heads()]
        return [it for it in found if not is_ended(it) or latest(it) > since]

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        """See `Transport.fills_since`; IBKR tells those of the last seven days."""
        await self._login()
        await self._reads.trades(since)
        second = since.replace(microsecond=0)
        return [fill for fill in self._view.fills() if fill.filled_at >= second]

    async def account(self) -> VenueAccount:
        """See `Transport.account`."""
        await self._login()
        return await self._reads.account()

    async def positions(self) -> Sequence[VenuePosition]:
        """See `Transport.positions`; the average price of IBKR holds what was paid for trading."""
        await self._login()
        return await self._reads.positions()

    async def time(self) -> datetime:
        """What time it is at IBKR, as of the account's summary."""
        await self._login()
        return await self._reads.time()

    async def look_up(self, symbol: str) -> None:
        """Have the contract of a symbol.

        Raises:
            OrderRefused: there is none, or several.
        """
        await self._login()
        await self.contracts.find(symbol)

    async def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """See `Transport.updates`.

        Raises:
            ConfigError: nobody is logged in, or not to the account that is wanted.
        """
        while True:
            listening = asyncio.create_task(self._listen())
            listening.add_done_callback(self._ended)
            try:
                while (news := await self._updates.news.get()) is not None:
                    if isinstance(news, BaseException):
                        raise news
                    yield news
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._rest.close()
        await self._http.close()

    @property
    def heard(self) -> tuple[int, int]:
        """Messages of the present websocket (-1: it is closed), and updates made so far."""
        return self.stream.heard, self._updates.told

    def _ended(self, listening: "asyncio.Task[None]") -> None:
        """Pass on what ended the listening: an error, or nothing in particular."""
        if not listening.cancelled():
            self._updates.news.put_nowait(listening.exception())

    async def _listen(self) -> None:
        """Hear the websocket until it ends, then ask for a while; what is news is put out."""
        try:
            await self._hear()
        except TransportError:
            self._failures += 1
        widest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._failures, 16))
        await self._poll(self._rng.uniform(0.0, widest_s))

    async def _hear(self) -> None:
        await self._login()
        async with self.stream.open() as messages:
            is_listening = False
            while True:
                topic, rows = await anext(messages)
                if topic == HEARTBEAT and not is_listening:
                    is_listening, self._failures = True, 0
                    self._updates.news.put_nowait(Reconnected(self._clock.now()))
                elif topic == ORDERS and not self._updates.orders(rows):
                    await self._reads.orders()
                elif topic == TRADES:
                    self._updates.trades(rows)
                elif topic == LOGIN:
                    self.session.hear(rows[0] if rows else {})

    async def _poll(self, wait_s: float) -> None:
        """Ask, for as long as the websocket is to stay closed."""
        is_told = False
        while wait_s > POLL_S:
            await self._clock.wait(POLL_S)
            wait_s -= POLL_S
            if await self._has_asked() and not is_told:
                self._updates.news.put_nowait(Reconnected(self._clock.now()))
                is_told = True
        await self._clock.wait(wait_s)

    async def _has_asked(self) -> bool:
        """Take in orders and trades; False: they could not be had."""
        try:
            await self._login()
            await self._reads.orders()
            await self._reads.trades(self._clock.now())
        except TransportError:
            return False
        return True

    async def _login(self) -> None:
        await self.session.up()
        self._updates.account = self.session.account

    async def _up(self) -> None:
        """Have a login, and know all orders of the day."""
        await self._login()
        if self._synced_login != self.session.logins:
            await self._reads.orders()
            self._synced_login = self.session.logins
            await another_request()

    async def _look(self) -> None:
        """Know all orders of the day, and let no part of a family work on."""
        await self._login()
        await self._reads.orders()
        await self._parts.cancel_left()

    async def _conid(self, symbol: str) -> int:
        is_known = self.contracts.has(symbol)
        conid = await self.contracts.find(symbol)
        if not is_known:
            await another_request()
        return conid

    async def _may_trade(self) -> None:
        try:
            await self._up()
        except LoginLost as lost:
            raise VenueRefused("401", str(lost)) from None

    async def _create(self, client_order_id: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send what makes or changes orders, and answer what is asked about them."""

        async def reply(number: str, yes: bool) -> Any:
            answer = {"confirmed": yes}
            return await self.session.request("POST", f"iserver/reply/{number}", body=answer)

        try:
            told = await self.session.request("POST", path, body=body)
            return await settle(told, self._access.confirms, reply)
        except NoAnswer as lost:
            raise Unknown(str(lost), client_order_id) from None

    async def _taken(
        self, rows: Sequence[words.Row], sent: Sequence[dict[str, Any]], order: OrderSchema
    ) -> list[PortalEntry]:
        """Note what became of a family; one that was refused in part is cancelled whole.

        IBKR takes an entry in though it refuses one of its legs. Where it does not cancel it then,
        the refused ones are told as such beside it.
        """
        answers = {str(row.get("local_order_id")): row for row in rows}
        told = [
            answers.get(body["cOID"], rows[min(place, len(rows) - 1)])
            for place, body in enumerate(sent)
        ]
        group = order.client_order_id if order.order_class == "oco" else ""
        if all(words.is_failed(row) for row in told):
            _require_taken(told)
        entries = [
            self._book.refuse(body, words.refusal(row), group=group)
            if words.is_failed(row)
            else self._book.place(row, {**body}, group=group)
            for row, body in zip(told, sent, strict=True)
        ]
        taken = {
            entry.ref: entry
            for entry, row in zip(entries, told, strict=True)
            if not words.is_failed(row)
        }
        if len(taken) < len(sent) and await self._is_undone(taken, order):
            _require_taken(told)
        return entries

    async def _is_undone(self, taken: Mapping[str, PortalEntry], order: OrderSchema) -> bool:
        """Cancel what was taken of a family; with an entry IBKR cancels its legs."""
        try:
            for entry in taken.values():
                if entry.parent not in taken:
                    await self._parts.cancel(entry)
        except VenueRefused:
            return False
        except TransportError as lost:
            raise Unknown(str(lost), order.client_order_id) from None
        return True

    def _require_new(self, client_order_id: str) -> None:
        if self._book.find(client_order_id) is not None:
            text = f"client_order_id {client_order_id} has been used"
            raise DuplicateOrderId("duplicate", text)


def _require_taken(rows: Sequence[words.Row]) -> None:
    for row in rows:
        if words.is_failed(row):
            raise VenueRefused("201", words.refusal(row))


def _changed(entry: PortalEntry, terms: Replacement) -> dict[str, Any]:
    """What was sent for the order, with its new terms; units are those still to be had."""
    body = dict(entry.body)
    if terms.quantity is not None:
        body["quantity"] = float(terms.quantity + entry.executed)
    if terms.limit_price is not None:
        body["price"] = float(terms.limit_price)
    if terms.stop_price is not None:
        body["auxPrice" if entry.order_type == "stop_limit" else "price"] = float(terms.stop_price)
    if terms.trail is not None:
        is_percent = body.get("trailingType") == "%"
        body["trailingAmt"] = float(terms.trail * PERCENT if is_percent else terms.trail)
    return body
