import asyncio
import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import (
    BreakerOpen,
    ConfigError,
    DuplicateOrderId,
    OrderRefused,
    SchemaRefused,
    Throttled,
    Transient,
    TransportError,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from brokers.wire.transport import Replacement
from tests.brokers.far_side import FarSide

START_AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
ORDER = OrderSchema(
    client_order_id="a1", symbol="AAPL", side="buy", quantity="10", order_type="market"
)


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


def test_later_orders_do_not_overtake_one_that_is_tried_again():
    stand = Stand("unsent", "429")
    other, third = (ORDER.model_copy(update={"client_order_id": name}) for name in ("a2", "a3"))

    async def all_at_once():
        first = asyncio.ensure_future(stand.transport.submit(ORDER))
        second = asyncio.ensure_future(stand.transport.submit(other))
        await asyncio.sleep(0)
        await asyncio.gather(first, second, stand.transport.submit(third))

    asyncio.run(all_at_once())
    assert [order.client_order_id for order in stand.venue.orders] == ["a1", "a2", "a3"]
    assert len(stand.requests) == 5


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


def test_duplicate_id_at_a_later_try_is_our_own_order_whatever_the_venue_said_before():
    stand = Stand("429", "duplicate")
    stand.venue.accept("a1")
    assert stand.play("submit", ORDER).venue_order_id == "v0"
    assert stand.requests == ["submit", "submit", "find"]


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


def test_every_request_of_a_call_counts_for_itself():
    stand = Stand("unsent", "unsent", "ok", "unsent", "unsent")
    stand.venue.pages = 2
    stand.play("orders_since", START_AT)
    assert stand.requests == ["orders"] * 7
    assert stand.counted == 4


def test_every_request_of_a_call_waits_for_the_limiter():
    stand = Stand(calls=2)
    stand.venue.pages = 4
    stand.play("orders_since", START_AT)
    assert stand.venue.left_at_s == [0.0, 0.0, 60.0, 60.0]


def test_call_whose_second_request_is_throttled_until_the_deadline_counts_once():
    stand = Stand(*["ok", "429"] * 100, deadline_s=10.0)
    stand.venue.pages = 2
    with pytest.raises(Throttled):
        stand.play("orders_since", START_AT)
    assert stand.counted == 1


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
    failures = ("unsent", "lost", "kept")
    for outcome in outcomes:
        if row < 3 and outcome in failures:
            row += 1
        elif row < 3 and outcome in ("ok", "refused"):
            row = 0
    overdue = isinstance(raised, Throttled) and not any(o in failures for o in outcomes)
    return min(row + overdue, 3)


@given(
    st.lists(LETTERS, max_size=25),
    st.lists(st.sampled_from(["submit", "account", "orders_since"]), min_size=1, max_size=5),
    st.booleans(),
)
@settings(max_examples=300)
def test_no_outcome_doubles_an_order_and_the_breaker_counts_by_the_contract(script, calls, strict):
    stand, row, begun = Stand(*script, is_strict=strict, deadline_s=9.0), 0, 0
    stand.venue.pages = 3
    for number, name in enumerate(calls):
        order = ORDER.model_copy(update={"client_order_id": f"a{number}"})
        arguments = {"submit": (order,), "orders_since": (START_AT,)}.get(name, ())
        raised = None
        try:
            stand.play(name, *arguments)
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
