"""Longer bars out of Alpaca's stream of minutes."""

import asyncio
import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from brokers.errors import DataError, Transient
from brokers.wire.transport import Reconnected
from feeds.alpaca import AlpacaBars
from feeds.alpaca_client import AlpacaData
from feeds.gathered_bars import GatheredBars
from feeds.timeframe import Timeframe
from tests.feeds.alpaca_server import (
    HANG,
    KEYS,
    AlpacaServer,
    MemoryHttp,
    PatientClock,
    at_new_york,
    greeting,
    live,
    row,
)

NOON = at_new_york("2024-03-08 12:00")
HELLO = greeting("AAPL", "SPY")


def noon(minute: int, symbol: str = "AAPL", **how: Any) -> Any:
    return live(symbol, f"2024-03-08 12:{minute:02}", **how)


def run(connections: Sequence[Any], count: int, **how: Any) -> SimpleNamespace:
    """The first items of five-minute bars: "up", or symbol, minute, volume."""

    async def first() -> None:
        items = source.bars(["AAPL"])
        found.items = [shown(await anext(items)) for _ in range(count)]
        await items.aclose()

    clock = PatientClock(NOON)
    http = MemoryHttp(clock, AlpacaServer(how.pop("history", None)), connections)
    data = AlpacaData(timeframe=Timeframe("5m"), mute_s=3600.0, **how)
    found = SimpleNamespace(outages=[])
    source = AlpacaBars(
        http, http, KEYS, data, clock=clock, rng=random.Random(1), on_outage=found.outages.append
    )
    asyncio.run(first())
    return found


def shown(item: Any) -> Any:
    if isinstance(item, Reconnected):
        return "up"
    return item.symbol, item.start_at.minute, item.volume


def test_five_minutes_of_the_stream_are_one_bar():
    found = run([[*HELLO, *map(noon, range(10))]], 3)
    assert found.items == ["up", ("AAPL", 0, 5000.0), ("AAPL", 5, 5000.0)]


def test_the_sentinel_ends_a_bar_whose_last_minutes_nobody_traded():
    found = run([[*HELLO, noon(0), noon(2), 300.0, noon(4, "SPY")]], 3)
    assert found.items == ["up", ("SPY", 0, 1000.0), ("AAPL", 0, 2000.0)]


def test_an_outage_delays_a_bar_until_its_minutes_are_fetched():
    history = {"AAPL": [row(f"2024-03-08 12:{minute:02}") for minute in range(6)]}
    connections = [[*HELLO, noon(0), 400.0, Transient("gone")], HELLO]
    found = run(connections, 3, history=history)
    assert found.items == ["up", ("AAPL", 0, 1000.0), "up"]  # by the clock, before the outage
    early = [[*HELLO, noon(0), 100.0, Transient("gone")], *[[HANG]] * 40, HELLO]
    found = run(early, 3, history=history)
    assert found.items == ["up", "up", ("AAPL", 0, 5000.0)]
    assert found.outages[0] == "gone"


def test_what_ends_the_stream_of_minutes_ends_the_bars():
    class Ended:
        def __init__(self, failure: Exception | None = None) -> None:
            self._failure = failure

        async def bars(self, symbols: Sequence[str]) -> Any:
            if self._failure:
                raise self._failure
            for _ in symbols[1:]:
                yield None

    async def all_of(failure: Exception | None) -> list[Any]:
        data = AlpacaData(timeframe=Timeframe("5m"))
        source = GatheredBars(
            lambda **_: Ended(failure), data, clock=PatientClock(NOON), on_outage=print
        )
        return [item async for item in source.bars(["AAPL"])]

    assert asyncio.run(all_of(None)) == []
    with pytest.raises(DataError, match="mute"):
        asyncio.run(all_of(DataError("mute")))
