"""Daily bars as their sessions end: fetched after the close, because a running one still moves."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime, timedelta

import pandas as pd

from brokers.clock import Clock
from brokers.errors import DataError, Transient
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR, AlpacaData, Past
from feeds.ranges import midnights
from feeds.timeframe import Timeframe

ZONE = "America/New_York"
LOOKS = 10  # for the bars of one session
_DAY = Timeframe("1d")
_FORTNIGHT = timedelta(days=14)  # the exchange was never closed for longer
_SHORTEST_PAUSE_S = 0.1
_LONGEST_WAIT_S = 3600.0  # so soon it is noticed that the machine slept

_log = logging.getLogger(__name__)


class DailyBars:
    """One bar a symbol and session, by the calendar: half-days and summer time included.

    `settle_s` after the close the bars are fetched, and again after as long while some symbol has
    none; what lacks after `LOOKS` looks did not trade, which is logged. A failed call is no look.

    Args:
        past: fetches finished bars of a range.
        data: `settle_s`; of sessions that closed since `since` the bars come at once.
        on_outage: told why the bars do not come yet.
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
        self._clock = clock
        self._settle = timedelta(seconds=data.settle_s)
        self._since = data.since
        self._on_outage = on_outage

    async def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Daily bars as sessions end; `Reconnected` first and after each failure.

        Raises:
            ConfigError: the keys were refused.
            DataError: no symbol has a bar after all looks, or the plan does not include them.
        """
        yield Reconnected(self._clock.now())
        closed_at = self._since or self._clock.now() - self._settle
        while True:
            day, closed_at = _next_close(closed_at)
            await self._until(closed_at + self._settle)
            found = dict[str, VenueBar]()
            looks, is_down = 0, False
            while looks < LOOKS and len(found) < len(symbols):
                if looks or is_down:
                    await self._pause()
                was_down, is_down = is_down, not await self._look(symbols, day, found)
                if was_down and not is_down:
                    yield Reconnected(self._clock.now())
                looks += not is_down
            _check(symbols, day, found)
            for symbol in symbols:
                if symbol in found:
                    yield found[symbol]

    async def _until(self, due_at: datetime) -> None:
        while (wait_s := self._clock.until_s(due_at)) > 0:
            await self._clock.wait(min(wait_s, _LONGEST_WAIT_S))

    async def _pause(self) -> None:
        """Wait before one looks again; however fast the days go by, for a moment."""
        wait_s = self._clock.until_s(self._clock.now() + self._settle)
        await self._clock.wait(max(wait_s, _SHORTEST_PAUSE_S))

    async def _look(self, symbols: Sequence[str], day: date, found: dict[str, VenueBar]) -> bool:
        """Fetch what is not `found` yet; False if the call failed."""
        dates = pd.DatetimeIndex([day, day + timedelta(days=1)])
        start, end = midnights(dates, ZONE).to_pydatetime()
        missing = [symbol for symbol in symbols if symbol not in found]
        try:
            answer = await self._past(missing, start, end, _DAY)
        except Transient as error:
            self._on_outage(str(error))
            return False
        found.update({symbol: bars[-1] for symbol, bars in answer.items() if bars})
        return True


def _next_close(after: datetime) -> tuple[date, datetime]:
    """The first session that closes later than `after`, and when it does, in UTC."""
    day = after.date() - timedelta(days=1)
    dates = calendars.sessions(CALENDAR, day, day + _FORTNIGHT)
    closes = calendars.session_close(CALENDAR, dates)
    row = int(closes.searchsorted(pd.Timestamp(after), side="right"))
    return dates[row].date(), closes[row].to_pydatetime()


def _check(symbols: Sequence[str], day: date, found: dict[str, VenueBar]) -> None:
    if not found:
        raise DataError(
            f"no daily bar of {day} for any of {', '.join(symbols)} after {LOOKS} looks: check the "
            "vendor's status page and the symbols before starting again"
        )
    if missing := [symbol for symbol in symbols if symbol not in found]:
        _log.warning("no daily bar of %s for %s: it did not trade", day, ", ".join(missing))
