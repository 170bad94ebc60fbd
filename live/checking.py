"""The wires of `check`: connect, look, hang up."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from backtest.spec import RunSpec
from brokers.clock import Clock
from brokers.wire.portal import Portal
from feeds.ibkr import IbkrBars
from feeds.portal import PortalBars
from feeds.timeframe import Timeframe
from live import check_ibkr, check_portal
from live.check import Look, Row, Subject, checked
from live.connection import Connection, connect
from live.folder import Folder
from live.market_clock import MarketClock
from live.settings import LiveSettings
from live.start import wanted
from live.venues import Access


async def look(
    settings: LiveSettings,
    specs: Sequence[RunSpec],
    access: Access,
    real: Clock,
    rng: random.Random,
) -> list[Row]:
    """Look at the account, the data and the log."""
    clock: Clock = real
    rows = [Row("keys", "go", f"for {access.trading or access.where}")]
    if access.is_ours:
        clock = MarketClock(real, await _venue_time(settings, access, real, rng), access.speed)
    wires = connect(access, settings.wire, wanted(settings, access), clock, rng)
    subject = Subject(
        transport=wires.account,
        bars=wires.bars,
        exchange=wires.exchange,
        clock=clock,
        symbols=settings.data.symbols,
        timeframe=Timeframe(settings.data.timeframe).text,
        log=None if access.is_embedded else Folder(settings.path).log,
        is_fast=access.is_ours,
        sizes=tuple(spec.size for spec in specs),
        own=_own(access, wires),
    )
    try:
        return rows + [row async for row in checked(subject)]
    finally:
        await wires.close()


def _own(access: Access, wires: Connection) -> Mapping[str, Look]:
    """What this venue alone is asked."""
    if access.gateway is not None and isinstance(wires.bars, IbkrBars):
        return check_ibkr.looks(wires.bars, access.gateway.night)
    if isinstance(wires.direct, Portal) and isinstance(wires.bars, PortalBars):
        return check_portal.looks(wires.direct.session, wires.bars, is_ours=access.is_ours)
    return {}


async def _venue_time(
    settings: LiveSettings, access: Access, real: Clock, rng: random.Random
) -> datetime:
    wires = connect(access, settings.wire, wanted(settings, access), real, rng)
    try:
        return (await wires.exchange.time()).at
    finally:
        await wires.close()
