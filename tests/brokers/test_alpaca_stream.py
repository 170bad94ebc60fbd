import asyncio
import json
import random
from contextlib import aclosing

import pytest

from brokers.clock import SystemClock
from brokers.errors import ConfigError
from brokers.wire.alpaca import Alpaca
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.http_asgi import Asgi
from brokers.wire.transport import OrderUpdate, Reconnected
from tests.brokers.alpaca_double import AlpacaDouble, keys
from tests.brokers.loopback import Relay, serving
from tests.brokers.timers import TimerClock
from tests.contract.orders import limit, market
from tests.contract.transport_suite import Watch


def play(scene, **options):
    """Run a scene with a transport, the venue behind it and the clock, in memory."""

    async def staged():
        double, clock = AlpacaDouble(), TimerClock()
        http = Asgi(double.app, clock=clock, headers=keys().headers())
        given = {"clock": clock, "rng": random.Random(1)} | options
        alpaca = Alpaca(http, given.pop("keys", keys()), **given)
        async with asyncio.timeout(10):
            result = await scene(alpaca, double, clock)
        await alpaca.close()
        return result

    return asyncio.run(staged())


@pytest.mark.parametrize("is_binary", [True, False])
def test_updates_come_in_binary_and_in_text_frames(is_binary):
    async def scene(alpaca, double, clock):
        double.is_binary = is_binary
        async with Watch(alpaca) as watch:
            await alpaca.submit(market())
            await double.trade("AAPL", 100)
            await watch.filled("AAPL", 10)
            return [type(news) for news in watch.seen]

    assert play(scene) == [Reconnected, OrderUpdate]


def test_reconnected_is_stamped_and_comes_after_the_word_that_updates_will_come():
    async def scene(alpaca, double, clock):
        async with Watch(alpaca) as watch:
            assert list(double.sockets.values()) == [True]
            return watch.seen == [Reconnected(clock.now())]

    assert play(scene)


def test_wrong_keys_end_the_updates_and_are_not_tried_again():
    async def scene(alpaca, double, clock):
        updates = alpaca.updates()
        with pytest.raises(ConfigError, match="APCA_API_KEY_ID"):
            await anext(updates)
        with pytest.raises(StopAsyncIteration):
            await anext(updates)

    play(scene, keys=keys("wrong"))


@pytest.mark.parametrize("status", [401, 403])
def test_opening_refused_for_the_keys_ends_the_updates(status):
    async def scene(alpaca, double, clock):
        double.refuse_streams.append(status)
        with pytest.raises(ConfigError, match="APCA_API_KEY_ID"):
            await anext(alpaca.updates())

    play(scene)


def test_stream_held_for_a_dead_connection_is_waited_for():
    async def scene(alpaca, double, clock):
        double.refuse_streams.extend([429] * 8)
        async with Watch(alpaca):
            return clock.monotonic()

    assert 8 < play(scene) < 90


def test_stream_that_another_program_holds_is_a_clear_error():
    async def scene(alpaca, double, clock):
        double.refuse_streams.extend([429] * 100)
        with pytest.raises(ConfigError, match="another program listens on this account"):
            await anext(alpaca.updates())
        return clock.monotonic()

    assert 120 < play(scene) < 150


def test_refusals_of_another_kind_are_waited_for_as_long_as_it_takes():
    async def scene(alpaca, double, clock):
        double.refuse_streams.extend([429, 503] * 30)
        async with Watch(alpaca):
            return clock.monotonic()

    assert play(scene) > 120


def test_waits_grow_and_stay_below_their_cap():
    async def scene(alpaca, double, clock):
        double.refuse_streams.extend([503] * 40)
        async with Watch(alpaca):
            return clock.monotonic()

    waited_s = play(scene)
    assert 40 * 15 / 4 < waited_s < 40 * 15  # the mean of full jitter is half the cap


def test_stream_that_lived_long_comes_back_at_once():
    async def scene(alpaca, double, clock):
        async with Watch(alpaca) as watch:
            for number in range(2, 12):
                clock.sleep(3600)
                before_s = clock.monotonic()
                await double.drop()
                await watch.connected(times=number)
                assert clock.monotonic() - before_s < 0.5

    play(scene)


