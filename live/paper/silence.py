"""Faults that leave a call without an answer, for every front that speaks HTTP."""

from typing import Any

from starlette.types import Message, Receive, Scope

from live.paper.faults import Fault

RESET = "seawall.reset"  # the ASGI extension by which server.py breaks connections


async def silence(fault: Fault, scope: Scope, receive: Receive) -> None:
    """Answer nothing; a reset breaks the connection, a hang leaves that to the client."""
    if fault.kind == "reset":
        breaker: Any = scope.get("extensions", {}).get(RESET)
        if breaker is None:
            raise ConnectionResetError("a planned fault broke the connection")
        breaker()
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def nowhere(message: Message) -> None:
    """Swallow an answer that the client is not to see."""
