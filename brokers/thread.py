"""A thread with an event loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
WORKERS = 8  # threads of a loop for what blocks: look-ups of host names, synchronous clients


class Host(Protocol):
    """Where an event loop runs; rehearsals in memory have one that needs no thread."""

    def start(self, work: Work) -> None:
        """Begin to run it on a new loop."""

    def wait(self, future: Future[Any]) -> None:
        """Block until something of the loop's is done, whatever it came to."""

    def join(self) -> None:
        """Block until the work has ended; at once when it never began."""


class LoopThread:
    """The host of a session: a thread that ends with its work.

    Args:
        name: the thread's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: Thread | None = None

    def start(self, work: Work) -> None:
        """See `Host.start`."""
        self._thread = Thread(target=lambda: run(work(), self._name), name=self._name)
        self._thread.start()

    def wait(self, future: Future[Any]) -> None:
        """See `Host.wait`."""
        future.exception()

    def join(self) -> None:
        """See `Host.join`."""
        if self._thread is not None:
            self._thread.join()


def run(work: Coroutine[Any, Any, T], name: str) -> T:
    """Run a coroutine on a new loop, whose own threads bear its name and end with it."""
    with asyncio.Runner(loop_factory=partial(_loop, name)) as runner:
        return runner.run(work)


def _loop(name: str) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(WORKERS, thread_name_prefix=f"{name}-lookup"))
    return loop
