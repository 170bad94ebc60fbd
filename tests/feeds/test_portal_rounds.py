"""When a minute is asked for, by prices and by the clock; and answers that are none."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from brokers.errors import Transient
from brokers.wire.portal_pulse import PortalPulse
from brokers.wire.transport import Reconnected, VenueBar
from feeds.alpaca_client import AlpacaData
from feeds.portal import PATH, PortalBars
from feeds.portal_rounds import PortalRounds
from tests.brokers.portal_double import AT_MS, PortalDouble
from tests.brokers.portal_stage import staged
from tests.brokers.timers import START_AT, TimerClock

MINUTE = timedelta(minutes=1)
NIGHT = datetime(2024, 3, 5, 2, 0, tzinfo=UTC)
SNAPSHOT = "iserver/marketdata/snapshot"


class Clock(TimerClock):
    def until_s(self, at):
        return (at - self.now()).total_seconds()


class Past:
    """A market of one symbol, every minute at 100; asked ranges are kept."""

    def __init__(self):
        self.asked = []

    async def __call__(self, symbols, start, end, timeframe, *, seen_at=None):
        self.asked.append((start, end))
        prices = (100.0, 100.0, 100.0, 100.0, 1.0)
        count = int((end - start) / MINUTE)
        bars = tuple(VenueBar("AAPL", start + n * MINUTE, *prices) for n in range(count))
        return dict.fromkeys(symbols, bars)


def first(count, clock, *, pulse=None, watch=None, **wanted):
    """The first items, what was asked for, and the outages."""
    past, outages = Past(), []
    pulse = pulse or PortalPulse()

    async def watched(symbols):
        if watch is not None:
            watch(symbols)

    async def run():
        rounds = PortalRounds(
            past,
            AlpacaData(**{"sentinel": None, **wanted}),
            clock=clock,
            on_outage=outages.append,
            pulse=pulse,
            watch=watched,
        )
        async with asyncio.timeout(10), aclosing(rounds.bars(["AAPL"])) as bars:
            return [await anext(bars) for _ in range(count)]

    return asyncio.run(run()), past.asked, outages


def test_minute_without_a_price_is_asked_for_ten_seconds_after_its_end():
    clock = Clock()
    (begun, bar), asked, _ = first(2, clock)
    assert isinstance(begun, Reconnected)
    assert (bar.start_at, asked) == (START_AT, [(START_AT, START_AT + MINUTE)])
    assert clock.now() - START_AT >= timedelta(seconds=70)


def test_night_is_asked_about_with_its_first_price_alone():
    pulse = PortalPulse()
    pulse.tell(NIGHT + 3 * MINUTE)
    (_, bar, *_), asked, _ = first(4, Clock(NIGHT), pulse=pulse)
    assert bar.start_at == NIGHT
    assert asked == [(NIGHT, NIGHT + 3 * MINUTE)]


def test_night_is_listened_to_where_all_hours_count():
    found, _, _ = first(4, Clock(NIGHT), regular_hours=False)
    assert [bar.start_at for bar in found[1:]] == [NIGHT + n * MINUTE for n in range(3)]


def test_watching_that_fails_is_told_and_tried_again():
    tries = []

    def watch(symbols):
        tries.append(symbols)
        if len(tries) == 1:
            raise Transient("nobody answers")

    (begun,), _, outages = first(1, Clock(), watch=watch, sentinel="SPY")
    assert isinstance(begun, Reconnected)
    assert (tries, outages) == ([["AAPL", "SPY"]] * 2, ["nobody answers"])


def scripted(play, double):
    async def run():
        async with staged(double) as stage:
            data = AlpacaData(sentinel=None)
            clock = Clock(datetime.fromtimestamp(AT_MS / 1000, UTC))
            await play(PortalBars(stage.transport, data, clock=clock, on_outage=print))

    asyncio.run(run())


@pytest.mark.parametrize("told", [{"bars": []}, {"data": [{"t": AT_MS}]}, []])
def test_history_that_cannot_be_read_may_be_asked_for_again(told):
    double = PortalDouble()
    double.script["GET", PATH] = [(200, told)]

    async def play(bars):
        with pytest.raises(Transient, match="history of AAPL cannot be read"):
            await bars.history(["AAPL"], NIGHT - MINUTE, NIGHT, "1m")

    scripted(play, double)


def test_contract_of_which_nothing_is_ever_shown_is_not_to_be_seen():
    double = PortalDouble()
    double.script["GET", SNAPSHOT] = [(200, [{"conid": 265598}])] * 3

    async def play(bars):
        assert await bars.availability(["AAPL"]) == {"AAPL": "N"}

    scripted(play, double)
