"""Bars from IB Gateway: history under its pacing rules, and live minutes, longer bars and days."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.ibkr_line import Line
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import MINUTE, AlpacaData
from feeds.daily_bars import DailyBars
from feeds.gathered_bars import GatheredBars
from feeds.ibkr_history import SIZES, IbkrHistory
from feeds.ibkr_pacing import Pace, Paced
from feeds.ibkr_stream import IbkrBarStream
from feeds.timeframe import Timeframe

ADJUSTMENTS = ("split", "none", "raw")  # of live bars the same


class IbkrBars:
    """A session's bars, past and live; see `brokers.wire.transport.BarSource`.

    Args:
        gateway: with a client id of its own, beside the account's.
        data: timeframe, `regular_hours`, sentinel, `since`, `mute_s`, `quiet_s`, `settle_s`,
            `gather_s`.
        on_outage: told, on the loop, why live bars do not come.
        contracts: those that the account knows as well.
        pace: how fast history may be asked for; by default as IB has it.

    Raises:
        ConfigError: live bars are not 1m to 1d, or adjusted for dividends.
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
        contracts: Contracts | None = None,
    ) -> None:
        if data.timeframe.text not in SIZES:
            raise ConfigError(f"ibkr: live bars are {', '.join(SIZES)}, not {data.timeframe}")
        if data.adjustment not in ADJUSTMENTS:
            raise ConfigError(
                f"ibkr: bars are adjusted for splits alone, not {data.adjustment}: set "
                "data.adjustment to split or none"
            )
        self._gateway = gateway
        self._data = data
        self._clock = clock
        self._rng = rng
        self._line = Line(gateway, self._hear, clock=clock, timeout_s=data.timeout_s)
        self._history = IbkrHistory(
            self._line,
            regular_hours=data.regular_hours,
            clock=clock,
            pace=pace or Paced(clock),
            contracts=contracts,
        )
        self._stream = self._listen(on_outage=on_outage)
        self._live: Any = self._stream
        if not data.timeframe.is_intraday:
            self._live = DailyBars(self._history.bars, data, clock=clock, on_outage=on_outage)
        elif data.timeframe != MINUTE:
            self._live = GatheredBars(self._listen, data, clock=clock, on_outage=on_outage)

    async def history(
        self, symbols: Sequence[str], start: datetime, end: datetime, timeframe: str
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry.

        Raises:
            DataError: unknown symbol, or no market data permission.
            Transient: no answer, or too fast three times.
        """
        return await self._history.bars(symbols, start, end, Timeframe(timeframe))

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Bars as they finish: minutes of five-second bars, longer ones of these, days fetched."""
        found: AsyncIterator[VenueBar | Reconnected] = self._live.bars(symbols)
        return found

    async def splits(self, *_: object) -> tuple[StockSplit, ...]:
        """None: this API does not tell of corporate actions."""
        return ()

    async def require_live(self, symbols: Sequence[str]) -> None:
        """See `IbkrBarStream.require`."""
        await self._stream.require(symbols)

    async def close(self) -> None:
        """End the connection."""
        self._line.close()

    def _listen(self, *, on_outage: Callable[[str], None]) -> IbkrBarStream:
        """The stream of minutes, from now on the only one that hears the line."""
        self._stream = IbkrBarStream(
            self._gateway.where,
            self._line,
            self._history,
            self._data,
            clock=self._clock,
            rng=self._rng,
            on_outage=on_outage,
        )
        return self._stream

    def _hear(self, name: str, args: tuple[Any, ...]) -> None:
        self._stream.hear(name, args)
