import asyncio
import random
from collections import deque
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import (
    BreakerOpen,
    ConfigError,
    OrderRefused,
    SchemaRefused,
    Transient,
    TransportError,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire.answers import DuplicateOrderId, Throttled
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from brokers.wire.transport import Replacement, VenueOrder

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
ORDER = OrderSchema(
    client_order_id="a1", symbol="AAPL", side="buy", quantity="10", order_type="market"
)
OUTCOMES = {
    "ok": None,
    "refused": VenueRefused("40310000", "insufficient buying power"),
    "duplicate": DuplicateOrderId("40010001", "client_order_id must be unique"),
    "429": Throttled("429"),
    "429 for 7 s": Throttled("429", 7.0),
    "429 for a day": Throttled("429", 86_400.0),
    "unsent": Transient("no connection"),
    "lost": Unknown("no answer", "a1"),  # never arrived
    "kept": Unknown("no answer", "a1"),  # the venue has the order
    "late": Unknown("no answer", "a1"),  # the venue gets the order after the next request
    "no such": SchemaRefused("Alpaca has no such order"),
    "keys": ConfigError("the keys were refused"),
}


class FarSide:
    """A venue that does what it is told, request by request, and then what it should.

    Args:
        is_strict: it refuses a client order id that it has seen.
    """

    def __init__(self, clock, script=(), *, is_strict=True):
        self.orders = []
        self.log = []  # (request, outcome)
        self.left_at_s = []
        self.hidden = 0  # how many finds will not see what is there
        self.is_closed = False
        self._clock = clock
        self._script = deque(script)
        self._late = []
        self._is_strict = is_strict

    async def submit(self, order):
        return await self._create("submit", order.client_order_id)

    async def replace(self, venue_order_id, client_order_id, terms):
        return await self._create("replace", client_order_id)

    async def find(self, client_order_id):
        await self._meet("find")
        if self.hidden:
            self.hidden -= 1
            return None
        return next((o for o in self.orders if o.client_order_id == client_order_id), None)

    async def cancel(self, venue_order_id):
        await self._meet("cancel")

    async def orders_since(self, since):
        await self._meet("orders")
        return self.orders

    async def fills_since(self, since):
        await self._meet("fills")
        return ()

    async def account(self):
        await self._meet("account")
        return "account"

    async def positions(self):
        await self._meet("positions")
        return ()

    async def updates(self):
        yield "update"

    async def close(self):
        self.is_closed = True

    async def _create(self, request, client_order_id):
        outcome = self._next(request)
        if outcome == "late":
            self._late.append(client_order_id)
        if outcome in ("ok", "kept"):
            taken = any(order.client_order_id == client_order_id for order in self.orders)
            if taken and self._is_strict:
                raise OUTCOMES["duplicate"]
            self._accept(client_order_id)
        self._end(outcome)
        return self.orders[-1]

    async def _meet(self, request):
        outcome = self._next(request)
        if outcome in ("lost", "kept", "late"):  # of a read, no answer is a transient failure
            outcome = "unsent"
            self.log[-1] = (request, outcome)
        late, self._late = self._late, []
        for client_order_id in late:
            if all(order.client_order_id != client_order_id for order in self.orders):
                self._accept(client_order_id)
        self._end(outcome)

    def _next(self, request):
        outcome = self._script.popleft() if self._script else "ok"
        self.log.append((request, outcome))
        self.left_at_s.append(self._clock.monotonic())
        return outcome

    def _end(self, outcome):
        if error := OUTCOMES[outcome]:
            raise type(error)(*_arguments(error))

    def _accept(self, client_order_id):
        self.orders.append(
            VenueOrder(
                venue_order_id=f"v{len(self.orders)}",
                client_order_id=client_order_id,
                symbol="AAPL",
                side="buy",
                quantity=Decimal(10),
                order_type="market",
                status="new",
                filled_quantity=Decimal(0),
                updated_at=self._clock.now(),
            )
        )


def _arguments(error):
    """A fresh error each time: the back-off writes into the text of the one it gives up with."""
    if isinstance(error, VenueRefused):
        return error.code, error.text
    if isinstance(error, Unknown):
        return "no answer", error.client_order_id
    return (str(error), error.retry_after_s) if isinstance(error, Transient) else (str(error),)


class Stand:
    """A far side behind `Resilient`."""

    def __init__(self, *script, is_strict=True, deadline_s=60.0, calls=1000):
        self.clock = ManualClock(START_AT)
        self.venue = FarSide(self.clock, script, is_strict=is_strict)
        self.breaker = Breaker(self.clock, lambda failures: None)
        self.limiter = Limiter(calls, 60.0, self.clock)
        self.transport = Resilient(
            self.venue,
            limiter=self.limiter,
            backoff=Backoff(first_s=0.5, cap_s=2.0, deadline_s=deadline_s),
            breaker=self.breaker,
            clock=self.clock,
            rng=random.Random(1),
        )

    def play(self, name, *arguments):
        return asyncio.run(getattr(self.transport, name)(*arguments))

    @property
    def requests(self):
        return [request for request, _ in self.venue.log]

    @property
    def counted(self):
        return sum(failure.counted for failure in self.breaker.failures)


def test_accepted_order_is_sent_once():
    stand = Stand()
    assert stand.play("submit", ORDER).client_order_id == "a1"
    assert stand.requests == ["submit"]


def test_order_that_was_surely_not_accepted_is_sent_again():
    stand = Stand("unsent", "429")
    assert stand.play("submit", ORDER).client_order_id == "a1"
    assert stand.requests == ["submit", "submit", "submit"]


def test_order_without_answer_is_looked_up_first_and_the_found_one_is_the_answer():
    stand = Stand("kept", is_strict=False)
    assert stand.play("submit", ORDER).venue_order_id == "v0"
    assert stand.requests == ["submit", "find"]


def test_order_without_answer_is_sent_again_when_the_venue_has_none():
    stand = Stand("lost", is_strict=False)
    stand.play("submit", ORDER)
    assert stand.requests == ["submit", "find", "submit"]
    assert len(stand.venue.orders) == 1


def test_failed_look_up_is_repeated_and_never_taken_for_none():
    stand = Stand("kept", "unsent", is_strict=False)
    stand.play("submit", ORDER)
    assert stand.requests == ["submit", "find", "find"]
    assert len(stand.venue.orders) == 1


def test_duplicate_id_after_no_answer_is_answered_by_the_order_itself():
    stand = Stand("kept")
    stand.venue.hidden = 1
    assert stand.play("submit", ORDER).venue_order_id == "v0"
    assert stand.requests == ["submit", "find", "submit", "find"]


def test_duplicate_that_cannot_be_found_yet_is_looked_up_again():
    stand = Stand("kept")
    stand.venue.hidden = 3
    assert stand.play("submit", ORDER).venue_order_id == "v0"
    assert stand.requests == ["submit", "find", "submit", "find", "find", "submit", "find"]


def test_any_refusal_after_no_answer_is_held_against_the_venue_s_own_order():
    stand = Stand("kept", "ok", "refused")
    stand.venue.hidden = 1
    assert stand.play("submit", ORDER).venue_order_id == "v0"


def test_refusal_stands_after_no_answer_when_the_venue_has_no_order():
    stand = Stand("lost", "ok", "refused")
    with pytest.raises(VenueRefused, match="insufficient"):
        stand.play("submit", ORDER)


def test_duplicate_id_at_the_first_try_is_a_refusal():
    stand = Stand("duplicate")
    with pytest.raises(DuplicateOrderId):
        stand.play("submit", ORDER)
    assert stand.requests == ["submit"]


def test_refusal_is_never_sent_again():
    stand = Stand("refused")
    with pytest.raises(VenueRefused):
        stand.play("submit", ORDER)
    assert stand.requests == ["submit"]


def test_order_of_unknown_fate_is_never_called_refused_by_an_open_breaker():
    stand = Stand("kept", "unsent", "unsent")
    with pytest.raises(Unknown) as lost:
        stand.play("submit", ORDER)
    assert lost.value.client_order_id == "a1"
    assert stand.breaker.state == "open"


def test_order_of_unknown_fate_is_never_called_unsent_at_the_deadline():
    stand = Stand("kept", *["429"] * 200, deadline_s=10.0)
    with pytest.raises(Unknown, match="gave up"):
        stand.play("submit", ORDER)
    assert stand.counted == 1


def test_open_breaker_refuses_at_once():
    stand = Stand("unsent", "unsent", "unsent")
    for name, argument in (("submit", ORDER), ("find", "a1"), ("cancel", "v1")):
        with pytest.raises(BreakerOpen):
            stand.play(name, argument)
    assert stand.requests == ["submit", "submit", "submit"]


def test_replacement_without_answer_is_looked_up_by_its_own_id():
    stand = Stand("kept")
    replaced = stand.play("replace", "v9", "a2", Replacement(limit_price=Decimal(91)))
    assert replaced.client_order_id == "a2"
    assert stand.requests == ["replace", "find"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("cancel", ("v1",)),
        ("find", ("a1",)),
        ("orders_since", (START_AT,)),
        ("fills_since", (START_AT,)),
        ("account", ()),
        ("positions", ()),
    ],
)
def test_cancels_and_reads_are_repeated(name, arguments):
    stand = Stand("unsent", "429", "unsent")
    stand.play(name, *arguments)
    assert len(stand.requests) == 4
    assert stand.breaker.state == "closed"


