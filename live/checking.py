"""The wires of `check`: connect, look, hang up."""

import random
from collections.abc import Sequence
from math import isfinite

from backtest.spec import RunSpec
from brokers.clock import Clock
from feeds.timeframe import Timeframe
from live.briefing import venue_clock
from live.check import Row, Subject, checked
from live.connection import connect
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
    clock = real
    rows = [Row("keys", "go", f"for {access.trading}")]
    if access.is_ours:
        wires = connect(access, settings.wire, wanted(settings, access), real, rng)
        at, _ = await venue_clock(wires.http)
        await wires.close()
        clock = MarketClock(real, at, access.speed)
    wires = connect(access, settings.wire, wanted(settings, access), clock, rng)
    subject = Subject(
        transport=wires.account,
        bars=wires.bars,
        http=wires.http,
        clock=clock,
        symbols=settings.data.symbols,
        timeframe=Timeframe(settings.data.timeframe).text,
        log=Folder(settings.path).log,
        is_fast=access.is_ours,
        whole_units=all(_is_whole(spec) for spec in specs),
    )
    try:
        return rows + [row async for row in checked(subject)]
    finally:
        await wires.close()


def _is_whole(spec: RunSpec) -> bool:
    size = spec.size
    return not isinstance(size, float) or not isfinite(size) or size.is_integer()
