"""Bars from IB Gateway: history under its pacing rules, and live minutes, longer bars and days."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd

from brokers.clock import Clock
from brokers.errors import (
    ConfigError,
    DataError,
    DataMute,
    SchemaRefused,
    Transient,
    TransportError,
    VenueRefused,
)
from brokers.wire.http import within
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.ibkr_errors import LINK_BACK, is_warning, lacks_permission
from brokers.wire.ibkr_line import LOST, Line
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import CALENDAR, MINUTE, AlpacaData
from feeds.daily_bars import ZONE, DailyBars
from feeds.gathered_bars import GatheredBars
from feeds.ibkr_minutes import Minutes
from feeds.ibkr_pacing import Pace, Paced
from feeds.ranges import midnights
from feeds.timeframe import Timeframe

WHAT = "TRADES"  # adjusted for splits, not for dividends
LONGEST_WAIT_S = 30.0
OBJECTS_IN_S = 1.0  # so soon the gateway says that it may not give live bars
# Bar size in IB's words, and the longest stretch of such bars that it gives at once.
_SIZES = {
    "1m": ("1 min", timedelta(days=1)),
    "5m": ("5 mins", timedelta(days=7)),
    "15m": ("15 mins", timedelta(days=7)),
    "30m": ("30 mins", timedelta(days=28)),
    "1h": ("1 hour", timedelta(days=28)),
    "1d": ("1 day", timedelta(days=365)),
}
_DAY = timedelta(days=1)
_TRIES = 3  # of a question that was too fast

_log = logging.getLogger(__name__)


class IbkrBars:
    """A session's bars, past and live; see `brokers.wire.transport.BarSource`.

    Args:
        gateway: with a client id of its own, beside the account's.
        data: timeframe, `regular_hours`, sentinel, `since`, `mute_s`, `quiet_s`, `settle_s`,
            `gather_s`.
        on_outage: told, on the loop, why live bars do not come.
        pace: how fast history may be asked for; by default as IB has it.

    Raises:
        ConfigError: live bars are not 1m to 1d.
    """

    def __init__(
        self,
        gateway: Gateway,
        data: AlpacaData,
        *,
        clock: Clock,
        rng: random.Random,
        on_outage: Callable[[str], None],
        pace: Pace | None = None,
    ) -> None:
        if data.timeframe.text not in _SIZES:
            raise ConfigError(f"ibkr: live bars are {', '.join(_SIZES)}, not {data.timeframe}")
        self._gateway = gateway
        self._data = data
        self._clock = clock
        self._rng = rng
        self._pace = pace or Paced(clock)
        self._line = Line(gateway, self._hear, clock=clock, timeout_s=data.timeout_s)
        self._contracts = Contracts()
        self._opening = asyncio.Lock()
        self._minutes: dict[int, Minutes] = {}
        self._arrived: asyncio.Queue[VenueBar | DataError | None] = asyncio.Queue()
        self._newest = dict[str, datetime]()
        self._failures = self._mutes = 0
        listen = partial(_Listening, self)
        if not data.timeframe.is_intraday:
            days = DailyBars(self._past, data, clock=clock, on_outage=on_outage)
            self._live: Any = days
        elif data.timeframe == MINUTE:
            self._live = listen(on_outage=on_outage)
        else:
            self._live = GatheredBars(listen, data, clock=clock, on_outage=on_outage)

    async def history(
        self, symbols: Sequence[str], start: datetime, end: datetime, timeframe: str
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry.

        Raises:
            DataError: unknown symbol, or no market data permission.
            Transient: no answer, or too fast three times.
        """
        return await self._past(symbols, start, end, Timeframe(timeframe))

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Bars as they finish: minutes of five-second bars, longer ones of these, days fetched."""
        found: AsyncIterator[VenueBar | Reconnected] = self._live.bars(symbols)
        return found

    async def splits(self, *_: object) -> tuple[StockSplit, ...]:
        """None: this API does not tell of corporate actions."""
        return ()

    async def require_live(self, symbols: Sequence[str], wait_s: float = OBJECTS_IN_S) -> None:
        """Ask for live bars as a session would, and wait for what IB has against it.

        Raises:
            DataError: no permission, or no such symbol.
            Transient: no connection.
        """
        await self._up()
        await self._subscribe(symbols)
        try:
            arrived = await within(self._clock, wait_s, self._arrived.get())
        except TimeoutError:
            return
        finally:
            self._line.close()
        if isinstance(arrived, DataError):
            raise arrived

    async def close(self) -> None:
        """End the connection."""
        self._line.close()

    async def listen(
        self, symbols: Sequence[str], on_outage: Callable[[str], None]
    ) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """Minute bars; `Reconnected` whenever the listening has begun, then what was missed."""
        while True:
            try:
                await self._up()
                await self._subscribe(symbols)
                yield Reconnected(self._clock.now())
                async with aclosing(self._connected(symbols)) as found:
                    async for bar in found:
                        if self._is_new(bar):
                            self._failures = self._mutes = 0
                            yield bar
                reason = f"{self._gateway.where}: the connection for bars broke"
            except TransportError as error:
                reason = str(error)
            self._line.close()
            on_outage(reason)
            self._failures += 1
            widest_s = min(LONGEST_WAIT_S, 0.5 * 2.0 ** min(self._failures, 16))
            await self._clock.wait(self._rng.uniform(0.0, widest_s))

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
        found = await self._past(symbols, start, end, MINUTE)
        return sorted((bar for bars in found.values() for bar in bars), key=_start)

    def _is_new(self, bar: VenueBar) -> bool:
        if bar.start_at <= self._newest.get(bar.symbol, _before(bar.start_at)):
            return False
        self._newest[bar.symbol] = bar.start_at
        return True

    async def _subscribe(self, symbols: Sequence[str]) -> None:
        self._arrived = asyncio.Queue()
        self._minutes = {}
        for symbol in dict.fromkeys((*symbols, *filter(None, [self._data.sentinel]))):
            try:
                contract = await self._contract(symbol)
            except DataError as error:
                if symbol in symbols:
                    raise
                _log.warning("no sentinel: %s", error)
                continue
            number = self._line.next_id()
            self._minutes[number] = Minutes(symbol)
            hours = self._data.regular_hours
            self._line.client.reqRealTimeBars(number, contract, 5, WHAT, hours, [])

    def _hear(self, name: str, args: tuple[Any, ...]) -> None:
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
            self._arrived.put_nowait(_no_permission(symbol, text))
        else:
            self._arrived.put_nowait(_error(f"no live bars of {symbol}: {text} (code {code})"))

    async def _up(self) -> None:
        async with self._opening:
            if not self._line.is_up:
                await self._line.open()

    async def _contract(self, symbol: str) -> Any:
        try:
            return await self._contracts.find(symbol, self._line)
        except VenueRefused as refused:
            raise _error(f"no contract for {symbol}: {refused.text}") from None
        except SchemaRefused as refused:
            raise _error(str(refused)) from None

    async def _past(
        self,
        symbols: Sequence[str],
        start: datetime,
        end: datetime,
        timeframe: Timeframe,
        *,
        seen_at: datetime | None = None,
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars; those that had ended at `seen_at`, by default now."""
        if timeframe.text not in _SIZES:
            raise ConfigError(f"ibkr: bars are {', '.join(_SIZES)}, not {timeframe}")
        await self._up()
        seen_at = seen_at or self._clock.now()
        found = {}
        for symbol in symbols:
            bars: dict[datetime, VenueBar] = {}
            for first, after in _stretches(start, end, _SIZES[timeframe.text][1]):
                for bar in await self._asked(symbol, first, after, timeframe):
                    bars[bar.start_at] = bar
            found[symbol] = tuple(
                bars[at]
                for at in sorted(bars)
                if start <= at < end and _has_ended(at, timeframe, seen_at)
            )
        return found

    async def _asked(
        self, symbol: str, start: datetime, end: datetime, timeframe: Timeframe
    ) -> list[VenueBar]:
        contract = await self._contract(symbol)
        span_s = int((end - start).total_seconds()) + 1
        duration = f"{span_s} S" if span_s <= _DAY.total_seconds() else f"{-(-span_s // 86400)} D"
        end_text = f"{end.astimezone(UTC):%Y%m%d-%H:%M:%S}"
        words = (end_text, duration, _SIZES[timeframe.text][0], WHAT, self._data.regular_hours)

        def send(client: Any, number: int) -> None:
            client.reqHistoricalData(number, contract, *words, 2, False, [])

        for _ in range(_TRIES):
            await self._pace.turn(symbol, str(words))
            try:
                rows = await self._line.ask(send, "historicalDataEnd")
            except VenueRefused as refused:
                if _refused(symbol, refused):
                    return []
                continue
            return [_bar(symbol, row[1]) for row in rows]
        raise Transient(f"ibkr: history of {symbol} was asked for too fast")


