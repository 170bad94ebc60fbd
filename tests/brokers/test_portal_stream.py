"""The Client Portal's websocket, and doing without it."""

import asyncio
from decimal import Decimal

import pytest

from brokers.errors import (
    ConfigError,
    Transient,
)
from brokers.wire.transport import Reconnected, Replacement
from tests.brokers.portal_double import ACCOUNT, PortalDouble, order_row, trade_row
from tests.brokers.portal_stage import (
    LONG_AGO,
    TRADES,
    Hasty,
    scene,
)
from tests.contract.orders import limit
from tests.contract.transport_suite import Watch


def test_without_a_websocket_orders_and_trades_are_asked_for():
    double = PortalDouble()
    double.takes_websockets = False
    double.script["GET", TRADES] = [(500, "down")]

    async def play(stage):
        async with Watch(stage.transport) as watch:
            assert isinstance(watch.seen[0], Reconnected)
            await stage.transport.submit(limit())
            double.trades.append(trade_row(1, "l1"))
            await watch.filled("AAPL", 10)
            await stage.transport.submit(limit("l2"))
            double.orders["1001"]["status"] = "Cancelled"
            await watch.said("1001/l2", "canceled")
        assert double.said == []

    scene(play, double, clock=Hasty(), timeout_s=500.0)


def test_frame_that_is_no_message_ends_the_connection():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            for number, frame in enumerate(("{", "[]"), 2):
                await stage.double.send(frame)
                await watch.connected(times=number)

    scene(play)


def test_heartbeats_are_not_counted_and_unknown_topics_are_left_alone():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.send('{"topic":"system","hb":1}')
            await stage.double.say("blt", {"message": "hello"})
            await stage.double.say("sor", order_row(7, "by-hand"))
            await watch.said("7/by-hand", "new")
            assert stage.transport.heard == (3, 1)
        assert stage.transport.heard[0] == -1

    scene(play)


def test_rows_of_another_account_are_not_ours():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.say("sor", order_row(7, "theirs", acct="DU9"))
            await stage.double.say("str", trade_row(1, "theirs", account="DU9"))
            await stage.double.say("sor", order_row(8, "ours"))
            await watch.said("8/ours", "new")
        assert [news.order.client_order_id for news in watch.updates] == ["ours"]

    scene(play)


def test_partial_row_about_an_unknown_order_has_all_orders_read():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            stage.double.orders["7"] = order_row(7, "by-hand", status="Cancelled")
            await stage.double.say("sor", {"acct": ACCOUNT, "orderId": 7, "status": "Cancelled"})
            await watch.said("7/by-hand", "canceled")

    scene(play)


async def overtaken(stage, asked, *said):
    """What was asked for is answered after all of this has come by the websocket."""
    heard = stage.transport.heard[0]
    stage.double.holds.clear()
    task = asyncio.create_task(asked)
    await stage.double.holds.wait()
    for topic, row in said:
        await stage.double.say(topic, row)
    while stage.transport.heard[0] < heard + len(said):  # noqa: ASYNC110  it has no event for it
        await asyncio.sleep(0)
    stage.double.lets_go.set()
    return await task


def test_order_is_told_by_its_answer_though_the_websocket_is_faster():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            stage.double.lets_go.clear()
            said = ("sor", order_row(1000, "l1")), ("str", trade_row(1, "l1", size=4))
            order = await overtaken(stage, stage.transport.submit(limit()), *said)
            await watch.filled("AAPL", 4)
            assert (order.client_order_id, order.filled_quantity) == ("l1", 4)
        assert len(watch.fills("AAPL")) == 1

    scene(play)


def test_replacement_is_told_by_its_answer_though_the_websocket_is_faster():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(limit())
            stage.double.lets_go.clear()
            terms = Replacement(limit_price=Decimal(91))
            asked = stage.transport.replace(order.venue_order_id, "l2", terms)
            said = ("sor", order_row(1000, "l2/l1", price="91"))
            changed = await overtaken(stage, asked, said)
            await watch.said("1000/l1", "replaced")
        assert (changed.client_order_id, changed.limit_price) == ("l2", 91)
        assert changed.replaces == order.venue_order_id

    scene(play)


def test_contracts_may_be_watched_before_the_websocket_is_open():
    async def play(stage):
        await stage.transport.stream.watch([7])
        async with Watch(stage.transport):
            await stage.transport.submit(limit())
        assert 'smd+7+{"fields":["31"]}' in stage.double.said

    scene(play)


def test_updates_end_where_nobody_ever_was_logged_in():
    double = PortalDouble()
    double.login["competing"] = True

    async def play(stage):
        with pytest.raises(ConfigError, match="another session"):
            await anext(stage.transport.updates())

    scene(play, double)


@pytest.mark.parametrize("told", [{}, []])
def test_accounts_that_cannot_be_read_may_be_asked_for_again(told):
    double = PortalDouble()
    double.script["GET", "iserver/accounts"] = [(200, told)]

    async def play(stage):
        with pytest.raises(Transient, match="accounts cannot be read"):
            await stage.transport.account()
        assert (await stage.transport.account()).account_id == ACCOUNT

    scene(play, double)


def test_execution_is_told_once_though_it_comes_thrice_and_corrected():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(limit())
            await stage.double.say("str", trade_row(1, "l1", commission=None))
            await stage.double.say("str", trade_row(1, "l1", execution_id="0000e0d5.1.02"))
            stage.double.trades.append(trade_row(1, "l1"))
            (fill,) = await stage.transport.fills_since(LONG_AGO)
            await watch.filled("AAPL", 10)
            await stage.double.say("sor", {"orderId": 1000, "status": "Filled"})
            await stage.double.say("sor", order_row(8, "after"))
            await watch.said("8/after", "new")
        assert len(watch.fills("AAPL")) == 1
        assert fill.commission == 1

    scene(play)


def test_execution_may_come_before_its_order():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.say("str", trade_row(1, "by-hand"))
            await stage.double.say("sor", order_row(7, "by-hand", status="Filled"))
            await watch.filled("AAPL", 10)
            await watch.said("7/by-hand", "filled")
        assert watch.fills("AAPL")[0].venue_order_id == "7/by-hand"

    scene(play)


def test_execution_of_an_order_that_is_never_told_of_is_among_the_fills():
    async def play(stage):
        stage.double.trades.append(trade_row(1, "yesterday's"))
        (fill,) = await stage.transport.fills_since(LONG_AGO)
        assert (fill.quantity, fill.price, fill.commission) == (10, 100, 1)

    scene(play)
