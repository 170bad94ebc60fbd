"""Bars by the Client Portal, past and live."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from brokers.errors import ConfigError, DataError, DataMute, Transient
from brokers.wire.transport import Reconnected, VenueBar
from live.paper.faults import Plan
from live.paper.portal_api import Terms
from live.paper.portal_questions import Precautions
from tests.feeds.portal_stage import played
from tests.feeds.tws_stage import AT, MINUTE, drained

HOUR = timedelta(hours=1)
FAILING = '[[fault]]\nkind = "server_error"\non = "DATA /iserver/marketdata/history"\n'


def starts(items):
    return [item.start_at for item in items if isinstance(item, VenueBar)]


def test_history_is_the_market_s_to_the_last_bit():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT, AT + HOUR, "1m")
        assert starts(found["AAPL"]) == [AT + n * MINUTE for n in range(10)]
        assert found["AAPL"][-1] == stage.venue.market.newest("AAPL")

    played(play)


def test_history_of_longer_bars_leaves_out_the_one_that_still_runs():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT, AT + HOUR, "5m")
        assert [(bar.start_at, bar.open, bar.close) for bar in found["AAPL"]] == [
            (AT, 100.0, 100.4),
            (AT + 5 * MINUTE, 100.5, 100.9),
        ]

    played(play, shown=13)


def test_days_begin_at_midnight_of_new_york_though_they_are_stamped_with_their_open():
    async def play(stage):
        stage.clock.ahead = timedelta(days=1)
        since = AT - timedelta(days=400)
        found = await stage.bars.history(["AAPL"], since, AT + timedelta(days=1), "1d")
        assert starts(found["AAPL"]) == [datetime(2024, 3, 4, 5, tzinfo=UTC)]

    played(play)


def test_time_before_all_bars_has_none():
    async def play(stage):
        found = await stage.bars.history(["AAPL"], AT - 50 * HOUR, AT - 49 * HOUR, "1m")
        assert found == {"AAPL": ()}

    played(play)


@pytest.mark.parametrize(
    ("symbol", "timeframe", "error", "text"),
    [
        ("NOSUCH", "1m", DataError, "no contract for NOSUCH"),
        ("AAPL", "1w", ConfigError, "bars are 1m, 5m"),
    ],
)
def test_history_that_cannot_be_had_says_why(symbol, timeframe, error, text):
    async def play(stage):
        with pytest.raises(error, match=text):
            await stage.bars.history([symbol], AT, AT + HOUR, timeframe)

    played(play)


def test_no_permission_for_market_data_is_said_plainly():
    terms = Terms(is_paced=False, precautions=Precautions(unsubscribed=frozenset({"AAPL"})))

    async def play(stage):
        with pytest.raises(DataError, match="no market data permission for AAPL"):
            await stage.bars.history(["AAPL"], AT, AT + HOUR, "1m")
        assert await stage.bars.availability(["AAPL", "MSFT"]) == {"AAPL": "N", "MSFT": "R"}

    played(play, terms=terms, symbols=("AAPL", "MSFT"))


def test_history_that_breaks_may_be_asked_for_again():
    async def play(stage):
        stage.venue.trouble.arm(Plan.from_toml(FAILING, "test"))
        with pytest.raises(Transient, match="no history of AAPL"):
            await stage.bars.history(["AAPL"], AT, AT + HOUR, "1m")
        assert await stage.bars.splits() == ()

    played(play)


@pytest.mark.parametrize("is_paced", [False, True])
def test_minute_is_asked_for_when_its_first_price_has_come(is_paced):
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(drained(bars, 2))
            await stage.step()
            await asyncio.sleep(0)
            await stage.step()
            assert starts(await coming) == [AT + n * MINUTE for n in (10, 11)]

    played(play, is_paced=is_paced, regular_hours=False)


def test_minute_without_any_price_is_asked_for_by_the_clock():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            stage.venue.market.advance()
            stage.clock.ahead = timedelta(seconds=11)
            assert (await coming).start_at == AT + 10 * MINUTE

    played(play, is_paced=True)


def test_bars_since_the_warm_up_come_first():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            found = await drained(bars, 3)
        assert starts(found) == [AT + 8 * MINUTE, AT + 9 * MINUTE]

    played(play, since=AT + 8 * MINUTE)


def test_five_minutes_are_gathered_from_minutes():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            await stage.step(5)
            bar = await coming
        assert (bar.start_at, bar.open, bar.close) == (AT + 10 * MINUTE, 101.0, 101.4)

    played(play, timeframe="5m")


def test_failed_round_is_told_and_made_good():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            stage.venue.trouble.arm(Plan.from_toml(FAILING, "test"))
            coming = asyncio.ensure_future(drained(bars, 2))
            await stage.step()
            again, bar = await coming
        assert isinstance(again, Reconnected)
        assert bar.start_at == AT + 10 * MINUTE
        assert "no history of AAPL" in stage.outages[0]

    played(play)


def test_symbol_that_did_not_trade_is_not_waited_for_longer_than_three_looks():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL", "MSFT"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(drained(bars, 4))
            await stage.step(2)
            found = await coming
        assert [(bar.symbol, bar.start_at - AT) for bar in found] == [
            (symbol, n * MINUTE) for n in (10, 11) for symbol in ("AAPL", "MSFT")
        ]

    played(play, symbols=("AAPL", "MSFT"), is_paced=True)


def test_silence_while_the_market_is_open_is_mute():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            stage.clock.ahead = timedelta(minutes=5)
            with pytest.raises(DataMute, match="no bar in 180 s"):
                await coming

    played(play, is_paced=True)


def test_more_symbols_than_the_pacing_allows_are_refused_at_the_start():
    async def play(stage):
        symbols = [f"S{number}" for number in range(76)]
        with pytest.raises(ConfigError, match="take at most 75, daily bars, or venue ibkr"):
            stage.bars.bars(symbols)

    played(play, is_paced=True)


def test_days_come_after_the_close_of_their_session():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            coming = asyncio.ensure_future(drained(bars, 2))
            await asyncio.sleep(0.05)
            stage.clock.ahead = 7 * HOUR
            assert starts(await coming) == [datetime(2024, 3, 4, 5, tzinfo=UTC)]

    played(play, timeframe="1d", settle_s=60.0)


def test_longer_than_days_is_refused():
    with pytest.raises(ConfigError, match="live bars are 1m, 5m"):
        played(lambda stage: None, timeframe="1w")
