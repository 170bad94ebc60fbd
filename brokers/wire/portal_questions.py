"""Questions that IBKR asks about an order before it takes it, and which of them we confirm.

Source: Web API, "Place Order Reply Messages" and "Suppressible Message IDs".
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

from brokers.errors import VenueRefused
from brokers.wire.http import NoAnswer

MOST = 20  # questions about one order

# They warn, and a yes changes nothing of the order. All others (a price off the tick, limits of
# size and value that the user has set, cash quantities, the price management algorithm) refuse it.
MAY_CONFIRM = frozenset(
    {
        "o163",  # the price is further from the market than 3 %, as exits mostly are
        "o354",  # no market data subscription
        "o403",  # would trigger and fill at once
        "o10151",  # what a market order is
        "o10152",  # what a stop order is
        "o10153",  # IB may cap the price of a market order
        "o10331",  # what a stop order risks
    }
)

Reply = Callable[[str, bool], Awaitable[Any]]

_log = logging.getLogger(__name__)


async def settle(told: Any, confirms: Collection[str], reply: Reply) -> list[dict[str, Any]]:
    """Answer what is asked until nothing is; the rows that say what became of the orders.

    Args:
        told: the answer to what was submitted.
        confirms: ids of the questions that may be confirmed.
        reply: sends yes or no to a question, and gives what is told then.

    Raises:
        VenueRefused: a question that may not be confirmed; it is answered with no.
        NoAnswer: the answer is neither rows nor a question.
    """
    for _ in range(MOST):
        rows = told if isinstance(told, list) else [told]
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise NoAnswer(f"an answer to an order that cannot be read: {told!r}"[:200])
        if "message" not in (asked := rows[0]):
            return rows
        ids = [str(it) for it in asked.get("messageIds") or ()]
        if not ids or not set(ids) <= set(confirms):
            with suppress(VenueRefused):  # that it discards the order
                await reply(str(asked["id"]), False)
            raise _refusal(ids, asked["message"])
        told = await reply(str(asked["id"]), True)
    raise NoAnswer(f"IBKR asked more than {MOST} questions about one order")


def _refusal(ids: list[str], messages: Any) -> VenueRefused:
    texts = messages if isinstance(messages, list) else [messages]
    text = " ".join(" ".join(str(text) for text in texts).split())
    code = ",".join(ids) or "question"
    _log.warning("IBKR asked %s, which is not confirmed: %s", code, text)
    return VenueRefused(code, f"IBKR asks what we do not confirm: {text}")
