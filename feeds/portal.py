"""Bars from the Client Portal: history, and live bars that are asked for as they end.

The Portal's websocket tells of prices, not of bars, and of history it streams five symbols at most.
So each minute is asked for when it has ended, of every symbol; how many that can be, its pacing
says. Longer bars are gathered from minutes, days are fetched after the close.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError, DataError, Transient, VenueRefused
from brokers.wire.http import NoAnswer
from brokers.wire.portal import Portal
from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import CALENDAR, MINUTE, AlpacaData
from feeds.daily_bars import DailyBars
from feeds.gathered_bars import GatheredBars
from feeds.portal_rounds import PortalRounds
from feeds.ranges import midnights
from feeds.timeframe import Timeframe

ZONE = "America/New_York"
PATH = "iserver/marketdata/history"
SEEN, LOOKS = "6509", 3
CALLS_A_SECOND = 5.0  # of ten; orders, cancels and comparisons need the rest
SHARE = 0.25  # of a minute that a round of asking for it may take
# Bar size in IBKR's words, and days of such bars that are at most 1,000.
_SIZES = {
    "1m": ("1min", 1),
    "5m": ("5min", 5),
    "15m": ("15min", 15),
    "30m": ("30min", 30),
    "1h": ("1h", 60),
    "1d": ("1d", 365),
}


class PortalBars:
    """A session's bars, past and live; see `brokers.wire.transport.BarSource`.

    Args:
        account: whose login and contracts are used; it is closed by whoever made it.
        data: timeframe, `regular_hours`, `since`, `mute_s`, `settle_s`, `gather_s`.
        on_outage: told, on the loop, why live bars do not come.
        is_paced: IBKR's limits hold.

    Raises:
        ConfigError: live bars are not 1m to 1d.
    """

    def __init__(
        self,
        account: Portal,
        data: AlpacaData,
        *,
        clock: Clock,
        on_outage: Callable[[str], None],
        is_paced: bool = True,
    ) -> None:
        if data.timeframe.text not in _SIZES:
            raise ConfigError(f"portal: live bars are {', '.join(_SIZES)}, not {data.timeframe}")
        self._session = account.session
        self._contracts = account.contracts
        self._stream = account.stream
        self._data = data
        self._clock = clock
        self._is_paced = is_paced
        self._live: Any
        if not data.timeframe.is_intraday:
            self._live = DailyBars(self._past, data, clock=clock, on_outage=on_outage)
        elif data.timeframe == MINUTE:
            self._live = self._rounds(on_outage=on_outage)
        else:
            self._live = GatheredBars(self._rounds, data, clock=clock, on_outage=on_outage)

    async def history(
        self, symbols: Sequence[str], start: datetime, end: datetime, timeframe: str
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry.

        Raises:
            DataError: unknown symbol, or no market data permission.
            Transient: no answer.
        """
        return await self._past(symbols, start, end, Timeframe(timeframe))

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Bars as they end.

        Raises:
            ConfigError: more symbols than the Portal can be asked for in time.
        """
        most = int(CALLS_A_SECOND * SHARE * 60.0)
        if self._is_paced and self._data.timeframe.is_intraday and len(symbols) > most:
            raise ConfigError(
                f"portal: live bars of {self._data.timeframe} for {len(symbols)} symbols are more "
                f"than its pacing allows: take at most {most}, daily bars, or venue ibkr"
            )
        found: AsyncIterator[VenueBar | Reconnected] = self._live.bars(symbols)
        return found

    async def availability(self, symbols: Sequence[str]) -> dict[str, str]:
        """IBKR's word for what is seen of each: R real time, D delayed, Z frozen, N nothing.

        Raises:
            DataError: unknown symbol.
            Transient: no answer.
        """
        await self._session.up()
        conids = {symbol: await self._conid(symbol) for symbol in symbols}
        params = {"conids": ",".join(map(str, conids.values())), "fields": f"31,{SEEN}"}
        found: dict[str, str] = {}
        for _ in range(LOOKS):  # the first answer prepares the next
            rows = await self._session.ask("GET", "iserver/marketdata/snapshot", params)
            told = {int(row["conid"]): str(row[SEEN]) for row in rows if SEEN in row}
            found = {symbol: told[conid][:1] for symbol, conid in conids.items() if conid in told}
            if len(found) == len(conids):
                break
        return {symbol: found.get(symbol, "N") for symbol in symbols}

    async def splits(self, *_: object) -> tuple[StockSplit, ...]:
        """None: this API does not tell of corporate actions."""
        return ()

    async def close(self) -> None:
        """Nothing to end: the connection is the account's."""

    def _rounds(self, *, on_outage: Callable[[str], None]) -> PortalRounds:
        return PortalRounds(
            self._past,
            self._data,
            clock=self._clock,
            on_outage=on_outage,
            pulse=self._stream.pulse,
            watch=self._watch,
            is_eager=not self._is_paced,
        )

    async def _watch(self, symbols: Sequence[str]) -> None:
        """Have the prices of these symbols move the pulse."""
        await self._session.up()
        await self._stream.watch([await self._conid(symbol) for symbol in symbols])

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
            raise ConfigError(f"portal: bars are {', '.join(_SIZES)}, not {timeframe}")
        await self._session.up()
        seen_at = seen_at or self._clock.now()
        found = {}
        for symbol in symbols:
            conid = await self._conid(symbol)
            bars: dict[datetime, VenueBar] = {}
            for first, after in _stretches(start, end, _SIZES[timeframe.text][1]):
                for bar in await self._asked(symbol, conid, first, after, timeframe):
                    bars[bar.start_at] = bar
            found[symbol] = tuple(
                bars[at]
                for at in sorted(bars)
                if start <= at < end and _has_ended(at, timeframe, seen_at)
            )
        return found

    async def _conid(self, symbol: str) -> int:
        try:
            return await self._contracts.find(symbol)
        except VenueRefused as refused:
            raise DataError(f"portal: no contract for {symbol}: {refused.text}") from None

    async def _asked(
        self, symbol: str, conid: int, start: datetime, end: datetime, timeframe: Timeframe
    ) -> list[VenueBar]:
        """What ends by `end`; the name of `startTime` notwithstanding, it counts backwards."""
        days = -(-int((end - start).total_seconds() + 1) // 86400)
        params = {
            "conid": str(conid),
            "bar": _SIZES[timeframe.text][0],
            "period": f"{days}d",
            "outsideRth": "false" if self._data.regular_hours else "true",
            "startTime": f"{end.astimezone(UTC):%Y%m%d-%H:%M:%S}",
        }
        try:
            told = await self._session.request("GET", PATH, params)
            return [_bar(symbol, row, timeframe) for row in told["data"]]
        except (NoAnswer, VenueRefused) as error:
            return _none(symbol, str(error))
        except (KeyError, TypeError, ValueError) as error:
            raise Transient(f"portal: history of {symbol} cannot be read: {error!r}") from None


def _none(symbol: str, why: str) -> list[VenueBar]:
    """No bars, where that is what an error says."""
    text = why.lower()
    if "permission" in text or "subscri" in text:
        raise DataError(f"portal: no market data permission for {symbol}: {why}")
    if "unavailable" in text or "no data" in text:
        return []
    raise Transient(f"portal: no history of {symbol}: {why}")


def _stretches(start: datetime, end: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        after = min(start + timedelta(days=days), end)
        yield start, after
        start = after


def _bar(symbol: str, row: Any, timeframe: Timeframe) -> VenueBar:
    """A bar of IBKR's; a day is stamped with its open, and begins at midnight of New York."""
    start = datetime.fromtimestamp(int(row["t"]) / 1000, UTC)
    if not timeframe.is_intraday:
        day = pd.DatetimeIndex([start.astimezone(ZoneInfo(ZONE)).date()])
        start = midnights(day, ZONE).to_pydatetime()[0].astimezone(UTC)
    opened, high, low, close = (float(row[name]) for name in ("o", "h", "l", "c"))
    return VenueBar(symbol, start, opened, high, low, close, max(float(row["v"]), 0.0))


def _has_ended(start: datetime, timeframe: Timeframe, at: datetime) -> bool:
    ends = calendars.bar_close(CALENDAR, pd.DatetimeIndex([start]), timeframe)
    return bool(ends[0] <= pd.Timestamp(at))
