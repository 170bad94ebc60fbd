"""Leave to depart: an order is made ready while the log goes to the disk, and waits at the door."""

import asyncio
from contextvars import ContextVar

from brokers.errors import SchemaRefused


class Clearance:
    """Whether the orders of one turn may leave: said once, from any thread, awaited on one loop.

    Args:
        loop: of those who wait.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._refusal: str | None = None
        self._is_said = False
        self._said = asyncio.Event()

    def give(self) -> None:
        """Let the orders leave."""
        self._say(None)

    def refuse(self, text: str) -> None:
        """Let none of them leave."""
        self._say(text)

    async def wait(self) -> None:
        """Wait for the word.

        Raises:
            SchemaRefused: it is no.
        """
        if not self._is_said:
            await self._said.wait()
        if self._refusal is not None:
            raise SchemaRefused(self._refusal)

    def _say(self, refusal: str | None) -> None:
        self._refusal, self._is_said = refusal, True
        self._loop.call_soon_threadsafe(self._said.set)


clearance: ContextVar[Clearance | None] = ContextVar("clearance", default=None)


async def cleared() -> None:
    """Await this before the first byte of an order leaves; at once where nothing is held back.

    Raises:
        SchemaRefused: it must not leave.
    """
    if (awaited := clearance.get()) is not None:
        await awaited.wait()
