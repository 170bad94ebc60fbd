"""What IB Gateway is known to do to its clients, done to ours; the gateway is our own double."""

import asyncio
import random
from decimal import Decimal

import pytest

from brokers.clock import SystemClock
from brokers.errors import (
    ConfigError,
    SchemaRefused,
    Transient,
    VenueRefused,
)
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.transport import Replacement
from tests.brokers.tws_stage import Patience, scene
from tests.contract.orders import bracket, limit, market
from tests.contract.transport_suite import Watch


@pytest.mark.parametrize("code", [399, 404, 2109, 10167, 10349])
def test_warning_about_an_order_ends_nothing(code):
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(limit())
            stage.says(code, order_id=stage.api.orders.last_order_id)
            await stage.trade("AAPL", 100)
            await watch.said(order.venue_order_id, "new")
        assert (await stage.transport.find("l1")).status == "new"

    scene(play)


def test_validation_error_about_an_order_at_work_leaves_it_at_work():
    async def play(stage):
        await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        stage.says(321, order_id=stage.api.orders.last_order_id)
        assert (await stage.transport.find("l1")).status == "new"

    scene(play)


def test_order_refused_after_it_was_taken_in_ends_rejected_with_the_reason():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(market(quantity="100000"))
            await stage.trade("AAPL", 100)
            await watch.said(order.venue_order_id, "rejected")
        assert "margin" in (await stage.transport.find("m1")).reason

    scene(play)


def test_doubled_status_is_told_once():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(limit())
            await stage.trade("AAPL", 100)
            for _ in range(3):
                for session in stage.api.sessions.values():
                    stage.api.orders.tell_open(session, [])
            await stage.transport.find("l1")
            after = await stage.transport.submit(limit("l2"))
            await stage.trade("AAPL", 100)
            await watch.said(after.venue_order_id, "new")
        told = [news.order.status for news in watch.updates if news.order.client_order_id == "l1"]
        assert told == ["pending", "new"]

    scene(play)


def test_fill_comes_with_its_commission_and_once_though_executions_are_asked_for_again():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(market())
            await stage.trade("AAPL", 100)
            await watch.filled("AAPL", 10)
            await stage.transport.fills_since(stage.since)
            await stage.drop()
            await watch.connected(times=2)
        (fill,) = watch.fills("AAPL")
        assert fill.commission == 0
        assert [it.execution_id for it in await stage.transport.fills_since(stage.since)] == [
            fill.execution_id
        ]

    scene(play)


def test_fill_made_while_the_line_was_down_is_read_after_it():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(market())
            await stage.drop()
            await stage.trade("AAPL", 100)
            await watch.connected(times=2)
            await watch.said(order.venue_order_id, "filled")
        (fill,) = await stage.transport.fills_since(stage.since)
        assert fill.venue_order_id == order.venue_order_id

    scene(play)


def test_numbers_of_orders_that_the_gateway_offers_again_are_not_given_again():
    async def play(stage):
        first = await stage.transport.submit(limit())
        async with Watch(stage.transport) as watch:
            stage.api.orders.last_order_id = 0  # a restarted gateway begins at 1
            await stage.drop()
            await watch.connected(times=2)
            second = await stage.transport.submit(limit("l2", price="91"))
        assert second.venue_order_id != first.venue_order_id
        assert (await stage.transport.find("l1")).limit_price == 90

    scene(play)


def test_link_to_ib_lost_refuses_new_orders_and_goes_on_with_those_at_work():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(market())
            stage.says(1100)
            await stage.transport.account()
            with pytest.raises(VenueRefused, match="lost IB"):
                await stage.transport.submit(limit())
            await stage.trade("AAPL", 100)
            await watch.filled("AAPL", 10)
            stage.says(1102)
            await watch.connected(times=2)
            assert await stage.transport.submit(limit())

    scene(play)


