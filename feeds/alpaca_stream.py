"""Alpaca's data stream: minute bars as they finish, for as long as somebody listens.

Source: docs.alpaca.markets, "Real-time stock data" (wss, JSON).
"""

import logging
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import pandas as pd

from brokers.clock import Clock
from brokers.errors import (
    ConfigError,
    DataError,
    DataMute,
    SeawallError,
    Transient,
    TransportError,
)
from brokers.wire.alpaca_access import KEY_ID, SECRET_KEY, AlpacaKeys
from brokers.wire.http import Frame, Http, Socket, StreamRefused, within
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR, MINUTE, TO_IEX, AlpacaData, Past, read_bar

AUTH_S = 10.0  # Alpaca ends a connection that has not authenticated by then
HELD_S = 90.0  # so long may Alpaca count a dead connection
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 15.0

_log = logging.getLogger(__name__)


class Held(Transient):
    """Alpaca counts another connection of this account, perhaps our own dead one."""


class Mute(Transient):
    """The connection stands, the market is open, and nothing comes."""


@dataclass
class _Heard:
    """What was delivered so far, whichever connection it came by."""

    last: dict[str, datetime] = field(default_factory=dict)
    newest_at: datetime | None = None

    def is_new(self, bar: VenueBar) -> bool:
        """Whether the bar is later than all of its symbol; then it counts as delivered."""
        last = self.last.get(bar.symbol)
        if last is not None and bar.start_at <= last:
            return False
        self.last[bar.symbol] = bar.start_at
        self.newest_at = max(bar.start_at, self.newest_at or bar.start_at)
        return True