def test_venue_that_says_when_is_asked_again_then_and_not_before():
    stand = Stand("429 for 7 s")
    stand.play("account")
    assert stand.venue.left_at_s[1] >= 7.0


def test_other_calls_wait_too_when_the_venue_says_when():
    stand = Stand("429 for 7 s")

    async def both():
        first = asyncio.create_task(stand.transport.account())
        await asyncio.sleep(0)
        assert stand.limiter.reserve() == pytest.approx(7.0)
        await first

    asyncio.run(both())


def test_call_throttled_until_its_deadline_counts_once():
    stand = Stand(*["429"] * 200, deadline_s=10.0)
    with pytest.raises(Throttled, match="gave up after"):
        stand.play("account")
    assert (stand.counted, stand.breaker.state) == (1, "probing")


def test_venue_that_asks_for_a_day_is_given_up_and_holds_nobody_longer_than_the_deadline():
    stand = Stand("429 for a day", deadline_s=10.0)
    with pytest.raises(Throttled):
        stand.play("account")
    assert stand.limiter.reserve() <= 10.0
    assert stand.counted == 1


def test_call_that_failed_otherwise_too_is_not_counted_again_at_its_deadline():
    stand = Stand("unsent", *["429"] * 200, deadline_s=10.0)
    with pytest.raises(Throttled):
        stand.play("account")
    assert stand.counted == 1


