"""The last cancels of a session whose breaker is open: past limiter and breaker, again and again.

They run on the store's loop until the venue has told the end of each order, or the store stops.
"""

from collections.abc import Callable, Sequence

from brokers.blotter import Blotter
from brokers.clock import Clock
from brokers.desk import NEVER_ARRIVED
from brokers.errors import SeawallError
from brokers.facts import Fact
from brokers.wire.transport import Transport

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 4.0


async def cancel_directly(
    direct: Transport,
    blotter: Blotter,
    order_ids: Sequence[str],
    *,
    clock: Clock,
    tell: Callable[[Fact], object],
) -> None:
    """Cancel what is still alive of these orders; the stream of updates tells that it has ended.

    An order whose sending brought no answer is looked up first.

    Args:
        direct: the account without limiter, back-off and breaker.
        tell: takes the end of an order that the venue does not have.
    """
    wait_s = FIRST_WAIT_S
    while alive := [name for name in order_ids if name in blotter.alive]:
        for order_id in alive:
            try:
                await _cancel(direct, blotter, order_id, tell)
            except SeawallError:
                continue  # the next round tries again; the exit report names what stays unconfirmed
        await clock.wait(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


async def _cancel(
    direct: Transport, blotter: Blotter, order_id: str, tell: Callable[[Fact], object]
) -> None:
    venue_order_id = blotter.venue_order_id(order_id)
    if venue_order_id is None:
        found = await direct.find(order_id)
        if found is None:
            for fact in blotter.refuse(order_id, NEVER_ARRIVED):
                tell(fact)
            return
        venue_order_id = found.venue_order_id
    await direct.cancel(venue_order_id)
