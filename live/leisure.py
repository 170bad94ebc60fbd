"""What can wait is done while nothing happens, so that it never holds up an order."""

import gc
from typing import Self

from brokers.clock import Clock
from brokers.inbox import Inbox

LONGEST_S = 1.0  # without rest; what can wait is done then all the same
YOUNG = 2_000  # objects made since the last collection that make another one worth while
ALL_EVERY_S = 600.0


class Leisure:
    """Tells a round of Cerebro's in which nothing has arrived, and collects garbage then.

    Python collects in the middle of whatever makes objects, a turn's orders for instance. While
    this is entered it does not; in its stead `tidy` is called.

    Args:
        inbox: all that reaches Cerebro's thread.
        clock: for what was put off too long.
    """

    def __init__(self, inbox: Inbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock
        self._received = 0
        self._due_s = clock.monotonic()
        self._all_due_s = self._due_s + ALL_EVERY_S

    def __enter__(self) -> Self:
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        gc.enable()

    def has_come(self, *, is_busy: bool = False) -> bool:
        """Whether nothing has arrived since the last call, or there was no rest for a second.

        Args:
            is_busy: whether another thread has orders in hand.
        """
        before, self._received = self._received, self._inbox.received
        now_s = self._clock.monotonic()
        if (is_busy or before != self._received) and now_s < self._due_s:
            return False
        self._due_s = now_s + LONGEST_S
        return True

    def settle(self) -> None:
        """Take what is there by now for what stays: later collections pass it over."""
        gc.collect()
        gc.freeze()

    def tidy(self) -> None:
        """Collect garbage, if there is enough of it; now and then look through everything."""
        if self._clock.monotonic() >= self._all_due_s:
            self._all_due_s = self._clock.monotonic() + ALL_EVERY_S
            gc.collect()
        elif gc.get_count()[0] >= YOUNG:
            gc.collect(1)