def test_own_refusal_of_a_transport_is_no_answer_of_the_venue():
    stand = Stand("unsent", "no such")
    with pytest.raises(SchemaRefused, match="no such order"):
        stand.play("submit", ORDER)
    assert stand.breaker.state == "probing"


def test_refused_keys_are_an_answer_and_end_the_row_of_failures():
    stand = Stand("unsent", "keys")
    with pytest.raises(ConfigError, match="keys"):
        stand.play("account")
    assert stand.breaker.state == "closed"


def test_orders_leave_before_reads_when_the_rate_is_used_up():
    clock = ManualClock(START_AT)
    limiter = Limiter(2, 60.0, clock, order_calls=1)
    stand = Stand()
    transport = Resilient(
        stand.venue,
        limiter=limiter,
        backoff=Backoff(),
        breaker=stand.breaker,
        clock=clock,
        rng=random.Random(1),
    )

    async def calls():
        await transport.account()
        reads = asyncio.create_task(transport.positions())
        await transport.submit(ORDER)
        await reads

    asyncio.run(calls())
    assert stand.requests == ["account", "submit", "positions"]


def test_updates_and_close_go_straight_through():
    stand = Stand()

    async def run():
        news = [update async for update in stand.transport.updates()]
        await stand.transport.close()
        return news

    assert asyncio.run(run()) == ["update"]
    assert stand.venue.is_closed


LETTERS = st.sampled_from(
    ["ok", "refused", "429", "429 for 7 s", "unsent", "lost", "kept", "no such"]
)


def row_by_contract(row, outcomes, raised):
    """The breaker's row after one call, by hand from DESIGN 'Backoff and breaker'."""
    for outcome in outcomes:
        if row >= 3:
            break
        if outcome in ("unsent", "lost", "kept", "late"):
            row += 1
        elif outcome in ("ok", "refused"):
            row = 0
    only_429 = outcomes and all(outcome.startswith("429") for outcome in outcomes)
    return row + 1 if only_429 and isinstance(raised, Throttled) else row


@given(
    st.lists(LETTERS, max_size=25),
    st.lists(st.sampled_from(["submit", "account"]), min_size=1, max_size=5),
    st.booleans(),
)
@settings(max_examples=300)
def test_no_outcome_doubles_an_order_and_the_breaker_counts_by_the_contract(script, calls, strict):
    stand, row, begun = Stand(*script, is_strict=strict, deadline_s=9.0), 0, 0
    for number, name in enumerate(calls):
        raised = None
        arguments = [ORDER.model_copy(update={"client_order_id": f"a{number}"})]
        try:
            stand.play(name, *arguments[: name == "submit"])
        except (TransportError, OrderRefused) as error:
            raised = error
        row = row_by_contract(row, [outcome for _, outcome in stand.venue.log[begun:]], raised)
        begun = len(stand.venue.log)
        assert stand.breaker.state == ("closed", "probing", "probing", "open")[row]
    ids = [order.client_order_id for order in stand.venue.orders]
    assert len(ids) == len(set(ids))


@given(st.lists(st.sampled_from(["ok", "429", "unsent", "lost", "kept", "late"]), max_size=12))
def test_order_that_arrives_late_is_not_doubled_and_never_called_unsent(script):
    stand = Stand(*script)
    answer = raised = None
    try:
        answer = stand.play("submit", ORDER)
    except (Unknown, Transient, BreakerOpen) as error:
        raised = error
    assert isinstance(raised, Unknown) or stand.venue.orders == [answer][: answer is not None]
    assert len(stand.venue.orders) <= 1