def test_program_that_starts_again_knows_orders_legs_and_replacements_by_our_names():
    async def play(stage):
        await stage.transport.submit(limit())
        await stage.transport.submit(bracket())
        await stage.trade("AAPL", 100)
        old = await stage.transport.find("l1")
        terms = Replacement(limit_price=Decimal(91))
        new = await stage.transport.replace(old.venue_order_id, "l2", terms)
        await stage.transport.close()
        again = Ibkr(Gateway(port=stage.port), clock=SystemClock(), rng=random.Random(2))
        found = await again.find("l2")
        assert (found.venue_order_id, found.replaces) == (new.venue_order_id, old.venue_order_id)
        assert {leg.role for leg in (await again.find("b1")).legs} == {"stop_loss", "take_profit"}
        await again.cancel(found.venue_order_id)
        await again.close()

    scene(play)


def test_symbol_that_is_listed_twice_is_refused_with_the_candidates():
    async def play(stage):
        with pytest.raises(SchemaRefused, match="AAPL@NASDAQ, AAPL@EBS"):
            await stage.transport.submit(market())

    scene(play, twins=(("AAPL", "EBS"),))


def test_order_of_another_client_is_not_cancelled_in_silence():
    async def play(stage):
        order = await stage.transport.submit(limit())
        other = Ibkr(
            Gateway(port=stage.port, client_id=2), clock=SystemClock(), rng=random.Random(2)
        )
        with pytest.raises(VenueRefused, match="belongs to client 1"):
            await other.cancel(order.venue_order_id)
        await other.close()

    scene(play)


def test_client_id_in_use_says_which_and_what_to_do():
    async def play(stage):
        await stage.transport.account()
        second = Ibkr(Gateway(port=stage.port), clock=SystemClock(), rng=random.Random(2))
        with pytest.raises(ConfigError, match="client id 1 is in use by another program"):
            await second.account()
        await second.close()

    scene(play)


def test_gateway_that_does_not_run_is_one_line_with_its_port():
    async def play(stage):
        port = stage.port
        stage.server.close()
        nobody = Ibkr(Gateway(port=port), clock=SystemClock(), rng=random.Random(2))
        with pytest.raises(ConfigError, match=f"start IB Gateway.* port {port}") as caught:
            await nobody.account()
        assert "\n" not in str(caught.value)

    scene(play)


def test_server_that_speaks_something_else_is_told_from_a_gateway():
    async def web(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def run():
        async with await asyncio.start_server(web, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            ibkr = Ibkr(Gateway(port=port), clock=SystemClock(), rng=random.Random(1))
            with pytest.raises(ConfigError, match="use the API port, 4002"):
                await ibkr.account()

    asyncio.run(run())


def test_gateway_that_says_nothing_any_more_is_called_again():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            stage.api.answers[49] = lambda *_: None
            await watch.connected(times=2)

    scene(play, Patience(timeout_s=0.1, quiet_s=0.05))


def test_question_that_gets_no_answer_is_transient():
    async def play(stage):
        await stage.transport.account()
        stage.api.answers[61] = lambda *_: None
        with pytest.raises(Transient, match="no positionEnd"):
            await stage.transport.positions()

    scene(play, Patience(timeout_s=0.1))


def test_cancel_that_ib_cannot_find_ends_the_order_here():
    async def play(stage):
        order = await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        stage.api.answers[4] = lambda client, told: client.error(told[2], 10147, "missing")
        stage.api.answers[16] = lambda client, _: client.send(53, 1)
        await stage.transport.cancel(order.venue_order_id)
        stage.api.answers[99] = lambda client, _: client.send(102)
        assert (await stage.transport.find("l1")).status == "canceled"

    scene(play)


def test_refused_modification_leaves_the_order_as_it_was():
    async def play(stage):
        order = await stage.transport.submit(limit())
        terms = Replacement(limit_price=Decimal(91))
        with pytest.raises(VenueRefused, match="modify failed"):  # not before it is accepted
            await stage.transport.replace(order.venue_order_id, "l2", terms)
        assert await stage.transport.find("l2") is None
        assert (await stage.transport.find("l1")).limit_price == 90

    scene(play)


def test_number_that_was_given_before_is_transient_and_another_is_taken_next_time():
    async def play(stage):
        await stage.transport.account()
        place = stage.api.answers[3]
        stage.api.answers[3] = lambda client, fields: client.error(fields[1], 103, "Duplicate")
        with pytest.raises(Transient):
            await stage.transport.submit(limit())
        stage.api.answers[3] = place
        assert await stage.transport.submit(limit())

    scene(play)
