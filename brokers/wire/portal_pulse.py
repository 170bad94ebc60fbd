"""How far the market has come, as the prices on a websocket tell."""

import asyncio
from datetime import datetime


class PortalPulse:
    """The instant of the newest price; belongs to one event loop, and one task awaits it."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self._has_moved = asyncio.Event()

    def tell(self, at: datetime) -> None:
        """Note a price's instant."""
        self.at = at if self.at is None else max(self.at, at)
        self._has_moved.set()

    async def moved(self) -> None:
        """Wait until a price has come since this was last awaited."""
        await self._has_moved.wait()
        self._has_moved.clear()