class _Listening:
    """The stream of minutes in the form that gathers longer bars from it."""

    def __init__(self, bars: IbkrBars, on_outage: Callable[[str], None]) -> None:
        self._bars = bars
        self._on_outage = on_outage

    def bars(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """See `IbkrBars.listen`."""
        return self._bars.listen(symbols, self._on_outage)


def _refused(symbol: str, refused: VenueRefused) -> bool:
    """Whether there is no such data; False: it was asked for too fast."""
    text = refused.text.lower()
    if "pacing" in text:
        return False
    if lacks_permission(int(refused.code), text):
        raise _no_permission(symbol, refused.text)
    if refused.code == "162" and "no data" in text:
        return True
    raise _error(f"no history of {symbol}: {refused.text} (code {refused.code})")


def _no_permission(symbol: str, text: str) -> DataError:
    return _error(
        f"no market data permission for {symbol} ({text}): subscribe to its exchange in IBKR's "
        "Client Portal, and end other sessions of the same login"
    )


def _error(text: str) -> DataError:
    return DataError(f"ibkr: {' '.join(text.split())}")


def _stretches(
    start: datetime, end: datetime, longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        after = min(start + longest, end)
        yield start, after
        start = after


def _bar(symbol: str, row: Any) -> VenueBar:
    """A bar of ib_async's; a day begins at midnight of New York."""
    text = str(row.date)
    if len(text) == len("20240304"):
        day = date.fromisoformat(text)
        (start,) = midnights(pd.DatetimeIndex([day]), ZONE).to_pydatetime()
    else:
        start = datetime.fromtimestamp(int(text), UTC)
    volume = max(float(row.volume), 0.0)
    return VenueBar(symbol, start.astimezone(UTC), row.open, row.high, row.low, row.close, volume)


def _has_ended(start: datetime, timeframe: Timeframe, at: datetime) -> bool:
    ends = calendars.bar_close(CALENDAR, pd.DatetimeIndex([start]), timeframe)
    return bool(ends[0] <= pd.Timestamp(at))


def _start(bar: VenueBar) -> datetime:
    return bar.start_at


def _before(at: datetime) -> datetime:
    return at - timedelta(microseconds=1)
