"""A thread with an event loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, Protocol

Work = Callable[[], Coroutine[Any, Any, None]]


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
        self._thread = Thread(target=lambda: asyncio.run(work()), name=self._name)
        self._thread.start()

    def wait(self, future: Future[Any]) -> None:
        """See `Host.wait`."""
        future.exception()

    def join(self) -> None:
        """See `Host.join`."""
        if self._thread is not None:
            self._thread.join()
