"""Try again what was surely not accepted: exponential back-off with full jitter."""

import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar, cast

from tenacity import AsyncRetrying, Future, RetryCallState, Retrying, retry_if_exception_type

from brokers.clock import Clock
from brokers.errors import ConfigError, Transient

T = TypeVar("T")


class _Policy(TypedDict):
    """What tenacity's two retriers are told alike."""

    retry: retry_if_exception_type
    wait: Callable[[RetryCallState], float]
    stop: Callable[[RetryCallState], bool]
    retry_error_callback: Callable[[RetryCallState], Any]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between the tries of one call, and when to give up.

    Only `Transient` is tried again: `Unknown` must be looked up and `OrderRefused` is a verdict.
    Before try n + 1 the wait is drawn evenly from 0 to min(cap_s, first_s * 2 ** (n - 1)); when
    the far side said `retry_after_s`, that is added in front. A wait that would end past the
    deadline is not begun: the last error is raised, with the tries and seconds in its text.

    Args:
        first_s: widest first wait in seconds.
        cap_s: widest wait in seconds.
        deadline_s: seconds from the first try after which no try begins; 0 tries once.

    Raises:
        ConfigError: a number is out of range.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """

    first_s: float = 0.5
    cap_s: float = 30.0
    deadline_s: float = 120.0

    def __post_init__(self) -> None:
        if not 0 < self.first_s <= self.cap_s < math.inf:
            raise ConfigError(
                f"a back-off needs 0 < first_s ({self.first_s}) <= cap_s ({self.cap_s}), finite"
            )
        if not self.deadline_s >= 0:
            raise ConfigError(f"a back-off needs a deadline_s of at least 0, not {self.deadline_s}")

    def call(self, fn: Callable[[], T], *, clock: Clock, rng: random.Random) -> T:
        """Call `fn` until it answers, blocking between the tries."""
        policy = self._policy(clock, rng, clock.monotonic())
        return Retrying(sleep=clock.sleep, **policy)(fn)

    async def acall(self, fn: Callable[[], Awaitable[T]], *, clock: Clock, rng: random.Random) -> T:
        """Await `fn()` until it answers, letting others run between the tries."""
        began_s, failed = clock.monotonic(), list[Transient]()
        try:
            return await fn()
        except Transient as error:
            failed.append(error)

        async def again() -> T:
            """The try that has failed, then further ones."""
            if failed:
                raise failed.pop()
            return await fn()

        # tenacity takes longer than the rest of a call, and most calls need no second try
        return await AsyncRetrying(sleep=clock.wait, **self._policy(clock, rng, began_s))(again)

    def _policy(self, clock: Clock, rng: random.Random, began_s: float) -> _Policy:

        def wait(state: RetryCallState) -> float:
            widest_s = min(self.cap_s, self.first_s * 2.0 ** min(state.attempt_number - 1, 64))
            return (_error(state).retry_after_s or 0.0) + rng.uniform(0.0, widest_s)

        def stop(state: RetryCallState) -> bool:
            return clock.monotonic() - began_s + state.upcoming_sleep > self.deadline_s

        def give_up(state: RetryCallState) -> None:
            error, spent_s = _error(state), clock.monotonic() - began_s
            tries = "1 try" if state.attempt_number == 1 else f"{state.attempt_number} tries"
            error.args = (f"{error} (gave up after {tries} in {spent_s:.1f} s)",)
            raise error

        return {
            "retry": retry_if_exception_type(Transient),
            "wait": wait,
            "stop": stop,
            "retry_error_callback": give_up,
        }


def _error(state: RetryCallState) -> Transient:
    """Return what the last try raised; tenacity waits and stops for `Transient` alone."""
    return cast("Transient", cast("Future", state.outcome).exception())
