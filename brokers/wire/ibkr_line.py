"""One socket to IB Gateway: ib_async's client and decoder, with ears of our own.

Of ib_async only the protocol is used. Its table of orders takes warnings for cancels and keeps
orders as they were when the socket broke, so what is heard goes to `ibkr_book.py` instead.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from brokers.clock import Clock
from brokers.errors import ConfigError, SeawallError, Throttled, Transient, VenueRefused
from brokers.wire.http import within
from brokers.wire.ibkr_access import LIVE_PORT, PAPER_PORT, Gateway
from brokers.wire.ibkr_errors import IN_USE, TOO_FAST, is_read_only, is_warning

Hear = Callable[[str, tuple[Any, ...]], None]
LETS_GO_S = (0.1, 0.3, 0.6)
HELD_S = 120.0  # how long the gateway may hold the client id of a connection of ours that broke

Client = Any  # ib_async's, whose calls have no types
Send = Callable[[Client, int], None]

LOST = "lost"  # what `Hear` is told when the socket ended

# The last word of an answer, and whether its first argument says which question it is to.
_ENDS = {
    "contractDetailsEnd": True,
    "execDetailsEnd": True,
    "accountSummaryEnd": True,
    "historicalDataEnd": True,
    "positionEnd": False,
    "openOrderEnd": False,
    "completedOrdersEnd": False,
    "currentTime": False,
}
SLOW = ("historicalDataEnd",)  # answers that may be late on a line that is well
_ROWS = {
    "contractDetails": "",
    "execDetails": "",
    "accountSummary": "",
    "historicalData": "",
    "position": "positionEnd",
    "openOrder": "openOrderEnd",
    "completedOrder": "completedOrdersEnd",
}


ABOUT_ORDERS = ("openOrderEnd", "completedOrdersEnd")


class InUse(ConfigError):
    """Another connection has our client id."""


class _Question(NamedTuple):
    rows: list[tuple[Any, ...]]
    done: asyncio.Future[None]


class Line:
    """A connection that is opened, ends, and may be opened again; it belongs to one event loop.

    Args:
        hear: told every message by the name that the API gives it, on the loop; `LOST` at the end.
        timeout_s: how long an answer may take.
    """

    def __init__(self, gateway: Gateway, hear: Hear, *, clock: Clock, timeout_s: float) -> None:
        self._gateway = gateway
        self._hear = hear
        self._clock = clock
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._ear: _Ear | None = None
        self._opening: asyncio.Future[None] | None = None
        self._questions: dict[int | str, _Question] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._ended_s: float | None = None
        self.accounts: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether the gateway answers on it; IB itself may still be out of its reach."""
        return self._client is not None and self._client.isReady()

    @property
    def heard(self) -> int:
        """Messages of the present connection that were taken in; -1: it is down."""
        return int(self.client.connectionStats().numMsgRecv) if self.is_up else -1

    @property
    def client(self) -> Client:
        """To send by.

        Raises:
            Transient: the line is down.
        """
        if self._client is None or not self._client.isReady():
            raise Transient(f"{self._gateway.where}: not connected")
        return self._client

    async def open(self) -> None:
        """Connect; the gateway may take a moment to let go of our client id.

        Raises:
            ConfigError: the client id is in use by another program, or ib_async is missing.
            Transient: nobody listens there, not in this protocol, or our last connection is held.
        """
        for wait_s in LETS_GO_S:
            try:
                await self._open()
            except InUse:
                await self._clock.wait(wait_s)
            else:
                return
        try:
            await self._open()
        except InUse as error:
            if self._ended_s is None or self._clock.monotonic() - self._ended_s > HELD_S:
                raise
            raise Transient(str(error)) from None

    async def _open(self) -> None:
        self._ear = ear = _Ear(self._heard)
        client = _client(ear)
        client.MaxRequests = self._gateway.messages_a_second
        opening = self._opening = asyncio.get_running_loop().create_future()
        where = self._gateway
        connecting = asyncio.ensure_future(
            client.connectAsync(where.host, where.port, where.client_id, 0)
        )
        try:
            both = asyncio.wait({connecting, opening}, return_when=asyncio.FIRST_COMPLETED)
            await within(self._clock, self._timeout_s, both)
            if opening.done():
                opening.result()
            connecting.result()
        except TimeoutError:
            raise Transient(f"{where.where} does not answer as an API does: {_STEPS}") from None
        except OSError as error:
            raise Transient(_nobody(where, error)) from None
        finally:
            self._opening = None
            if not client.isReady():
                await _given_up(connecting, client)
        self._client = client
        self.accounts = tuple(client.getAccounts())

    def next_id(self) -> int:
        """A number for an order or a question; both come from one row."""
        return int(self.client.getReqId())

    def skip_to(self, number: int) -> None:
        """Give no number below this one: after a restart the gateway offers old ones again."""
        self.client.updateReqId(number)

    async def ask(self, send: Send, end: str) -> list[tuple[Any, ...]]:
        """Ask, and collect the rows of the answer up to the message named `end`.

        Raises:
            VenueRefused: the gateway refused the question.
            Transient: no answer in time, or the line went down.
        """
        if _ENDS[end]:
            return await self._asked(self.next_id(), send, end)
        async with self._turns.setdefault(end, asyncio.Lock()):
            return await self._asked(end, send, end)

    def close(self) -> None:
        """Hang up; harmless when the line is down."""
        client = self._client
        if client is not None:
            self._end()
            _hang_up(client)

    async def _asked(self, key: int | str, send: Send, end: str) -> list[tuple[Any, ...]]:
        client = self.client
        question = _Question([], asyncio.get_running_loop().create_future())
        self._questions[key] = question
        try:
            send(client, key if isinstance(key, int) else 0)
            await within(self._clock, self._timeout_s, question.done)
        except TimeoutError:
            if end not in SLOW:
                self.close()  # what hangs would not answer what is asked next either
            raise Transient(f"{self._gateway.where}: no {end} in {self._timeout_s:g} s") from None
        finally:
            self._questions.pop(key, None)
        return question.rows

    def _heard(self, ear: "_Ear", name: str, args: tuple[Any, ...]) -> None:
        if ear is not self._ear:
            return  # a connection that we have given up still says goodbye
        if name == "setEventsDone":  # ib_async's word for the socket's end
            self._end()
            return
        if name == "error" and self._refused(*args[:3]):
            return
        if name in _ENDS:
            self._finish(args[0] if _ENDS[name] else name, args)
        elif name in _ROWS and (it := self._questions.get(_ROWS[name] or args[0])):
            it.rows.append(args)
        self._hear(name, args)

    def _finish(self, key: int | str, args: tuple[Any, ...]) -> None:
        question = self._questions.get(key)
        if question is not None and not question.done.done():
            if key == "currentTime":
                question.rows.append(args)
            question.done.set_result(None)

    def _refused(self, number: int, code: int, text: str) -> bool:
        """Whether an error was meant for a question, or for the log-in."""
        if code == IN_USE:
            self._fail_opening(_in_use(self._gateway))
            return True
        question = self._questions.get(number)
        if question is None and is_read_only(code, text):
            self._fail(ConfigError(f"{self._gateway.where}: {_READ_ONLY}"), ABOUT_ORDERS)
        if question is None or is_warning(code):
            return False
        if not question.done.done():
            kind = Throttled(text) if code in TOO_FAST else VenueRefused(str(code), text)
            question.done.set_exception(kind)
        return True

    def _end(self) -> None:
        self._fail_opening(Transient(f"{self._gateway.where} hung up: {_STEPS}"))
        self._fail(Transient(f"{self._gateway.where}: the connection broke"), self._questions)
        if self._client is not None:
            self._client = self._ear = None
            self._ended_s = self._clock.monotonic()
            self._hear(LOST, ())

    def _fail(self, error: SeawallError, keys: Iterable[int | str]) -> None:
        for key in keys:
            if (question := self._questions.get(key)) and not question.done.done():
                question.done.set_exception(error)

    def _fail_opening(self, error: SeawallError) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(error)


