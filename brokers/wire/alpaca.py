"""Alpaca's trading API, REST v2 and /stream, as a transport.

Source: docs.alpaca.markets, "Trading API"; statuses and fields as in alpaca-py's models.
"""

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import orjson

from brokers.clock import Clock
from brokers.errors import DataError, Transient, Unknown, VenueRefused
from brokers.orders import OrderSchema
from brokers.wire import alpaca_words as words
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.alpaca_errors import refuse
from brokers.wire.alpaca_orders import order_body, replacement_body
from brokers.wire.alpaca_stream import AlpacaStream
from brokers.wire.http import Http, NoAnswer
from brokers.wire.steps import another_request
from brokers.wire.transport import (
    ENDED,
    OrderUpdate,
    Reconnected,
    Replacement,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

T = TypeVar("T")

ORDERS_PAGE = 500
FILLS_PAGE = 100
GTC_LIFE = timedelta(days=90)  # the venue itself cancels an order of that age
OVERLAP = timedelta(microseconds=1)  # instants are cut to microseconds, `until` is exclusive


class Alpaca:
    """One account at Alpaca.

    An answer that cannot be read is taken for none at all: `Transient` for what may be repeated
    (reads and cancels), `Unknown` for what creates an order.

    Args:
        http: the trading host, with `keys.headers()` on every request.
        keys: once more for the stream, whose first message carries them.
        clock: for time-outs, and to read when a rate limit ends.
        rng: seeded; draws the waits before the stream is opened again.
        where: "paper", "live" or a URL; names the account in errors.
        timeout_s: how long an answer may take.
        quiet_s: silence after which the stream is pinged; after twice that it is mute.
    """

    def __init__(
        self,
        http: Http,
        keys: AlpacaKeys,
        *,
        clock: Clock,
        rng: random.Random,
        where: str = "paper",
        timeout_s: float = 10.0,
        quiet_s: float = 10.0,
    ) -> None:
        self._http = http
        self._clock = clock
        self._where = where
        self._timeout_s = timeout_s
        self._stream = AlpacaStream(http, keys, clock=clock, rng=rng, quiet_s=quiet_s, where=where)

    async def submit(self, order: OrderSchema) -> VenueOrder:
        """See `Transport.submit`.

        Raises:
            SchemaRefused: Alpaca has no such order, see `alpaca_orders.py`; nothing was sent.
        """
        body = order_body(order)
        return await self._create("POST", "/v2/orders", order.client_order_id, body)

    async def cancel(self, venue_order_id: str) -> None:
        """See `Transport.cancel`."""
        path = f"/v2/orders/{venue_order_id}"
        try:
            await self._ask("DELETE", path, lambda _: None)
        except VenueRefused as refused:
            if refused.code.startswith("404"):
                return
            await another_request()
            found = await self._ask("GET", path, words.order)
            if found.status not in ENDED:
                raise

    async def replace(
        self, venue_order_id: str, client_order_id: str, terms: Replacement
    ) -> VenueOrder:
        """See `Transport.replace`; of a family the prices of a leg, or of a waiting entry."""
        body = replacement_body(client_order_id, terms)
        return await self._create("PATCH", f"/v2/orders/{venue_order_id}", client_order_id, body)

    async def find(self, client_order_id: str) -> VenueOrder | None:
        """See `Transport.find`; a second request fetches the legs of a family."""
        path, params = "/v2/orders:by_client_order_id", {"client_order_id": client_order_id}
        try:
            found, lacks_legs = await self._ask("GET", path, _with_question, params)
            if lacks_legs:
                await another_request()
                path = f"/v2/orders/{found.venue_order_id}"
                found = await self._ask("GET", path, words.order, {"nested": "true"})
        except VenueRefused as refused:
            if refused.code.startswith("404"):
                return None
            raise
        return found

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        """See `Transport.orders_since`, oldest first.

        Alpaca selects by submission alone, so every order is read that can have been alive at
        `since`: those submitted from 90 days before it on.
        """
        seen: dict[str, VenueOrder | None] = {}
        params = {
            "status": "all",
            "nested": "true",
            "direction": "desc",
            "limit": str(ORDERS_PAGE),
            "after": _rfc3339(since - GTC_LIFE),
        }
        while True:
            page = await self._ask("GET", "/v2/orders", _rows, params)
            fresh = [row for row in page if row.venue_order_id not in seen]
            if not fresh:
                if len(page) >= ORDERS_PAGE:
                    raise DataError(f"{len(page)} orders of one instant, {page[0].submitted_at}")
                break
            seen |= {row.venue_order_id: row.order for row in fresh}
            await another_request()
            params["until"] = _rfc3339(min(row.submitted_at for row in fresh) + OVERLAP)
        return [order for order in reversed(seen.values()) if order and _matters(order, since)]

    async def fills_since(self, since: datetime) -> Sequence[VenueFill]:
        """See `Transport.fills_since`."""
        fills: list[VenueFill] = []
        params = {
            "after": _rfc3339(since),
            "direction": "asc",
            "page_size": str(FILLS_PAGE),
        }
        while True:
            page = await self._ask("GET", "/v2/account/activities/FILL", _activities, params)
            fills += [fill for _, fill in page]
            if len(page) < FILLS_PAGE:
                return fills
            await another_request()
            params["page_token"] = page[-1][0]

    async def account(self) -> VenueAccount:
        """See `Transport.account`."""
        return await self._ask("GET", "/v2/account", words.account)

    async def positions(self) -> Sequence[VenuePosition]:
        """See `Transport.positions`."""
        return await self._ask("GET", "/v2/positions", _positions)

    def updates(self) -> AsyncIterator[OrderUpdate | Reconnected]:
        """See `Transport.updates`.

        Raises:
            ConfigError: the keys were refused, or another program holds the account's stream.
        """
        return self._stream.updates()

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._http.close()

    async def _create(
        self, method: str, path: str, client_order_id: str, body: Mapping[str, Any]
    ) -> VenueOrder:
        try:
            return await self._request(method, path, words.order, None, body)
        except NoAnswer as lost:
            raise Unknown(str(lost), client_order_id) from None

    async def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Any], T],
        params: Mapping[str, str] | None = None,
    ) -> T:
        try:
            return await self._request(method, path, read, params, None)
        except NoAnswer as lost:
            raise Transient(str(lost)) from None

    async def _request(
        self,
        method: str,
        path: str,
        read: Callable[[Any], T],
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> T:
        """Ask once and read the answer; the one place where Alpaca's errors become ours."""
        response = await self._http.request(
            method, path, params=params, json=body, timeout_s=self._timeout_s
        )
        what = f"{method} {path}"
        if response.status >= 300:
            refuse(response, what, where=self._where, now=self._clock.now())
        try:
            return read(orjson.loads(response.body) if response.body else None)
        except words.UNREADABLE as error:
            raise NoAnswer(f"Alpaca's answer to {what} cannot be read: {error!r}") from None


def _matters(order: VenueOrder, since: datetime) -> bool:
    family = (order, *order.legs)
    return any(member.status not in ENDED or member.updated_at > since for member in family)


def _with_question(row: words.Json) -> tuple[VenueOrder, bool]:
    return words.order(row), words.lacks_legs(row)


class _Row(NamedTuple):
    """An order with what the venue pages by; None in its place when it cannot be ours."""

    venue_order_id: str
    submitted_at: datetime
    order: VenueOrder | None


def _rows(rows: Any) -> list[_Row]:
    return [
        _Row(
            row["id"],
            words.instant(row["submitted_at"]),
            words.order(row) if words.is_ours(row) else None,
        )
        for row in rows
    ]


def _activities(rows: Any) -> list[tuple[str, VenueFill]]:
    """Fills with the ids by which the venue pages."""
    return [(row["id"], words.activity(row)) for row in rows]


def _positions(rows: Any) -> list[VenuePosition]:
    return [words.position(row) for row in rows]


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
