"""What IB Gateway refuses, or leaves without an answer."""

import re
from decimal import Decimal

import pytest

from brokers.errors import DuplicateOrderId, Throttled, Transient, Unknown, VenueRefused
from brokers.wire.transport import Replacement
from tests.brokers.tws_stage import Patience, scene
from tests.contract.orders import bracket, limit, market


def unanswered(kind):
    """Have a gateway that takes messages of one kind in, and says nothing."""

    def silence(stage):
        stage.api.answers[kind] = lambda *_: None

    return silence


def test_order_without_an_answer_is_unknown_and_asked_for_on_another_line():
    async def play(stage):
        await stage.transport.account()
        unanswered(3)(stage)
        with pytest.raises(Unknown, match="does not answer an order"):
            await stage.transport.submit(limit())
        assert await stage.transport.find("l1") is None

    scene(play, Patience(timeout_s=0.2))


def test_cancel_without_an_answer_may_be_sent_again():
    async def play(stage):
        order = await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        unanswered(4)(stage)
        with pytest.raises(Transient, match="does not answer a cancel"):
            await stage.transport.cancel(order.venue_order_id)

    scene(play, Patience(timeout_s=0.2))


def test_modification_without_an_answer_is_unknown():
    async def play(stage):
        order = await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        unanswered(3)(stage)
        with pytest.raises(Unknown, match="does not answer a modification"):
            await stage.transport.replace(
                order.venue_order_id, "l2", Replacement(limit_price=Decimal(91))
            )

    scene(play, Patience(timeout_s=0.2))


def test_order_that_has_ended_is_not_modified_and_its_cancel_is_no_error():
    async def play(stage):
        order = await stage.transport.submit(market())
        await stage.trade("AAPL", 100)
        await stage.transport.fills_since(stage.since)
        with pytest.raises(VenueRefused, match="is not at work"):
            await stage.transport.replace(order.venue_order_id, "m2", Replacement())
        await stage.transport.cancel(order.venue_order_id)

    scene(play)


def test_cancel_that_ib_cannot_find_leaves_an_order_that_it_still_tells_of():
    async def play(stage):
        order = await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        stage.api.answers[4] = lambda client, told: client.error(told[2], 10147, "missing")
        await stage.transport.cancel(order.venue_order_id)
        assert (await stage.transport.find("l1")).status == "new"

    scene(play)


def test_account_that_the_gateway_tells_only_part_of_is_asked_again():
    async def play(stage):
        def part(client, fields):
            client.send(63, 1, fields[2], "DU123456", "NetLiquidation", "100", "USD")
            client.send(64, 1, fields[2])

        stage.api.answers[62] = part
        with pytest.raises(Transient, match="no BuyingPower, TotalCashValue of DU123456"):
            await stage.transport.account()

    scene(play)


def test_account_that_is_asked_for_as_the_line_breaks_is_asked_again():
    async def play(stage):
        await stage.transport.time()
        stage.api.answers[62] = lambda client, _: client.break_off()
        with pytest.raises(Transient, match="the connection broke"):
            await stage.transport.account()

    scene(play)


def test_account_whose_gateway_has_lost_ib_cannot_trade():
    async def play(stage):
        await stage.transport.time()
        stage.says(1100, text="Connectivity has been lost")
        assert (
            await stage.transport.account()
        ).blocked == "no link to IB: Connectivity has been lost"

    scene(play)


def test_nothing_of_a_refused_family_stays():
    async def play(stage):
        place = stage.api.answers[3]

        async def all_but_the_last(client, fields):
            if fields[27] == "1":  # transmit
                client.error(fields[1], 201, "Order rejected - reason:no")
            else:
                await place(client, fields)

        stage.api.answers[3] = all_but_the_last
        with pytest.raises(VenueRefused, match="reason:no"):
            await stage.transport.submit(bracket())
        assert await stage.transport.find("b1") is None
        stage.api.answers[3] = place
        assert len((await stage.transport.submit(bracket())).legs) == 2

    scene(play)


def test_order_of_which_ib_said_something_before_the_line_broke_is_kept():
    async def play(stage):
        place = stage.api.answers[3]

        async def head_alone(client, fields):
            await place(client, fields)
            client.send(
                3, fields[1], "PreSubmitted", 0, 10, 0, 900_001, 0, 0, client.client_id, "", 0
            )
            client.break_off()

        stage.api.answers[3] = head_alone
        with pytest.raises(Unknown):
            await stage.transport.submit(bracket())
        stage.api.answers[3] = place

    scene(play)


def test_name_is_given_once():
    async def play(stage):
        await stage.transport.submit(limit())
        with pytest.raises(DuplicateOrderId, match="l1 has been used"):
            await stage.transport.submit(limit())

    scene(play)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (110, "The price does not conform to the minimum price variation for this contract."),
        (383, "The order size does not conform to the size increment."),
        (321, "The API interface is currently in Read-Only mode."),
        (10318, "This order doesn't support fractional quantity trading"),
    ],
)
def test_order_that_the_gateway_objects_to_is_refused_with_its_words(code, text):
    async def play(stage):
        stage.api.answers[3] = lambda client, fields: client.error(fields[1], code, text)
        with pytest.raises(VenueRefused, match=re.escape(f"{text} (code {code})")) as caught:
            await stage.transport.submit(limit())
        assert "\n" not in str(caught.value)
        assert await stage.transport.find("l1") is None

    scene(play)


def test_first_of_two_errors_about_a_question_is_its_answer():
    async def play(stage):
        def twice(client, fields):
            for code in (200, 321):
                client.error(fields[2], code, f"error {code}")

        stage.api.answers[9] = twice
        with pytest.raises(VenueRefused, match="error 200"):
            await stage.transport.look_up("AAPL")

    scene(play)


def test_question_that_was_too_fast_is_no_verdict():
    async def play(stage):
        await stage.transport.time()
        stage.api.answers[9] = lambda client, told: client.error(told[2], 100, "Max rate exceeded")
        with pytest.raises(Throttled, match="Max rate"):
            await stage.transport.look_up("AAPL")

    scene(play)
