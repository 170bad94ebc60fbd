"""Minute bars of a venue that does not stream them: asked for, of all symbols, as they end."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from brokers.clock import Clock
from brokers.errors import DataMute, Transient
from brokers.wire.http import within
from brokers.wire.portal_pulse import PortalPulse
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR, MINUTE, AlpacaData, Past

SETTLE_S = 2.0  # between a minute's end and the first look at it
LATE_S = 10.0  # after a minute's end without any price, and it is asked for by the clock
LOOKS = 3  # at one minute, for symbols that have no bar of it yet
PAUSE_S = 1.0  # before one asks again after a failure
_MINUTE = timedelta(minutes=1)


class PortalRounds:
    """Asks for a minute when the first price after it has come, or by the clock.

    What some symbols lack after `LOOKS` looks did not trade.

    Args:
        past: fetches finished bars of a range.
        data: `since`, `mute_s`, `sentinel`, `regular_hours`.
        on_outage: told why bars do not come.
        pulse: how far the market has come.
        watch: has prices of symbols move the pulse.
        is_eager: nobody counts the calls: with every price is asked at once.
    """

    def __init__(
        self,
        past: Past,
        data: AlpacaData,
        *,
        clock: Clock,
        on_outage: Callable[[str], None],
        pulse: PortalPulse,
        watch: Callable[[Sequence[str]], Awaitable[None]],
        is_eager: bool = False,
    ) -> None:
        self._past = past
        self._data = data
        self._clock = clock
        self._on_outage = on_outage
        self._pulse = pulse
        self._watch = watch
        self._is_eager = is_eager
        # Our own venue knows a bar before it sends its price, and first of all matches orders.
        self._late = timedelta(seconds=data.mute_s if is_eager else LATE_S)
        self._newest = dict[str, datetime]()

    async def bars(self, symbols: Sequence[str]) -> AsyncGenerator[VenueBar | Reconnected, None]:
        """Minute bars as they end; `Reconnected` first and after each failure.

        Raises:
            DataError: unknown symbol, or no permission.
            DataMute: nothing comes though the market is open.
        """
        now = self._clock.now()
        start = end = began_at = self._data.since or _floor(now)
        sentinel = self._data.sentinel
        await self._watched([*symbols, sentinel] if sentinel else symbols)
        yield Reconnected(now)
        while True:
            end = await self._over(end)
            if not self._is_eager:
                await self._clock.wait(SETTLE_S)
            found, was_down = await self._round(symbols, start, end)
            if was_down:
                yield Reconnected(self._clock.now())
            for bar in found:
                yield bar
            self._judge_silence(began_at, end)
            start = self._from(start)

    async def _watched(self, symbols: Sequence[str]) -> None:
        while True:
            try:
                return await self._watch(symbols)
            except Transient as error:
                self._on_outage(str(error))
                await self._clock.wait(PAUSE_S)

    async def _over(self, asked: datetime) -> datetime:
        """The end of the newest minute that is over, once there is a later one than `asked`."""
        is_moved = False
        while True:
            ends = [_floor(self._pulse.at)] if self._pulse.at else []
            late = self._clock.now() - self._late
            if not self._data.regular_hours or calendars.is_open(CALENDAR, _floor(late) - _MINUTE):
                ends.append(_floor(late))
            if (end := max(ends, default=asked)) > asked or (self._is_eager and is_moved):
                return end
            wait_s = self._clock.until_s(_floor(late) + _MINUTE + self._late)
            try:
                await within(self._clock, max(wait_s, PAUSE_S), self._pulse.moved())
                is_moved = True
            except TimeoutError:
                continue

    async def _round(
        self, symbols: Sequence[str], start: datetime, end: datetime
    ) -> tuple[list[VenueBar], bool]:
        """What is new of [start, end), oldest first, and whether a call failed meanwhile."""
        found, looks, was_down = list[VenueBar](), 0, False
        missing = list(symbols)
        while missing and looks < (1 if self._is_eager else LOOKS):
            if looks:
                await self._clock.wait(SETTLE_S)
            try:
                told = await self._past(missing, start, end, MINUTE, seen_at=end)
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

    def _from(self, start: datetime) -> datetime:
        """From where on the next round asks: some symbols may lack what came last."""
        return max(start, max(self._newest.values(), default=start))

    def _judge_silence(self, began_at: datetime, end: datetime) -> None:
        """Judge that no symbol has had a bar for long.

        Raises:
            DataError: the market is open, and neither bar nor price came for `mute_s`.
        """
        session = calendars.session_of(CALENDAR, end)
        if session is None:
            return
        since = max(session[0], began_at, self._pulse.at or began_at, *self._newest.values())
        if (end - since).total_seconds() > self._data.mute_s:
            raise DataMute(f"portal: market data is mute: no bar in {self._data.mute_s:g} s")


def _floor(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