class AlpacaBarStream:
    """Connects, authenticates, subscribes, and does so again whenever the stream ends.

    After each reconnection the gap is fetched from history, and once more when the next live bar
    comes (history may lag behind the stream); what was delivered already is dropped. Corrections
    are marked; running daily bars and all other messages are passed over; trading halts and bars
    that contradict themselves are logged.

    Args:
        http: the stream's host.
        keys: sent in the first message.
        data: feed, sentinel, hours, `mute_s`: the stream is opened once more after so long a
            silence in an open market, and given up if that does not help.
        past: fetches finished bars of a range.
        clock: for all waiting.
        rng: draws the waits before the stream is opened again.
        on_outage: told, on the loop, why the stream is down.
    """

    def __init__(
        self,
        http: Http,
        keys: AlpacaKeys,
        data: AlpacaData,
        past: Past,
        *,
        clock: Clock,
        rng: random.Random,
        on_outage: Callable[[str], None],
    ) -> None:
        self._http = http
        self._keys = keys
        self._data = data
        self._past = past
        self._clock = clock
        self._rng = rng
        self._on_outage = on_outage
        self._heard = _Heard(newest_at=data.since)
        self._failures = 0
        self._mutes = 0
        self._held_since_s: float | None = None

    async def bars(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """Minute bars as they finish; `Reconnected` whenever the listening has begun.

        Raises:
            ConfigError: the keys were refused, or another program holds the stream.
            DataError: not in the plan, or the stream is mute though it was opened once more.
        """
        wanted = list(dict.fromkeys((*symbols, *filter(None, [self._data.sentinel]))))
        while True:
            began_s = self._clock.monotonic()
            try:
                async with self._http.stream(
                    f"/v2/{self._data.feed}", quiet_s=self._data.quiet_s
                ) as socket:
                    await self._listen(socket, wanted)
                    yield Reconnected(self._clock.now())
                    async with aclosing(self._connected(socket, wanted)) as found:
                        async for bar in found:
                            yield bar
            except TransportError as error:
                self._judge(error)
            await self._pause(self._clock.monotonic() - began_s)

    async def _connected(
        self, socket: Socket, wanted: Sequence[str]
    ) -> AsyncGenerator[VenueBar, None]:
        """Bars of one connection, with the gap before it."""
        is_gap = self._heard.newest_at is not None
        if is_gap:
            for bar in await self._missed(wanted, self._clock.now()):
                yield bar
        async with aclosing(self._live(socket)) as live:
            async for bar in live:
                if is_gap and not bar.is_correction:
                    is_gap = False
                    for missed in await self._missed(wanted, bar.start_at):
                        yield missed
                if bar.is_correction or self._heard.is_new(bar):
                    yield bar

    async def _missed(self, wanted: Sequence[str], end: datetime) -> list[VenueBar]:
        """Bars since the newest delivered, that one's time included, oldest first."""
        start = self._heard.newest_at
        if start is None or start >= end:
            return []
        found = await self._past(wanted, start, end, MINUTE, seen_at=end)
        bars = sorted((bar for some in found.values() for bar in some), key=_start)
        return [bar for bar in bars if self._heard.is_new(bar)]

    async def _live(self, socket: Socket) -> AsyncGenerator[VenueBar, None]:
        while True:
            for message in _messages(await self._frame(socket)):
                for bar in self._bars_of(message):
                    yield bar

    async def _frame(self, socket: Socket) -> Frame:
        """The next frame; silence matters only while the market has been open for a while.

        Raises:
            Mute: no frame came for `mute_s`, or none until an unanswered ping ended it.
        """
        began_s = self._clock.monotonic()
        while True:
            try:
                frame = await within(self._clock, self._data.mute_s, anext(socket))
            except TimeoutError:
                if self._is_expected():
                    raise Mute(
                        f"the data stream is mute: no frame in {self._data.mute_s:g} s"
                    ) from None
            except Transient as error:
                silence_s = self._clock.monotonic() - began_s
                if silence_s >= 2 * self._data.quiet_s and self._is_expected():
                    raise Mute(str(error)) from None
                raise
            else:
                self._mutes = 0
                return frame

    def _bars_of(self, message: Mapping[str, Any]) -> list[VenueBar]:
        kind = message.get("T")
        if kind == "error":
            raise self._error(message)
        if kind == "s":
            _log.warning(
                "trading status of %s: %s (%s)",
                *(message.get(key) for key in ("S", "sm", "rm")),
            )
        if kind not in ("b", "u"):
            return []
        try:
            bar = read_bar(str(message.get("S")), message, is_correction=kind == "u")
        except DataError as error:
            _log.warning("%s; it is left out", error)
            return []
        is_wanted = not self._data.regular_hours or calendars.is_open(CALENDAR, bar.start_at)
        return [bar] if is_wanted else []

    def _is_expected(self) -> bool:
        """Whether bars are due: the market has been open for longer than silence is allowed."""
        now = pd.DatetimeIndex([self._clock.now()])
        opened = calendars.current_open(CALENDAR, now)[0]
        return not pd.isna(opened) and (now[0] - opened).total_seconds() >= self._data.mute_s

    async def _listen(self, socket: Socket, wanted: Sequence[str]) -> None:
        try:
            await within(self._clock, AUTH_S, self._agree(socket, wanted))
        except TimeoutError:
            raise Transient("Alpaca's data stream does not answer our first messages") from None
        self._held_since_s = None

    async def _agree(self, socket: Socket, wanted: Sequence[str]) -> None:
        """Authenticate, subscribe, and wait for the word that the bars will come."""
        key_id, secret = self._keys.key_id, self._keys.secret_key
        auth = {
            "action": "auth",
            "key": key_id.get_secret_value(),
            "secret": secret.get_secret_value(),
        }
        subscribe = {
            "action": "subscribe",
            "bars": wanted,
            "updatedBars": wanted,
            "statuses": wanted,
        }
        while True:
            for message in _messages(await anext(socket)):
                word = message.get("msg") if message.get("T") == "success" else message.get("T")
                if word == "error":
                    raise self._error(message)
                if word == "connected":
                    await socket.send(orjson.dumps(auth).decode())
                elif word == "authenticated":
                    await socket.send(orjson.dumps(subscribe).decode())
                elif word == "subscription":
                    self._check_subscribed(message.get("bars") or (), wanted)
                    return

    def _check_subscribed(self, granted: Iterable[str], wanted: Sequence[str]) -> None:
        missing = sorted(set(wanted).difference(granted))
        if missing == [self._data.sentinel]:
            _log.warning("the data stream did not take the sentinel %s", self._data.sentinel)
        elif missing:
            raise DataError(
                f"alpaca: the data stream did not take {', '.join(missing)}: check the symbols"
            )

    def _error(self, message: Mapping[str, Any]) -> SeawallError:
        """What one of the stream's error messages means, and what to do."""
        code = message.get("code")
        said = f"alpaca: the data stream says {message.get('msg')!r} ({code})"
        if code == 402:
            return ConfigError(f"{said}: the keys were refused: check {KEY_ID} and {SECRET_KEY}")
        if code == 405:
            return DataError(f"{said}: ask for fewer symbols, or change the plan")
        if code == 406:
            return Held(said)
        if code in (408, 409, 410):
            return DataError(f"{said}: the plan does not include feed {self._data.feed}: {TO_IEX}")
        if code == 400:
            return DataError(f"{said}: check the symbols")
        return Transient(said)

    def _judge(self, error: TransportError) -> None:
        """Whether to go on trying; tells of the outage if so."""
        if isinstance(error, StreamRefused) and error.status in (401, 403):
            raise ConfigError(
                f"alpaca: {error}: the keys were refused: check {KEY_ID} and {SECRET_KEY}"
            ) from None
        if isinstance(error, StreamRefused) and error.status in (400, 404, 410):
            raise DataError(f"alpaca: {error}: check feed {self._data.feed} and the host") from None
        if isinstance(error, Mute):
            self._mutes += 1
            if self._mutes > 1:
                raise DataMute(
                    f"alpaca: {error}, and opening it again did not help: check "
                    "status.alpaca.markets and the network before starting again"
                ) from None
        self._wait_for_release(isinstance(error, Held) or getattr(error, "status", 0) == 429)
        self._on_outage(str(error))

    def _wait_for_release(self, is_held: bool) -> None:
        now_s = self._clock.monotonic()
        if not is_held:
            self._held_since_s = None
        elif self._held_since_s is None:
            self._held_since_s = now_s
        elif now_s - self._held_since_s > HELD_S:
            raise ConfigError(
                f"alpaca: the data stream was refused for {HELD_S:g} s because another connection "
                "of this account is open: end the other program, and start again"
            ) from None

    async def _pause(self, lasted_s: float) -> None:
        self._failures = 0 if lasted_s > _LONGEST_WAIT_S else self._failures + 1
        widest_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(self._failures, 16))
        await self._clock.wait(self._rng.uniform(0.0, widest_s))


def _messages(frame: Frame) -> list[Mapping[str, Any]]:
    try:
        content = orjson.loads(frame)
    except ValueError:
        raise Transient(f"a frame of the data stream is no JSON: {frame[:80]!r}") from None
    found = content if isinstance(content, list) else [content]
    return [message for message in found if isinstance(message, dict)]


def _start(bar: VenueBar) -> datetime:
    return bar.start_at
