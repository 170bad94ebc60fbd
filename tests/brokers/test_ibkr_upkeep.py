"""The gateway's nights and days: what is waited for, and what is an error at once."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from brokers.clock import SystemClock
from brokers.errors import ConfigError, Transient, VenueRefused
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_night import Night
from brokers.wire.limiter import Limiter
from brokers.wire.resilient import Resilient
from brokers.wire.transport import Replacement
from tests.brokers.tws_stage import Patience, scene
from tests.contract.orders import limit, market
from tests.contract.transport_suite import Watch

MIDNIGHT = datetime(2024, 3, 5, 5, 0, tzinfo=UTC)  # in New York, in the middle of the window
MORNING = MIDNIGHT + timedelta(hours=1)
PATIENCE = Patience(timeout_s=60.0, quiet_s=300.0)


class Swift(SystemClock):
    """Waits a twentieth as long, at a time of day that stands still."""

    def __init__(self, at=MIDNIGHT):
        self.at = at
        self.passed_s = 0.0

    def monotonic(self):
        return super().monotonic() + self.passed_s

    def now(self):
        return self.at

    async def wait(self, wait_s):
        await asyncio.sleep(wait_s / 20)


def at_night(play, clock=None, **terms):
    scene(play, PATIENCE, clock or Swift(), Night(), **terms)


def test_order_in_the_night_is_refused_and_told_when_they_go_again():
    async def play(stage):
        with pytest.raises(VenueRefused, match="no new orders before 05:45 UTC"):
            await stage.transport.submit(limit())
        assert stage.api.requests == 0

    at_night(play)


def test_order_at_work_is_not_changed_in_the_night_and_may_be_cancelled():
    clock = Swift(MORNING)

    async def play(stage):
        order = await stage.transport.submit(limit())
        await stage.trade("AAPL", 100)
        clock.at = MIDNIGHT
        with pytest.raises(VenueRefused, match="restarts from 23:45"):
            await stage.transport.replace(order.venue_order_id, "l2", Replacement())
        assert (await stage.transport.find("l1")).status == "new"
        await stage.transport.cancel(order.venue_order_id)
        assert (await stage.transport.find("l1")).status == "canceled"

    at_night(play, clock)


def test_restart_in_the_night_is_waited_for_and_no_call_fails():
    async def play(stage):
        breaker = Breaker(SystemClock(), lambda _: None)
        calls = Resilient(
            stage.transport,
            limiter=Limiter(180, 60.0, SystemClock()),
            backoff=Backoff(),
            breaker=breaker,
            clock=SystemClock(),
            rng=random.Random(1),
        )
        await calls.account()
        async with stage.restart():
            asked = asyncio.ensure_future(calls.positions())
            await asyncio.sleep(0.1)
            assert not asked.done()
        assert await asked == []
        assert breaker.failures == ()

    at_night(play)


def test_gateway_that_is_not_back_when_the_night_is_over_is_an_error():
    clock = Swift()

    async def play(stage):
        await stage.transport.account()
        async with stage.restart():
            asked = asyncio.ensure_future(stage.transport.positions())
            await asyncio.sleep(0.05)
            clock.at = MORNING
            with pytest.raises(Transient, match="nobody answers"):
                await asked

    at_night(play, clock)


def test_lost_link_in_the_night_holds_questions_back_until_it_is_restored():
    async def play(stage):
        await stage.transport.account()
        stage.says(1100, text="Connectivity has been lost")
        await stage.transport.time()  # which the gateway knows by itself
        asked = asyncio.ensure_future(stage.transport.positions())
        await asyncio.sleep(0.05)
        assert not asked.done()
        stage.says(1102)
        assert await asked == []

    at_night(play)


def test_night_with_rolled_back_numbers_tells_every_fill_once():
    clock = Swift(MORNING)

    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(market())
            await stage.trade("AAPL", 100)
            await stage.transport.submit(market("m2", quantity="5"))
            await watch.filled("AAPL", 10)
            clock.at = MIDNIGHT
            stage.says(1100)
            async with stage.restart():
                await stage.trade("AAPL", 101)
                stage.api.orders.last_order_id = 0
            await watch.connected(times=2)
            stage.says(1101)
            await watch.connected(times=3)
            clock.at = MORNING
            await stage.transport.submit(market("m3", quantity="1"))
            await stage.trade("AAPL", 102)
            await watch.filled("AAPL", 16)
        told = [(fill.quantity, fill.price) for fill in watch.fills("AAPL")]
        assert told == [(10, 100), (5, 101), (1, 102)]

    at_night(play, clock)


@pytest.mark.parametrize(("later_s", "error"), [(1.0, Transient), (121.0, ConfigError)])
def test_client_id_may_be_held_for_our_own_broken_connection_but_not_for_long(later_s, error):
    clock = Swift(MORNING)

    async def play(stage):
        await stage.transport.account()
        other = Ibkr(Gateway(port=stage.port), clock=clock, rng=random.Random(2))
        async with stage.restart():
            pass
        await other.account()
        clock.passed_s += later_s
        with pytest.raises(error, match="client id 1 is in use"):
            await stage.transport.account()
        await other.close()

    at_night(play, clock)


def test_call_that_was_given_up_while_orders_were_read_leaves_a_line_that_can_be_used():
    async def play(stage):
        tell, is_asked = stage.api.answers[16], asyncio.Event()
        stage.api.answers[16] = lambda *_: is_asked.set()
        first = asyncio.ensure_future(stage.transport.account())
        await is_asked.wait()
        first.cancel()
        await asyncio.wait([first])
        stage.api.answers[16] = tell
        assert (await stage.transport.account()).account_id == "DU123456"

    scene(play)


READ_ONLY = (
    "Error validating request.-'b7' : cause - The API interface is currently in Read-Only mode."
)


def test_read_only_gateway_is_one_line_that_says_how_to_mend_it():
    async def play(stage):
        stage.api.answers[16] = lambda client, _: client.error(-1, 321, READ_ONLY)
        with pytest.raises(ConfigError, match=r"API is read-only: untick .* READ_ONLY_API=no"):
            await stage.transport.account()

    scene(play)


def test_gateway_that_is_called_for_the_first_time_in_its_night_says_so():
    async def play(stage):
        stage.server.close()
        with pytest.raises(ConfigError, match="it restarts now, from 23:45 to 00:45"):
            await stage.transport.account()

    at_night(play)


def test_symbol_with_its_exchange_keeps_that_name_after_a_restart():
    async def play(stage):
        await stage.transport.submit(market(symbol="AAPL@NASDAQ"))
        await stage.trade("AAPL", 100)
        await stage.transport.close()
        where = Gateway(port=stage.port, symbols=("AAPL@NASDAQ", "NOSUCH@NASDAQ"))
        again = Ibkr(where, clock=SystemClock(), rng=random.Random(2))
        (fill,) = await again.fills_since(stage.since)
        (order,) = await again.orders_since(stage.since)
        (held,) = await again.positions()
        assert {fill.symbol, order.symbol, held.symbol} == {"AAPL@NASDAQ"}
        await again.close()

    scene(play, twins=(("AAPL", "EBS"),))


def test_login_with_several_accounts_wants_one_chosen():
    async def play(stage):
        with pytest.raises(ConfigError, match=r"set ibkr\.account to one of DU1, DU2"):
            await stage.transport.account()

    scene(play, account="DU1,DU2")


def test_gateway_that_is_not_logged_in_says_nothing_and_is_told_so():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    async def run():
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            ibkr = Ibkr(
                Gateway(port=port), clock=SystemClock(), rng=random.Random(1), timeout_s=0.1
            )
            with pytest.raises(ConfigError, match="does not answer as an API does: log in to it"):
                await ibkr.account()

    asyncio.run(run())
