"""Two exits that are one order at the venue, fact by fact."""

import pytest

from brokers.blotter import Blotter
from brokers.facts import Ended
from brokers.orders import Leg, OrderSchema
from tests.brokers.test_blotter import TEN, hear, order, quantities, start


def exits() -> OrderSchema:
    leg = Leg(
        client_order_id="s", role="stop_loss", side="sell", quantity=TEN, order_type="stop",
        stop_price="9",
    )  # fmt: skip
    words = {"order_type": "limit", "limit_price": "12", "order_class": "oco", "legs": (leg,)}
    return order("t", side="sell", **words)


@pytest.mark.parametrize(("filled", "ended"), [("s", "t"), ("t", "s")])
def test_of_two_exits_one_fills_and_the_other_is_cancelled_whatever_is_heard_first(filled, ended):
    blotter, venue = start(exits())
    venue.fill(filled)
    venue.end(ended, "canceled")
    made, *others = venue.said
    facts = hear(blotter, [made, *reversed(others)])
    assert quantities(facts) == [(filled, -TEN)]
    assert [fact for fact in facts if isinstance(fact, Ended)] == [Ended(ended, "canceled")]
    assert blotter.alive == ()


def test_two_exits_are_refused_together():
    blotter = Blotter()
    blotter.expect(exits())
    assert blotter.refuse("t", "no") == (Ended("t", "rejected", "no"), Ended("s", "rejected", "no"))
    assert blotter.alive == ()
