"""Bars of five minutes to an hour, live, gathered from a vendor's stream of minutes."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from brokers.clock import Clock
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_client import CALENDAR, AlpacaData
from feeds.gathering import Gathering

Item = VenueBar | Reconnected


class Minutes(Protocol):
    """Minute bars as they finish, such as `AlpacaBarStream`."""

    def bars(self, symbols: Sequence[str]) -> AsyncGenerator[Item, None]:
        """See `AlpacaBarStream.bars`."""


class Listen(Protocol):
    """Makes the stream of minutes."""

    def __call__(self, *, on_outage: Callable[[str], None]) -> Minutes:
        """Make it, with whom it tells of an outage."""


class GatheredBars:
    """Bars of `data.timeframe`, each as soon as its minutes are in; see `Gathering`.

    During an outage nothing is given: what was missed comes first after it.

    Args:
        data: `gather_s`, `regular_hours`; bars later than `since`.
        on_outage: told, on the loop, why the stream is down.
    """

    def __init__(
        self,
        listen: Listen,
        data: AlpacaData,
        *,
        clock: Clock,
        on_outage: Callable[[str], None],
    ) -> None:
        self._minutes = listen(on_outage=self._is_down)
        self._clock = clock
        self._on_outage = on_outage
        self._gathering = Gathering(
            data.timeframe,
            data.gather_s,
            clock,
            calendar=CALENDAR if data.regular_hours else None,
            since=data.since,
        )

    async def bars(self, symbols: Sequence[str]) -> AsyncGenerator[Item, None]:
        """Bars as they finish, corrections marked; `Reconnected` as the stream of minutes has it.

        Raises:
            SeawallError: as the stream of minutes.
        """
        async with aclosing(self._minutes.bars(symbols)) as minutes:
            coming = asyncio.ensure_future(anext(minutes, None))
            try:
                while True:
                    await self._until_due_or(coming)
                    if coming.done():
                        if (item := coming.result()) is None:
                            return
                        for found in self._taken(item):
                            yield found
                        coming = asyncio.ensure_future(anext(minutes, None))
                    for bar in self._gathering.due():
                        yield bar
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    def _taken(self, item: Item) -> Sequence[Item]:
        return self._gathering.add(item) if isinstance(item, VenueBar) else [item]

    async def _until_due_or(self, coming: "asyncio.Future[Any]") -> None:
        wait_s = self._gathering.wait_s()
        if wait_s is None:
            await asyncio.wait([coming])
            return
        timer: asyncio.Future[Any] = asyncio.ensure_future(self._clock.wait(wait_s))
        try:
            await asyncio.wait([coming, timer], return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    def _is_down(self, text: str) -> None:
        self._gathering.is_paused = True
        self._on_outage(text)
