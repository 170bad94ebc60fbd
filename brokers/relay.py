"""Facts on their way to Cerebro's thread, held back a little while orders are on theirs."""

import asyncio
from collections.abc import Callable, Sequence

from brokers.clock import Clock
from brokers.facts import Fact

HOLD_S = 0.002  # far below what a notification may take, above what a turn of 50 orders needs


class Relay:
    """Hands facts over in the order in which they were told; belongs to one event loop.

    Cerebro's thread and the loop's cannot compute at once: woken by the first answer of a turn, it
    would keep the turn's later orders from leaving. So facts told while some are on their way go
    over together, when the last one is answered and after `HOLD_S` at the latest.

    Args:
        hand_over: takes what was told, any thread's.
        clock: times the holding.
    """

    def __init__(self, hand_over: Callable[[Sequence[Fact]], object], clock: Clock) -> None:
        self._hand_over = hand_over
        self._clock = clock
        self._is_holding = False
        self._held: list[Fact] = []
        self._timer: asyncio.Task[None] | None = None

    def tell(self, fact: Fact) -> None:
        """Hand a fact over, at once or with others."""
        self._held.append(fact)
        if not self._is_holding:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().create_task(self._expire())

    def hold(self, is_holding: bool) -> None:
        """Hold back what is told from now on, or hand over what was held."""
        self._is_holding = is_holding
        if not is_holding:
            self._flush()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._held:
            held, self._held = self._held, []
            self._hand_over(held)

    async def _expire(self) -> None:
        await self._clock.wait(HOLD_S)
        self._timer = None
        self._flush()
