"""Finished bars from IB Gateway, in stretches that it gives at once, under its pacing rules."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError, DataError, SchemaRefused, Transient, VenueRefused
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.ibkr_errors import lacks_permission
from brokers.wire.ibkr_line import Line
from brokers.wire.transport import VenueBar
from feeds import calendars
from feeds.alpaca_client import CALENDAR
from feeds.daily_bars import ZONE
from feeds.ibkr_pacing import Pace
from feeds.ranges import midnights
from feeds.timeframe import Timeframe

WHAT = "TRADES"  # adjusted for splits, not for dividends
# Bar size in IB's words, and the longest stretch of such bars that it gives at once.
SIZES = {
    "1m": ("1 min", timedelta(days=1)),
    "5m": ("5 mins", timedelta(days=7)),
    "15m": ("15 mins", timedelta(days=7)),
    "30m": ("30 mins", timedelta(days=28)),
    "1h": ("1 hour", timedelta(days=28)),
    "1d": ("1 day", timedelta(days=365)),
}
_DAY = timedelta(days=1)
_TRIES = 3  # of a question that was too fast


class IbkrHistory:
    """Bars of the past, and the contracts that they are of.

    Args:
        regular_hours: intraday, only what begins in a session.
        pace: how fast one may ask.
        contracts: that are known.
    """

    def __init__(
        self,
        line: Line,
        *,
        regular_hours: bool,
        clock: Clock,
        pace: Pace,
        contracts: Contracts | None = None,
    ) -> None:
        self._line = line
        self._regular_hours = regular_hours
        self._clock = clock
        self._pace = pace
        self._contracts = contracts or Contracts()
        self._opening = asyncio.Lock()

    async def up(self) -> None:
        """Have the line up."""
        async with self._opening:
            if not self._line.is_up:
                await self._line.open()

    async def contract(self, symbol: str) -> Any:
        """The contract of a symbol.

        Raises:
            DataError: there is none, or several.
        """
        try:
            return await self._contracts.find(symbol, self._line)
        except VenueRefused as refused:
            raise unusable(f"no contract for {symbol}: {refused.text}") from None
        except SchemaRefused as refused:
            raise unusable(str(refused)) from None

    async def bars(
        self,
        symbols: Sequence[str],
        start: datetime,
        end: datetime,
        timeframe: Timeframe,
        *,
        seen_at: datetime | None = None,
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry.

        Args:
            seen_at: those that had ended then are finished; by default now.

        Raises:
            ConfigError: IB has no such bars.
            DataError: unknown symbol, or no market data permission.
            Transient: no answer, or too fast three times.
        """
        if timeframe.text not in SIZES:
            raise ConfigError(f"ibkr: bars are {', '.join(SIZES)}, not {timeframe}")
        await self.up()
        seen_at = seen_at or self._clock.now()
        found = {}
        for symbol in symbols:
            bars: dict[datetime, VenueBar] = {}
            for first, after in _stretches(start, end, SIZES[timeframe.text][1]):
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
        contract = await self.contract(symbol)
        span_s = int((end - start).total_seconds()) + 1
        duration = f"{span_s} S" if span_s <= _DAY.total_seconds() else f"{-(-span_s // 86400)} D"
        end_text = f"{end.astimezone(UTC):%Y%m%d-%H:%M:%S}"
        words = (end_text, duration, SIZES[timeframe.text][0], WHAT, self._regular_hours)

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


def _refused(symbol: str, refused: VenueRefused) -> bool:
    """Whether there is no such data; False: it was asked for too fast."""
    text = refused.text.lower()
    if "pacing" in text:
        return False
    if lacks_permission(int(refused.code), text):
        raise no_permission(symbol, refused.text)
    if refused.code == "162" and "no data" in text:
        return True
    raise unusable(f"no history of {symbol}: {refused.text} (code {refused.code})")


def no_permission(symbol: str, text: str) -> DataError:
    """Prices that the login may not have, and what to do about it."""
    return unusable(
        f"no market data permission for {symbol} ({text}): subscribe to its exchange in IBKR's "
        "Client Portal, and end other sessions of the same login"
    )


def unusable(text: str) -> DataError:
    """IB's words, or ours, on one line."""
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
