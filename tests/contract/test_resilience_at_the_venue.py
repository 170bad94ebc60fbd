import asyncio
import random
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import VenueRefused
from brokers.wire.alpaca import Alpaca
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.http_asgi import Asgi
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from live.paper.account import BacktraderRules
from live.paper.faults import REQUEST_KINDS, Fault, Plan
from tests.brokers.alpaca_double import keys
from tests.brokers.timers import TimerClock
from tests.contract.orders import market
from tests.contract.test_transports import paper_venue

ORDERS = 8
FAULTS = st.builds(
    Fault,
    st.sampled_from(REQUEST_KINDS),
    nth=st.integers(1, ORDERS),
    on=st.sampled_from(["POST /v2/orders", "GET *", "DELETE *", "*"]),
    count=st.integers(1, 2),
    after=st.booleans(),
)


async def trade_through(plan):
    """Submit, look up and cancel; the ids at the venue, and the state of the breaker."""
    clock = TimerClock()
    venue, app = paper_venue(BacktraderRules(), clock, plan)
    alpaca = Alpaca(
        Asgi(app, clock=clock, headers=keys().headers()), keys(), clock=clock, rng=random.Random(1)
    )
    breaker = Breaker(clock, lambda failures: None)
    transport = Resilient(
        alpaca,
        limiter=Limiter(180, 60.0, clock, order_calls=60),
        backoff=Backoff(),
        breaker=breaker,
        clock=clock,
        rng=random.Random(2),
    )
    for number in range(ORDERS):
        order = await transport.submit(market(f"m{number}"))
        found = await transport.find(f"m{number}")
        assert found.venue_order_id == order.venue_order_id
        with suppress(VenueRefused):  # not before it is accepted, say these rules
            await transport.cancel(order.venue_order_id)
    await alpaca.close()
    return [order.client_order_id for order in venue.matching.orders()], breaker.state


@given(st.lists(FAULTS, max_size=10))
@settings(max_examples=60)
def test_no_plan_of_faults_doubles_an_order_or_opens_a_spared_breaker(faults):
    ids, state = asyncio.run(trade_through(Plan(faults=tuple(faults))))
    assert ids == [f"m{number}" for number in range(ORDERS)]
    assert state != "open"
