"""What every transport does, whatever its venue: one suite, played on a stage.

A test file subclasses `TransportSuite` once for each venue and way there, and says in `stage` how
to set it up. The venue must fill a marketable order when its symbol trades at a price, and hold
USD enough; prices of the scenes lie around 100.
"""

import asyncio
from contextlib import aclosing
from contextvars import copy_context
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from brokers.errors import OrderRefused, SchemaRefused, VenueRefused
from brokers.wire.clearance import Clearance, clearance
from brokers.wire.transport import OrderUpdate, Reconnected, Replacement
from tests.contract.orders import bracket, exits, limit, market

LONGEST_S = 20.0  # a scene that takes longer hangs


class Stage(Protocol):
    """One transport, connected to an account of its own without orders and positions."""

    transport: object
    since: object  # an instant before everything that happens at the venue

    async def trade(self, symbol, price):
        """Let the symbol trade at a price: what is marketable fills, triggers trigger."""

    async def drop(self):
        """End the stream of updates from the far side."""


def scene(play):
    """Make a test of a coroutine that is given a stage."""

    def test(self):
        async def run():
            async with asyncio.timeout(LONGEST_S), self.stage() as stage:
                await play(self, stage)

        asyncio.run(run())

    test.__name__, test.__doc__ = play.__name__, play.__doc__
    return test


class Watch:
    """Everything that the updates have said, from its first `Reconnected` on."""

    def __init__(self, transport):
        self.seen = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._run(transport))

    async def _run(self, transport):
        async with aclosing(transport.updates()) as updates:
            async for news in updates:
                async with self._news:
                    self.seen.append(news)
                    self._news.notify_all()

    async def until(self, holds):
        async with self._news:
            await self._news.wait_for(lambda: holds(self) or self._task.done())
        if self._task.done():
            await self._task

    async def connected(self, times=1):
        await self.until(lambda watch: len(watch.reconnections) >= times)

    async def filled(self, symbol, quantity):
        await self.until(lambda watch: sum(f.quantity for f in watch.fills(symbol)) >= quantity)

    async def said(self, venue_order_id, status):
        await self.until(
            lambda watch: any(
                news.order.venue_order_id == venue_order_id and news.order.status == status
                for news in watch.updates
            )
        )

    @property
    def reconnections(self):
        return [news for news in self.seen if isinstance(news, Reconnected)]

    @property
    def updates(self):
        return [news for news in self.seen if isinstance(news, OrderUpdate)]

    def fills(self, symbol):
        return [u.fill for u in self.updates if u.fill is not None and u.fill.symbol == symbol]

    async def __aenter__(self):
        await self.connected()
        return self

    async def __aexit__(self, *error):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def awaiting(stage, order):
    """An order that is being submitted, and what it waits for at the door."""
    leave, context = Clearance(asyncio.get_running_loop()), copy_context()
    context.run(clearance.set, leave)
    return leave, asyncio.create_task(stage.transport.submit(order), context=context)


async def resting(stage, order):
    """Submit an order far from the market, and let the venue take it into its book."""
    answer = await stage.transport.submit(order)
    await stage.trade("AAPL", 100)
    return answer


