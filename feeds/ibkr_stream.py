"""Minute bars as they finish, out of IB Gateway's bars of five seconds."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from brokers.clock import Clock
from brokers.errors import DataError, DataMute, Transient, TransportError
from brokers.wire.http import within
from brokers.wire.ibkr_errors import LINK_BACK, is_warning, lacks_permission
from brokers.wire.ibkr_line import LOST, Line
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR, MINUTE, AlpacaData
from feeds.ibkr_history import WHAT, IbkrHistory, no_permission, unusable
from feeds.ibkr_minutes import Minutes

MOST = 60  # TWS API, "Real Time Bars": they are paced as history of small bars is
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
OBJECTS_IN_S = 1.0  # so soon the gateway says that it may not give live bars

_log = logging.getLogger(__name__)


class IbkrBarStream:
    """Listens; after every interruption it has what was missed from history first.

    Args:
        where: names the gateway in errors.
        line: whose messages `hear` is told.
        data: `regular_hours`, sentinel, `since`, `mute_s`, `quiet_s`.
        rng: seeded; draws the waits before the gateway is called again.
        on_outage: told, on the loop, why bars do not come.
    """

    def __init__(
        self,
        where: str,
        line: Line,
        history: IbkrHistory,
        data: AlpacaData,
        *,
        clock: Clock,
        rng: random.Random,
        on_outage: Callable[[str], None],
    ) -> None:
        self._where = where
        self._line = line
        self._history = history
        self._data = data
        self._clock = clock
        self._rng = rng
        self._on_outage = on_outage
        self._minutes: dict[int, Minutes] = {}
        self._arrived: asyncio.Queue[VenueBar | DataError | None] = asyncio.Queue()
        self._newest = dict[str, datetime]()
        self._failures = self._mutes = 0

    async def bars(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """Minute bars; `Reconnected` whenever the listening has begun, then what was missed.

        Raises:
            ConfigError: the client id is in use by another program.
            DataError: unknown symbol, no permission, or mute though it was opened once more.
        """
        while True:
            try:
                await self._history.up()
                await self._subscribe(symbols)
                yield Reconnected(self._clock.now())
                async with aclosing(self._connected(symbols)) as found:
                    async for bar in found:
                        if self._is_new(bar):
                            self._failures = self._mutes = 0
                            yield bar
                reason = f"{self._where}: the connection for bars broke"
            except TransportError as error:
                reason = str(error)
            self._line.close()
            self._on_outage(reason)
            self._failures += 1
            widest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self._failures, 16))
            await self._clock.wait(self._rng.uniform(0.0, widest_s))

    async def require(self, symbols: Sequence[str], wait_s: float = OBJECTS_IN_S) -> None:
        """Ask for live bars as a session would, and wait for what IB has against it.

        Raises:
            DataError: no permission, or no such symbol.
            Transient: no connection.
        """
        await self._history.up()
        await self._subscribe(symbols)
        try:
            arrived = await within(self._clock, wait_s, self._arrived.get())
        except TimeoutError:
            return
        finally:
            self._line.close()
        if isinstance(arrived, DataError):
            raise arrived

    def hear(self, name: str, args: tuple[Any, ...]) -> None:
        """Take one message of the line in."""
        if name == "realtimeBar" and args[0] in self._minutes:
            _, start_s, opened, high, low, close, volume, *_ = args
            bars = self._minutes[args[0]].add(start_s, (opened, high, low, close), volume)
            for bar in bars:
                self._arrived.put_nowait(bar)
        elif name == LOST or (name == "error" and args[1] in LINK_BACK):
            self._arrived.put_nowait(None)  # after 1101 IB has forgotten, after 1102 a gap remains
        elif name == "error" and args[0] in self._minutes and not is_warning(args[1]):
            self._unheard(self._minutes[args[0]].symbol, args[1], args[2])

    def _unheard(self, symbol: str, code: int, text: str) -> None:
        """There are no live bars of a symbol; without those of the sentinel one can do."""
        if symbol == self._data.sentinel:
            _log.warning("no live bars of the sentinel %s: %s (code %d)", symbol, text, code)
        elif lacks_permission(code, text):
            self._arrived.put_nowait(no_permission(symbol, text))
        else:
            self._arrived.put_nowait(unusable(f"no live bars of {symbol}: {text} (code {code})"))

    async def _connected(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar, None]:
        """What was missed, then bars until the line is down.

        Raises:
            DataError: mute though it was opened once more.
        """
        for bar in await self._missed(symbols, self._clock.now()):
            yield bar
        is_first = True
        while (arrived := await self._arrival()) is not None:
            if is_first:  # the minute that was running when we came is in no bar of ours
                for bar in await self._missed(symbols, arrived.start_at):
                    yield bar
            is_first = False
            yield arrived

    async def _arrival(self) -> VenueBar | None:
        """The next bar, or None as the line ends; in silence the gateway has to say something."""
        began_s = self._clock.monotonic()
        quiet_s = min(self._data.quiet_s, self._data.mute_s)
        while True:
            try:
                arrived = await within(self._clock, quiet_s, self._arrived.get())
            except TimeoutError:
                self._judge_silence(self._clock.monotonic() - began_s)
                await self._line.ask(lambda client, _: client.reqCurrentTime(), "currentTime")
                continue
            if isinstance(arrived, DataError):
                raise arrived
            return arrived

    def _judge_silence(self, silent_s: float) -> None:
        now = pd.DatetimeIndex([self._clock.now()])
        opened = calendars.current_open(CALENDAR, now)[0]
        open_s = 0.0 if pd.isna(opened) else (now[0] - opened).total_seconds()
        if min(open_s, silent_s) < self._data.mute_s:
            return
        text = f"ibkr: market data is mute: no bar in {self._data.mute_s:g} s"
        self._mutes += 1
        if self._mutes > 1:
            raise DataMute(f"{text}, though it was asked for once more")
        raise Transient(text)

    async def _missed(self, symbols: Sequence[str], end: datetime) -> list[VenueBar]:
        seen = [self._newest[symbol] for symbol in symbols if symbol in self._newest]
        start = min(seen, default=self._data.since)
        if start is None or start >= end:
            return []
        found = await self._history.bars(symbols, start, end, MINUTE)
        return sorted((bar for bars in found.values() for bar in bars), key=_start)

    def _is_new(self, bar: VenueBar) -> bool:
        if bar.start_at <= self._newest.get(bar.symbol, _before(bar.start_at)):
            return False
        self._newest[bar.symbol] = bar.start_at
        return True

    async def _subscribe(self, symbols: Sequence[str]) -> None:
        self._arrived = asyncio.Queue()
        self._minutes = {}
        if len(symbols) > MOST:
            raise unusable(
                f"live bars of {len(symbols)} symbols: IB lets one ask for those of {MOST} in ten "
                "minutes: trade fewer, or daily bars (timeframe 1d)"
            )
        for symbol in dict.fromkeys((*symbols, *filter(None, [self._data.sentinel]))):
            try:
                contract = await self._history.contract(symbol)
            except DataError as error:
                if symbol in symbols:
                    raise
                _log.warning("no sentinel: %s", error)
                continue
            number = self._line.next_id()
            self._minutes[number] = Minutes(symbol)
            hours = self._data.regular_hours
            self._line.client.reqRealTimeBars(number, contract, 5, WHAT, hours, [])


def _start(bar: VenueBar) -> datetime:
    return bar.start_at


def _before(at: datetime) -> datetime:
    return at - timedelta(microseconds=1)