_PORTS = f"use the API port, {PAPER_PORT} of the paper gateway or {LIVE_PORT} of the live one"
_STEPS = f"log in to it and accept the connection there, or {_PORTS}"
_READ_ONLY = (
    'its API is read-only: untick "Read-Only API" in its settings, or start its container with '
    "READ_ONLY_API=no"
)


class _Ear:
    """What ib_async's decoder speaks to: every message becomes one call."""

    def __init__(self, heard: Callable[["_Ear", str, tuple[Any, ...]], None]) -> None:
        self._heard = heard
        self.defaultTimezone = UTC
        self.ib = SimpleNamespace(TimezoneTWS="")

    def __getattr__(self, name: str) -> Callable[..., None]:
        return partial(self._call, name)

    def _call(self, name: str, *args: Any) -> None:
        self._heard(self, name, args)


def _client(ear: _Ear) -> Client:
    try:
        from ib_async import client  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigError("ibkr: ib_async is missing: pip install 'seawall[ibkr]'") from error
    log = logging.getLogger("ib_async")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # or what it logs would come on stderr
    return client.Client(ear)  # type: ignore[no-untyped-call]


async def _given_up(connecting: asyncio.Future[Any], client: Client) -> None:
    connecting.cancel()
    with suppress(asyncio.CancelledError, OSError):
        await connecting
    _hang_up(client)


def _hang_up(client: Client) -> None:
    if client.conn.transport is not None:
        client.disconnect()


def _nobody(where: Gateway, error: OSError) -> str:
    number = error.errno or 0  # where asyncio puts words of its own beside it
    reason = os.strerror(number) if number > 0 else error.strerror or error
    return (
        f"{where.where}: nobody answers ({reason}): start IB Gateway, log in, and "
        f"enable its API socket on port {where.port}; {_PORTS}"
    )


def _in_use(where: Gateway) -> InUse:
    return InUse(
        f"{where.where}: client id {where.client_id} is in use by another program: end it, or "
        "choose another client_id"
    )