class TransportSuite:
    """Subclass it as Test..., and give it a stage."""

    refused = market("r1", symbol="NOSUCHSYMBOL")

    def stage(self):
        """An async context manager that yields a `Stage`."""
        raise NotImplementedError

    @scene
    async def test_submitted_market_order_is_answered_in_our_words(self, stage):
        order = await stage.transport.submit(market())
        assert (order.client_order_id, order.symbol, order.side) == ("m1", "AAPL", "buy")
        assert (order.quantity, order.order_type) == (Decimal(10), "market")
        assert order.status in ("pending", "new")
        assert (order.filled_quantity, order.filled_average_price) == (0, None)
        assert (order.role, order.legs) == (None, ())

    @pytest.mark.parametrize("order", [market(), bracket()], ids=["single", "family"])
    def test_order_leaves_only_when_it_is_cleared(self, order):
        @scene
        async def play(self, stage):
            leave, submitted = awaiting(stage, order)
            await stage.trade("AAPL", 100)
            assert await stage.transport.find(order.client_order_id) is None
            leave.give()
            await submitted
            assert await stage.transport.find(order.client_order_id) is not None

        play(self)

    @scene
    async def test_order_whose_clearance_is_refused_never_leaves(self, stage):
        leave, submitted = awaiting(stage, market())
        leave.refuse("the log could not be brought to the disk")
        with pytest.raises(SchemaRefused, match="the log could not be brought to the disk"):
            await submitted
        assert await stage.transport.find("m1") is None

    @scene
    async def test_submitted_limit_order_keeps_its_price(self, stage):
        order = await stage.transport.submit(limit(price="90.25"))
        assert (order.order_type, order.limit_price) == ("limit", Decimal("90.25"))

    @scene
    async def test_legs_of_a_bracket_come_with_the_answer_by_role(self, stage):
        order = await stage.transport.submit(bracket())
        legs = {leg.role: leg for leg in order.legs}
        assert sorted(legs) == ["stop_loss", "take_profit"]
        assert legs["stop_loss"].stop_price == 95
        assert legs["take_profit"].limit_price == 110
        assert {leg.side for leg in order.legs} == {"sell"}
        assert {leg.status for leg in order.legs} <= {"held", "pending"}

    @scene
    async def test_every_fill_is_seen_exactly_once(self, stage):
        async with Watch(stage.transport) as watch:
            for number in range(3):
                await stage.transport.submit(market(f"m{number}"))
            await stage.trade("AAPL", 100)
            await watch.filled("AAPL", 30)
            after = await resting(stage, limit("after"))
            await stage.transport.cancel(after.venue_order_id)
            await watch.said(after.venue_order_id, "canceled")
        fills = watch.fills("AAPL")
        assert len({fill.execution_id for fill in fills}) == len(fills)
        assert sum(fill.quantity for fill in fills) == 30
        assert {fill.price for fill in fills} == {Decimal(100)}

    @scene
    async def test_update_of_a_fill_carries_the_cumulative_quantity(self, stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(market())
            await stage.trade("AAPL", 100)
            await watch.said(order.venue_order_id, "filled")
        last = [news.order for news in watch.updates if news.fill is not None][-1]
        assert (last.filled_quantity, last.filled_average_price) == (10, 100)

    @scene
    async def test_limit_order_waits_for_its_price(self, stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(limit(price="90"))
            await stage.trade("AAPL", 100)
            assert (await stage.transport.find("l1")).filled_quantity == 0
            await stage.trade("AAPL", 90)
            await watch.filled("AAPL", 10)

    @scene
    async def test_take_profit_of_a_bracket_ends_its_stop(self, stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(bracket())
            legs = {leg.role: leg.venue_order_id for leg in order.legs}
            await stage.trade("AAPL", 100)
            await watch.said(order.venue_order_id, "filled")
            await stage.trade("AAPL", 110)
            await watch.said(legs["take_profit"], "filled")
            await watch.said(legs["stop_loss"], "canceled")
        assert [fill.side for fill in watch.fills("AAPL")] == ["buy", "sell"]

    @pytest.mark.parametrize(("price", "filled"), [(110, "take_profit"), (95, "stop_loss")])
    def test_of_two_exits_one_fills_and_ends_the_other(self, price, filled):
        @scene
        async def play(self, stage):
            async with Watch(stage.transport) as watch:
                await stage.transport.submit(market())
                await stage.trade("AAPL", 100)
                await watch.filled("AAPL", 10)
                order = await stage.transport.submit(exits())
                ids = {"take_profit": order.venue_order_id}
                ids |= {leg.role: leg.venue_order_id for leg in order.legs}
                await stage.trade("AAPL", 100)
                await stage.trade("AAPL", price)
                await watch.said(ids.pop(filled), "filled")
                await watch.said(*ids.values(), "canceled")
            assert [fill.side for fill in watch.fills("AAPL")] == ["buy", "sell"]

        play(self)

    @scene
    async def test_cancelled_order_ends_as_an_update(self, stage):
        async with Watch(stage.transport) as watch:
            order = await resting(stage, limit())
            await stage.transport.cancel(order.venue_order_id)
            await watch.said(order.venue_order_id, "canceled")
        assert (await stage.transport.find("l1")).status == "canceled"

    @scene
    async def test_cancel_of_an_ended_order_is_no_error(self, stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(market())
            await stage.trade("AAPL", 100)
            await watch.said(order.venue_order_id, "filled")
            await stage.transport.cancel(order.venue_order_id)
            await stage.transport.cancel(order.venue_order_id)
        assert (await stage.transport.find("m1")).status == "filled"

    @scene
    async def test_replacement_works_in_the_stead_of_the_replaced(self, stage):
        async with Watch(stage.transport) as watch:
            old = await resting(stage, limit())
            terms = Replacement(limit_price=Decimal(91))
            new = await stage.transport.replace(old.venue_order_id, "l2", terms)
            await watch.said(old.venue_order_id, "replaced")
        assert (new.client_order_id, new.limit_price) == ("l2", 91)
        assert new.replaces == old.venue_order_id
        assert (await stage.transport.find("l1")).replaced_by == new.venue_order_id

    @scene
    async def test_order_that_the_venue_never_saw_is_not_found(self, stage):
        assert await stage.transport.find("never") is None

    @scene
    async def test_submitted_bracket_is_found_with_its_legs(self, stage):
        sent = await stage.transport.submit(bracket())
        found = await stage.transport.find("b1")
        assert found.venue_order_id == sent.venue_order_id
        assert [leg.venue_order_id for leg in found.legs] == [
            leg.venue_order_id for leg in sent.legs
        ]

    @scene
    async def test_orders_since_nest_legs_and_leave_out_what_had_ended(self, stage):
        async with Watch(stage.transport) as watch:
            ended = await resting(stage, limit("old"))
            await stage.transport.cancel(ended.venue_order_id)
            await watch.said(ended.venue_order_id, "canceled")
        ended = await stage.transport.find("old")
        await stage.transport.submit(limit())
        await stage.transport.submit(bracket())
        everything = await stage.transport.orders_since(stage.since)
        later = await stage.transport.orders_since(ended.updated_at)
        assert [order.client_order_id for order in everything] == ["old", "l1", "b1"]
        assert [order.client_order_id for order in later] == ["l1", "b1"]
        assert [len(order.legs) for order in everything] == [0, 0, 2]

    @scene
    async def test_fills_since_are_those_of_the_updates_oldest_first(self, stage):
        async with Watch(stage.transport) as watch:
            for number in range(3):
                await stage.transport.submit(market(f"m{number}"))
                await stage.trade("AAPL", 100 + number)
                await watch.filled("AAPL", 10 * (number + 1))
        fills = await stage.transport.fills_since(stage.since)
        assert [fill.price for fill in fills] == [100, 101, 102]
        assert [fill.execution_id for fill in fills] == [
            fill.execution_id for fill in watch.fills("AAPL")
        ]
        later = await stage.transport.fills_since(fills[-1].filled_at + timedelta(seconds=1))
        assert list(later) == []

    @scene
    async def test_short_position_is_negative(self, stage):
        await stage.transport.submit(market(side="sell"))
        await stage.trade("AAPL", 100)
        (held,) = await stage.transport.positions()
        assert (held.symbol, held.quantity, held.average_price) == ("AAPL", -10, 100)

    @scene
    async def test_flat_account_has_no_position(self, stage):
        assert list(await stage.transport.positions()) == []

    @scene
    async def test_account_has_money_and_is_not_blocked(self, stage):
        account = await stage.transport.account()
        assert (account.currency, account.blocked) == ("USD", "")
        assert account.equity == account.cash > 0
        assert account.buying_power >= account.cash

    @scene
    async def test_refusal_carries_the_venue_s_code_and_text(self, stage):
        with pytest.raises(VenueRefused) as refused:
            await stage.transport.submit(self.refused)
        assert refused.value.code
        assert refused.value.text
        assert await stage.transport.find("r1") is None

    @scene
    async def test_second_order_of_one_id_is_refused(self, stage):
        first = await stage.transport.submit(limit())
        with pytest.raises(OrderRefused):
            await stage.transport.submit(limit(price="91"))
        found = await stage.transport.find("l1")
        assert (found.venue_order_id, found.limit_price) == (first.venue_order_id, 90)

    @scene
    async def test_updates_begin_with_reconnected(self, stage):
        async with Watch(stage.transport) as watch:
            assert isinstance(watch.seen[0], Reconnected)

    @scene
    async def test_dropped_stream_comes_back_and_says_so(self, stage):
        async with Watch(stage.transport) as watch:
            await stage.drop()
            await watch.connected(times=2)
            await stage.transport.submit(market())
            await stage.trade("AAPL", 100)
            await watch.filled("AAPL", 10)
        assert len(watch.fills("AAPL")) == 1

    @scene
    async def test_closing_twice_is_harmless(self, stage):
        await stage.transport.account()
        await stage.transport.close()
        await stage.transport.close()
