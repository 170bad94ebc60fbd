"""What a session has to know of its venue before it begins: the time, the account, the past."""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from brokers.clock import Clock
from brokers.errors import DataError, Transient
from brokers.thread import run
from brokers.wire.transport import VenueAccount, VenueBar, VenuePosition
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import AlpacaData
from feeds.bars import COLUMNS
from feeds.calendars import bar_close
from feeds.passport import stamp
from feeds.timeframe import Timeframe
from live.connection import Connection, connect
from live.corporate_actions import AHEAD
from live.exchange import Exchange
from live.market_clock import MarketClock
from live.paper.hours import Hours
from live.permissions import Size, require
from live.settings import LiveSettings
from live.venues import Access
from live.warm_up import FEWEST, reach

ZONE = "America/New_York"
DAY_S, SHORT_DAY_S = 86_400.0, 1.0
PARTS = 10  # of a short day, after each of which one looks whether it is over

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Briefing:
    """The venue at the start.

    Args:
        frames: the warm-up by symbol, stamped; empty where no warm-up was asked for.
        is_open: whether the exchange trades now.
        splits: of the warm-up's time and of the next days, as far as the vendor tells.
    """

    clock: MarketClock
    account: VenueAccount
    positions: tuple[VenuePosition, ...]
    frames: Mapping[str, pd.DataFrame]
    is_open: bool
    splits: tuple[StockSplit, ...] = ()


def brief(
    access: Access, settings: LiveSettings, data: AlpacaData, real: Clock, rng: random.Random
) -> Briefing:
    """Ask the venue; blocks, and leaves nothing open.

    Raises:
        ConfigError: the keys were refused, or account or symbols cannot be traded.
        DataError: too few bars for the warm-up, or they are not in the plan.
        TransportError: the venue cannot be reached.
    """
    return run(_brief(access, settings, data, real, rng), "briefing")


async def _brief(
    access: Access, settings: LiveSettings, data: AlpacaData, real: Clock, rng: random.Random
) -> Briefing:
    wires = connect(access, settings.wire, data, real, rng)
    try:
        account = await wires.account.account()  # first of all: it tells whether the keys are right
        await require(wires.exchange.objections, account, settings.data.symbols, _sizes(settings))
        positions = tuple(await wires.account.positions())
        told = await wires.exchange.time()
        at, is_open = told.at, told.is_open
        timeframe = Timeframe(settings.data.timeframe)
        if access.is_ours and not timeframe.is_intraday and DAY_S / access.speed < SHORT_DAY_S:
            at = await _next_day(wires.exchange, access, real, at)
        clock = _clock(access, settings, real, at)
    finally:
        await wires.close()
    wires = connect(access, settings.wire, data, clock, rng)
    try:
        start = at - reach(settings.data.warmup_bars, timeframe)
        found = await wires.bars.history(settings.data.symbols, start, at, timeframe.text)
        splits = await _splits(wires, settings.data.symbols, start, at)
    finally:
        await wires.close()
    count = max(settings.data.warmup_bars, FEWEST)
    frames = {
        symbol: _frame(symbol, _ended(bars, timeframe, settings, at)[-count:], settings, access, at)
        for symbol, bars in found.items()
    }
    return Briefing(clock, account, positions, frames, is_open, splits)


async def _splits(
    wires: Connection, symbols: Sequence[str], start: datetime, at: datetime
) -> tuple[StockSplit, ...]:
    """Splits since `start`; none where the vendor does not tell, which is logged."""
    try:
        return await wires.bars.splits(symbols, start.date(), (at + AHEAD).date())
    except (DataError, Transient) as error:
        _log.warning("corporate actions could not be read: %s", error)
        return ()


def _clock(access: Access, settings: LiveSettings, real: Clock, at: datetime) -> MarketClock:
    timeframe = Timeframe(settings.data.timeframe)
    if not access.is_ours:
        return MarketClock(real, at, access.speed)
    closes = None if timeframe.is_intraday else Hours(settings.data.calendar).close_of
    return MarketClock(real, at, access.speed, timeframe.delta, closes)


async def _next_day(exchange: Exchange, access: Access, real: Clock, at: datetime) -> datetime:
    """Wait for a venue's next day to begin: found late in a short one, all orders would be late."""
    begun_at = at
    for _ in range(2 * PARTS):
        if at > begun_at:
            break
        await real.wait(DAY_S / access.speed / PARTS)
        at = (await exchange.time()).at
    return at


def _sizes(settings: LiveSettings) -> list[Size]:
    return [strategy.size for strategy in settings.strategies]


def _ended(
    bars: Sequence[VenueBar], timeframe: Timeframe, settings: LiveSettings, at: datetime
) -> Sequence[VenueBar]:
    """Leave out a last bar that had not ended when the venue told its time."""
    last = pd.DatetimeIndex([bar.start_at for bar in bars[-1:]], tz="UTC")
    is_running = bar_close(settings.data.calendar, last, timeframe) > pd.Timestamp(at)
    return bars[:-1] if is_running.any() else bars


def _frame(
    symbol: str,
    bars: Sequence[VenueBar],
    settings: LiveSettings,
    access: Access,
    at: datetime,
) -> pd.DataFrame:
    if not bars:
        raise DataError(
            f"{symbol}: the venue has no {settings.data.timeframe} bars before {at:%Y-%m-%d %H:%M} "
            "UTC: check the symbol and the feed"
        )
    feed, adjustment = access.kind_of_bars(settings.data)
    index = pd.DatetimeIndex([bar.start_at for bar in bars], name="time")
    columns = {name: [getattr(bar, name) for bar in bars] for name in COLUMNS}
    return stamp(
        pd.DataFrame(columns, index=index),
        symbol=symbol,
        source=access.name,
        timeframe=settings.data.timeframe,
        feed=feed,
        adjustment=adjustment,
        calendar=settings.data.calendar,
        zone=ZONE,
        fetched_at=at,
        synthetic=access.is_ours,
    )
