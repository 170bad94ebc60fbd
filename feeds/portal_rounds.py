"""Minute bars of a venue that does not stream them: asked for, of all symbols, as they end."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta

import pandas as pd

from brokers.clock import Clock
from brokers.errors import DataError, Transient
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR, MINUTE, AlpacaData, Past

SETTLE_S = 2.0  # between a minute's end and the first look at it
LOOKS = 3  # at one minute, for symbols that have no bar of it yet
PAUSE_S = 1.0  # before one asks again after a failure
_MINUTE = timedelta(minutes=1)
_FORTNIGHT = timedelta(days=14)  # the exchange was never closed for longer


class PortalRounds:
    """One round of asking a minute; what lacks after `LOOKS` looks did not trade.

    Args:
        past: fetches finished bars of a range.
        data: `since`, `mute_s`.
        on_outage: told why bars do not come.
    """

    def __init__(
        self,
        past: Past,
        data: AlpacaData,
        *,
        clock: Clock,
        on_outage: Callable[[str], None],
    ) -> None:
        self._past = past
        self._data = data
        self._clock = clock
        self._on_outage = on_outage
        self._newest = dict[str, datetime]()

    async def bars(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """Minute bars as they end; `Reconnected` first and after each failure.

        Raises:
            DataError: unknown symbol, no permission, or mute though the market is open.
        """
        yield Reconnected(self._clock.now())
        now = self._clock.now()
        start = self._data.since or _floor(now)
        heard_at, end = now, _floor(now)
        while True:
            await self._until(end + timedelta(seconds=SETTLE_S))
            found, was_down = await self._round(symbols, start, end)
            if was_down:
                yield Reconnected(self._clock.now())
            for bar in found:
                yield bar
            now = self._clock.now()
            heard_at = now if found else self._heard(heard_at, now)
            start, end = self._from(symbols, start), self._next(end, now)

    async def _round(
        self, symbols: Sequence[str], start: datetime, end: datetime
    ) -> tuple[list[VenueBar], bool]:
        """What is new of [start, end), oldest first, and whether a call failed meanwhile."""
        found, looks, was_down = list[VenueBar](), 0, False
        missing = list(symbols)
        while missing and looks < LOOKS and start < end:
            if looks:
                await self._clock.wait(SETTLE_S)
            try:
                told = await self._past(missing, start, end, MINUTE)
            except Transient as error:
                was_down = True
                self._on_outage(str(error))
                await self._clock.wait(PAUSE_S)
                continue
            looks += 1
            found += [bar for bars in told.values() for bar in bars if self._is_new(bar)]
            missing = [it for it in missing if self._newest.get(it, start) < end - _MINUTE]
        return sorted(found, key=lambda bar: bar.start_at), was_down

    def _is_new(self, bar: VenueBar) -> bool:
        newest = self._newest.get(bar.symbol)
        if newest is not None and bar.start_at <= newest:
            return False
        self._newest[bar.symbol] = bar.start_at
        return True

    def _from(self, symbols: Sequence[str], start: datetime) -> datetime:
        """From where on the next round asks: what came last may lack for some."""
        newest = [self._newest[symbol] for symbol in symbols if symbol in self._newest]
        return max(start, max(newest) - _MINUTE) if newest else start

    def _heard(self, heard_at: datetime, now: datetime) -> datetime:
        """Judge silence; from when on it counts.

        Raises:
            DataError: the market is open and nothing came for `mute_s`.
        """
        opened = calendars.current_open(CALENDAR, pd.DatetimeIndex([now]))
        if opened.hasnans:
            return now
        since = max(heard_at, opened.to_pydatetime()[0])
        if (now - since).total_seconds() > self._data.mute_s:
            raise DataError(f"portal: market data is mute: no bar in {self._data.mute_s:g} s")
        return heard_at

    def _next(self, end: datetime, now: datetime) -> datetime:
        """The end of the minute to ask for next, of a session where only these count."""
        later = max(end + _MINUTE, _floor(now))
        if not self._data.regular_hours or calendars.is_open(CALENDAR, end):
            return later
        dates = calendars.sessions(CALENDAR, end.date(), end.date() + _FORTNIGHT)
        opens = calendars.session_open(CALENDAR, dates)
        first: datetime = opens[int(opens.searchsorted(pd.Timestamp(end)))].to_pydatetime()
        return max(first + _MINUTE, _floor(now))

    async def _until(self, due_at: datetime) -> None:
        while (wait_s := self._clock.until_s(due_at)) > 0:
            await self._clock.wait(min(wait_s, 3600.0))


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
