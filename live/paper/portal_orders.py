"""The Client Portal's calls about orders: submission with its questions, changes, lists."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from brokers.errors import VenueRefused
from brokers.wire.transport import VenueOrder
from live.paper import portal_forms, portal_words
from live.paper.portal_book import Book, Placed
from live.paper.portal_errors import bad_request, verdict
from live.paper.portal_questions import UNKNOWN, Precautions, Question
from live.paper.portal_session import PortalSession
from live.paper.portal_words import Shown
from live.paper.tws_forms import Ask, BadOrder, change, family
from live.paper.tws_words import ZONE, Listing
from live.paper.venue import Venue

_MOST_DAYS = 7
Act = Callable[[], Awaitable[list[dict[str, Any]]]]


@dataclass(slots=True)
class _Pending:
    """What waits for answers; the one asked now comes first."""

    reply_id: str
    questions: list[Question]
    act: Act


class Orders:
    """Orders of the account; one submission at a time may wait for answers."""

    def __init__(
        self,
        venue: Venue,
        session: PortalSession,
        listings: Mapping[int, Listing],
        account: str,
        precautions: Precautions,
    ) -> None:
        self._venue = venue
        self._session = session
        self._listings = listings
        self.account = account
        self._precautions = precautions
        self._pending: _Pending | None = None
        self.book = Book(venue)
        self.is_filtered = False  # the websocket tells of no order until the filter is forced off

    async def place(self, request: Request) -> Response:
        """POST /iserver/account/{account}/orders."""
        self._check(request)
        body = await _body(request)
        rows = body.get("orders")
        if not isinstance(rows, list) or not rows or not all(isinstance(it, dict) for it in rows):
            raise bad_request("Bad Request: orders")
        for ref in (str(row.get("cOID") or "") for row in rows):
            if ref and self.book.has_ref(ref):
                text = f"Order couldn't be submitted: Local order ID={ref} is already registered."
                raise verdict(text)
        asks = portal_forms.asks(rows, self._listings, self.book.reserve(len(rows)))
        return await self._ask_back(asks, lambda: self._submit(asks))

    async def modify(self, request: Request) -> Response:
        """POST /iserver/account/{account}/order/{order_id}."""
        self._check(request)
        known = self._known(request)
        row = await _body(request)
        wanted = portal_forms.ask(row, self._listings, known.order_id, known.ask.parent_id)
        return await self._ask_back([wanted], lambda: self._change(known, wanted))

    async def reply(self, request: Request) -> Response:
        """POST /iserver/reply/{reply_id}: the answer to a question."""
        body, pending = await _body(request), self._pending
        if pending is None or pending.reply_id != request.path_params["reply_id"]:
            raise bad_request("order reply id not found")
        self._pending = None
        if body.get("confirmed") is not True:
            raise verdict("The order was not confirmed and has been discarded.")
        return await self._go_on(pending.questions[1:], pending.act)

    async def cancel(self, request: Request) -> Response:
        """DELETE /iserver/account/{account}/order/{order_id}; -1 is all."""
        self._check(request)
        if request.path_params["order_id"] == "-1":
            for known in self.book:
                if self.book.is_open(known):
                    await self._cancel(known)
            return JSONResponse({"msg": "Request was submitted", "order_id": -1})
        known = self._known(request)
        if not self.book.is_open(known):
            raise verdict(f"OrderID {known.order_id} cannot be cancelled: it is no longer working")
        await self._cancel(known)
        words = {"conid": known.listing.con_id, "account": self.account}
        return JSONResponse({"msg": "Request was submitted", "order_id": known.order_id} | words)

    async def live(self, request: Request) -> Response:
        """GET /iserver/account/orders: the day's, once it has been asked for before."""
        self._session.needs_accounts()
        asked, wanted = self._session.asked, request.query_params.get("filters", "")
        is_forced = request.query_params.get("force", "").lower() == "true"
        if not asked.orders or is_forced:
            asked.orders, self.is_filtered = True, bool(wanted)
            return JSONResponse({"orders": [], "snapshot": False})
        self.is_filtered = self.is_filtered or bool(wanted)
        kinds = {_plain(word) for word in wanted.split(",") if word and word != "sort_by_time"}
        rows = [it.row for it in self.today()]
        found = [row for row in rows if not kinds or _plain(row["status"]) in kinds]
        return JSONResponse({"orders": found, "snapshot": True})

    async def status(self, request: Request) -> Response:
        """GET /iserver/account/order/status/{order_id}."""
        self._session.needs_accounts()
        return JSONResponse(self.shown(self._known(request)).detail)

    async def trades(self, request: Request) -> Response:
        """GET /iserver/account/trades: of the day and up to six before it, asked for twice."""
        self._session.needs_accounts()
        days = request.query_params.get("days", "1")
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= _MOST_DAYS):
            raise bad_request("Bad Request: days")
        is_first, self._session.asked.trades = not self._session.asked.trades, True
        return JSONResponse([] if is_first else self.executions(int(days)))

    async def suppress(self, request: Request) -> Response:
        """POST /iserver/questions/suppress."""
        ids = (await _body(request)).get("messageIds")
        if not isinstance(ids, list) or len(ids) > 51:
            raise bad_request("Bad Request: messageIds")
        self._session.asked.suppressed.update(map(str, ids))
        return JSONResponse({"status": "submitted"})

    async def ask_again(self, _request: Request) -> Response:
        """POST /iserver/questions/suppress/reset."""
        self._session.asked.suppressed.clear()
        return JSONResponse({"status": "submitted"})

    def shown(self, known: Placed, tip: VenueOrder | None = None) -> Shown:
        """How an order looks now, or looked when the venue's was `tip`."""
        tip = tip or self.book.tip(known)
        return Shown(known, tip, self.account, *self.book.totals(known, tip))

    def today(self) -> list[Shown]:
        """Open orders, and those that ended on the present day."""
        day = self._venue.at.astimezone(ZONE).date()
        every = map(self.shown, self.book)
        return [
            it
            for it in every
            if self.book.is_open(it.known) or it.tip.updated_at.astimezone(ZONE).date() == day
        ]

    def executions(self, days: int = 1) -> list[dict[str, Any]]:
        """Executions of the present day and those before it."""
        now = self._venue.at.astimezone(ZONE)
        first = (now - timedelta(days=days - 1)).date()
        found = (self.execution(number) for number in range(len(self._venue.executions)))
        return [row for at, row in found if row and at.astimezone(ZONE).date() >= first]

    def execution(self, number: int) -> tuple[Any, dict[str, Any]]:
        """One of the venue's executions, with its instant."""
        update = self._venue.executions[number]
        known, fill = self.book.of(update.order.client_order_id), update.fill
        if known is None or fill is None:
            return self._venue.at, {}
        exec_id = f"0000e0d5.{number:08x}.01.01"
        return fill.filled_at, portal_words.execution(known, fill, exec_id, self.account)

    async def _ask_back(self, asks: Sequence[Ask], act: Act) -> Response:
        self._precautions.check(asks)
        last = self._venue.market.price(asks[0].symbol) or Decimal(0)
        questions = self._precautions.about(asks, last, self._session.asked.suppressed)
        if self._venue.trouble.at("order", "unknown_question"):
            questions.append(UNKNOWN)
        return await self._go_on(questions, act)

    async def _go_on(self, questions: list[Question], act: Act) -> Response:
        if not questions:
            self._pending = None
            return JSONResponse(await act())
        self._pending = _Pending(self._venue.next_id(), questions, act)
        question = questions[0]
        words = {"id": self._pending.reply_id, "message": [question.text], "isSuppressed": False}
        return JSONResponse([words | {"messageIds": [question.message_id]}])

    async def _submit(self, asks: Sequence[Ask]) -> list[dict[str, Any]]:
        """Take families and single orders; one that is refused leaves those before it at work."""
        taken: list[Placed] = []
        failed = []
        for head in (it for it in asks if not it.parent_id):
            children = [it for it in asks if it.parent_id == head.order_id]
            partner = taken[0].names[-1] if taken and head.oca_group else ""
            try:
                taken += await self._send(head, children, partner)
            except (BadOrder, VenueRefused) as refused:
                text = refused.text if isinstance(refused, VenueRefused) else str(refused)
                if not taken:
                    raise verdict(f"Order couldn't be submitted: {text}") from None
                failed.append(portal_words.failed(head, text))
        return [portal_words.acknowledged(self.shown(known)) for known in taken] + failed

    async def _send(self, head: Ask, children: Sequence[Ask], partner: str) -> list[Placed]:
        members = [self.book.add(it, self._listings[it.con_id]) for it in (head, *children)]
        names = {it.order_id: it.names[-1] for it in members}
        try:
            await self._venue.submit(family(head, children, names, partner))
        except (BadOrder, VenueRefused):
            for known in members:
                self.book.remove(known)
            raise
        return members

    async def _change(self, known: Placed, wanted: Ask) -> list[dict[str, Any]]:
        tip = self.book.tip(known)
        if not self.book.is_open(known):
            raise verdict("Order cannot be modified: it is no longer working")
        before, _ = self.book.totals(known, tip)
        terms = change(known.ask, wanted, before)
        name = self.book.rename(known, wanted.ref)
        try:
            await self._venue.replace(self._venue.tickets[tip.venue_order_id], terms, name)
        except VenueRefused as refused:
            self.book.drop_name(known)
            raise verdict(f"Order modify failed. {refused.text}") from None
        known.ask = wanted
        return [portal_words.acknowledged(self.shown(known))]

    async def _cancel(self, known: Placed) -> None:
        try:
            await self._venue.cancel(self.book.tip(known).venue_order_id)
        except VenueRefused as refused:
            raise verdict(f"Order cannot be cancelled: {refused.text}") from None

    def _check(self, request: Request) -> None:
        self._session.needs_accounts()
        if request.path_params["account"] != self.account:
            raise bad_request("Bad Request: accountId")

    def _known(self, request: Request) -> Placed:
        text = request.path_params["order_id"]
        known = self.book.get(int(text)) if text.isascii() and text.isdigit() else None
        if known is None:
            raise verdict(f"OrderID {text} doesn't exist")
        return known


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise bad_request("Bad Request: no JSON") from None
    if not isinstance(body, dict):
        raise bad_request("Bad Request: no object")
    return body


def _plain(word: str) -> str:
    """A filter or a status: pre_submitted is PreSubmitted."""
    return word.replace("_", "").lower()
