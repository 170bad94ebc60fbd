"""The threads of compiled sweeps, kept from one to the next."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from queue import SimpleQueue


def threads(count: int) -> ThreadPoolExecutor:
    """So many, which wait for the next sweep: to start them takes as long as a small one."""
    return _pool(os.getpid(), count)


def processors() -> frozenset[int]:
    """Numbers of those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


@lru_cache(maxsize=1)
def _pool(process: int, count: int) -> ThreadPoolExecutor:  # noqa: ARG001  a fork has no threads
    own: SimpleQueue[int] = SimpleQueue()
    if count == len(processors()) and hasattr(os, "sched_setaffinity"):
        for number in processors():
            own.put(number)
    return ThreadPoolExecutor(count, "sweep", initializer=_settle, initargs=(own,))


def _settle(own: "SimpleQueue[int]") -> None:
    """Keep a thread to a processor of its own, where the sweep has them all.

    Linux may wake two threads on one processor and leave them there until its next tick, some 4 ms
    later: as long as the kernel takes for a thousand sets of 2,500 bars.
    """
    if not own.empty():
        with suppress(OSError):  # some sandboxes forbid it
            os.sched_setaffinity(0, {own.get()})