@pytest.mark.parametrize("status", ["no JSON", "[]", '{"stream": "trade_updates", "data": 5}'])
def test_frame_that_cannot_be_read_leads_to_a_new_connection_and_no_loss(status):
    async def scene(alpaca, double, clock):
        async with Watch(alpaca) as watch:
            await double.send_raw(status)
            await watch.connected(times=2)
            await alpaca.submit(market())
            await double.trade("AAPL", 100)
            await watch.filled("AAPL", 10)

    play(scene)


def test_update_of_another_form_leads_to_a_new_connection():
    async def scene(alpaca, double, clock):
        async with Watch(alpaca) as watch:
            data = {"event": "fill", "order": {"id": "v1"}}
            await double.send_raw(json.dumps({"stream": "trade_updates", "data": data}))
            await watch.connected(times=2)

    play(scene)


def test_other_messages_and_other_people_s_options_are_passed_over():
    async def scene(alpaca, double, clock):
        async with Watch(alpaca) as watch:
            data = {"event": "new", "order": {"order_class": "mleg"}}
            await double.send_raw(json.dumps({"stream": "trade_updates", "data": data}))
            await double.send_raw('{"stream": "account_updates", "data": {}}')
            order = await alpaca.submit(limit())
            await alpaca.cancel(order.venue_order_id)
            await watch.said(order.venue_order_id, "canceled")
            return len(watch.seen)

    assert play(scene) == 2


class Obstinate(AlpacaDouble):
    """Answers the first messages of a stream by a list of its own, then as it should."""

    def __init__(self, answers):
        super().__init__()
        self.odd = answers

    async def _hear(self, socket, said):
        answer = self.odd.pop(0) if self.odd else "due"
        if answer == "due":
            await super()._hear(socket, said)
        elif answer is not None:
            await self._send(socket, *answer)


@pytest.mark.parametrize(
    "answers",
    [
        [None],
        ["due", None],
        ["due", ("listening", {"streams": []})],
        [("listening", None)],
    ],
)
def test_stream_that_does_not_agree_is_opened_again(answers):
    async def scene():
        double, clock = Obstinate(answers), TimerClock()
        http = Asgi(double.app, clock=clock, headers=keys().headers())
        alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1))
        async with asyncio.timeout(10), Watch(alpaca):
            assert list(double.sockets.values())[-1]
        await alpaca.close()

    asyncio.run(scene())


def test_updates_that_come_before_the_word_are_left_to_the_comparison():
    async def scene():
        first = ("trade_updates", {"event": "new"})
        double, clock = Obstinate([first]), TimerClock()
        http = Asgi(double.app, clock=clock, headers=keys().headers())
        alpaca = Alpaca(http, keys(), clock=clock, rng=random.Random(1))
        async with asyncio.timeout(10), Watch(alpaca) as watch:
            assert len(watch.seen) == 1
        await alpaca.close()

    asyncio.run(scene())


def test_fills_of_one_order_are_told_apart_by_the_cumulative_quantity():
    async def scene(alpaca, double, clock):
        double.sends_execution_ids = False
        async with Watch(alpaca) as watch:
            await alpaca.submit(market())
            (row,) = double.orders.values()
            await double.fill(row, 100, 4)
            await double.fill(row, 101, 6)
            await watch.filled("AAPL", 10)
            return [fill.execution_id.rpartition(":")[2] for fill in watch.fills("AAPL")]

    assert play(scene) == ["4", "10"]


def test_stream_that_went_mute_on_the_wire_is_opened_again():
    """A relay stops carrying bytes, in both directions, as a dropped network does."""

    async def scene():
        double = AlpacaDouble()
        async with serving(double.app) as url, Relay(url) as relay:
            http = Aiohttp(relay.url, clock=SystemClock(), headers=keys().headers())
            alpaca = Alpaca(http, keys(), clock=SystemClock(), rng=random.Random(1), quiet_s=0.1)
            async with asyncio.timeout(10), Watch(alpaca) as watch:
                relay.freeze()
                await watch.connected(times=2)
            await alpaca.close()

    asyncio.run(scene())


def test_leaving_the_updates_ends_the_stream():
    async def scene(alpaca, double, clock):
        async with aclosing(alpaca.updates()) as updates:
            await anext(updates)
        await clock.wait(1.0)
        return list(double.sockets)

    assert play(scene) == []
