"""One call of a transport that takes several requests, told apart for whoever counts requests."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar


async def _at_once() -> None:
    """Nobody counts."""


between: ContextVar[Callable[[], Awaitable[None]]] = ContextVar("between", default=_at_once)


async def another_request() -> None:
    """Await this before every request of a call but the first.

    It says that the request before was answered, and waits until the next may leave. What it
    raises (`BreakerOpen`) ends the call.
    """
    await between.get()()
