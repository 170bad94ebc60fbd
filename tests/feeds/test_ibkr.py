"""Live bars from IB Gateway."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from brokers.errors import ConfigError, DataError
from brokers.wire.transport import Reconnected, VenueBar
from tests.feeds.tws_stage import AT, MINUTE, drained, played, wanted


def asked_for(stage, symbol, answer=None):
    """Set as soon as live bars of a symbol are asked for, and have been answered."""
    is_asked, listen = asyncio.Event(), stage.api.answers[50]

    def heard(client, fields):
        mine = fields[4] == symbol
        (answer if answer and mine else listen)(client, fields)
        if mine:
            is_asked.set()

    stage.api.answers[50] = heard
    return is_asked


def test_live_minutes_are_those_of_the_market_to_the_last_bit():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            await wanted(stage)
            await stage.step()
            assert await coming == stage.venue.market.newest("AAPL")

    played(play)


def test_gap_of_a_broken_connection_is_fetched_once():
    async def play(stage):
        seen = []
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            async for item in bars:
                seen.append(item)
                if len(seen) == 1:
                    await wanted(stage)
                    await stage.step()
                if len(seen) == 2:
                    stage.api.break_off()
                    await stage.step(3)
                if isinstance(item, VenueBar) and item.start_at == AT + 13 * MINUTE:
                    break
        starts = [item.start_at for item in seen if isinstance(item, VenueBar)]
        assert starts == [AT + n * MINUTE for n in range(10, 14)]
        assert sum(isinstance(item, Reconnected) for item in seen) == 2

    played(play)


def test_bars_since_the_warm_up_come_first():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            found = [await anext(bars) for _ in range(3)]
        assert [bar.start_at for bar in found[1:]] == [AT + 8 * MINUTE, AT + 9 * MINUTE]

    played(play, since=AT + 8 * MINUTE)


def test_minutes_that_ended_while_it_was_being_asked_come_before_the_first_live_one():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            coming = asyncio.ensure_future(drained(bars, 4))
            await wanted(stage)
            for _ in range(2):
                stage.venue.market.advance()  # nobody is told
            await stage.step()
            starts = [bar.start_at for bar in (await coming)[1:]]
        assert starts == [AT + n * MINUTE for n in (10, 11, 12)]

    played(play, since=AT + 10 * MINUTE)


def test_five_minutes_are_gathered_from_live_minutes():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            coming = asyncio.ensure_future(anext(bars))
            await wanted(stage)
            await stage.step(5)
            bar = await coming
        assert (bar.start_at, bar.open, bar.close) == (AT + 10 * MINUTE, 101.0, 101.4)

    played(play, timeframe="5m")


def test_longer_than_days_is_refused():
    with pytest.raises(ConfigError, match="live bars are 1m, 5m"):
        played(lambda stage: None, timeframe="1w")


def test_sentinel_is_listened_to_besides():
    async def play(stage):
        is_asked = asked_for(stage, "MSFT")
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            coming = asyncio.ensure_future(drained(bars, 3))
            await is_asked.wait()
            await stage.step()
            found = {item.symbol for item in (await coming)[1:]}
        assert found == {"AAPL", "MSFT"}

    played(play, symbols=("AAPL", "MSFT"), sentinel="MSFT")


def test_sentinel_that_ib_does_not_give_is_done_without(caplog):
    def objection(client, fields):
        client.error(fields[2], 354, "Requested market data is not subscribed.")

    async def play(stage):
        is_asked = asked_for(stage, "MSFT", objection)
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            coming = asyncio.ensure_future(drained(bars, 2))
            await is_asked.wait()
            await stage.step()
            assert (await coming)[1].symbol == "AAPL"

    played(play, symbols=("AAPL", "MSFT"), sentinel="MSFT")
    assert "no live bars of the sentinel MSFT" in caplog.text


def test_sentinel_that_ib_does_not_know_is_done_without(caplog):
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)

    played(play, sentinel="NOSUCH")
    assert "no sentinel: ibkr: no contract for NOSUCH" in caplog.text


NOT_SUBSCRIBED = "Requested market data is not subscribed."


OBJECTIONS = [
    (354, NOT_SUBSCRIBED, f"no market data permission for AAPL .{NOT_SUBSCRIBED}.: subscribe to"),
    (420, "Invalid Real-time Query:No market data permissions for ISLAND STK", "permission for"),
    (10197, "No market data during competing live session", "end other sessions of the same"),
    (322, "Duplicate ticker id", r"no live bars of AAPL: Duplicate ticker id \(code 322\)"),
]


@pytest.mark.parametrize(("code", "text", "told"), OBJECTIONS)
def test_live_bars_that_may_not_be_had_are_one_line_with_the_next_step(code, text, told):
    async def play(stage):
        stage.api.answers[50] = lambda client, fields: client.error(fields[2], code, text)
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            await anext(bars)
            with pytest.raises(DataError, match=told):
                await anext(bars)
        with pytest.raises(DataError, match=told):
            await stage.bars.require_live(["AAPL"])

    played(play)


def test_live_bars_that_nobody_objects_to_may_be_had():
    async def play(stage):
        await stage.bars.require_live(["AAPL"])
        stage.api.answers[50] = lambda client, _: client.break_off()
        await stage.bars.require_live(["AAPL"])  # a broken line says nothing against them
        assert await stage.bars.splits(["AAPL"]) == ()

    played(play)


def test_unknown_symbol_has_no_live_bars():
    async def play(stage):
        async with aclosing(stage.bars.bars(["NOSUCH"])) as bars:
            with pytest.raises(DataError, match="no contract for NOSUCH"):
                await anext(bars)

    played(play)


def test_mute_bars_are_asked_for_once_more_then_given_up():
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert isinstance(await anext(bars), Reconnected)
            assert isinstance(await anext(bars), Reconnected)
            with pytest.raises(DataError, match=r"mute: no bar in 0\.05 s, though it was asked"):
                await anext(bars)
        assert stage.outages == ["ibkr: market data is mute: no bar in 0.05 s"]

    played(play, mute_s=0.05)


def test_silence_while_the_exchange_is_closed_is_no_sign_of_anything():
    async def play(stage):
        stage.venue.move(datetime(2024, 3, 4, 23, 0, tzinfo=UTC))
        told_time, asked = stage.api.answers[49], asyncio.Semaphore(0)

        def time(client, fields):
            asked.release()
            told_time(client, fields)

        stage.api.answers[49] = time
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            await anext(bars)
            coming = asyncio.ensure_future(anext(bars))
            for _ in range(2):  # whether the gateway is there is asked all the same
                await asked.acquire()
            assert not coming.done()
            coming.cancel()
            await asyncio.wait([coming])
        assert stage.outages == []

    played(play, mute_s=0.02)


def test_gateway_that_says_nothing_any_more_is_called_again():
    async def play(stage):
        stage.api.answers[49] = lambda *_: None
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            assert all(isinstance(item, Reconnected) for item in await drained(bars, 2))
        assert "no currentTime in 0.05 s" in stage.outages[0]

    played(play, quiet_s=0.02, timeout_s=0.05)


@pytest.mark.parametrize("code", [1101, 1102])
def test_live_bars_are_asked_for_anew_when_ib_is_back(code):
    async def play(stage):
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            await anext(bars)
            coming = asyncio.ensure_future(anext(bars))
            await wanted(stage)
            stage.api.announce(code, "Connectivity between IB and TWS has been restored")
            assert isinstance(await coming, Reconnected)

    played(play)


def test_bars_of_days_come_after_the_close():
    async def play(stage):
        stage.venue.move(datetime(2024, 3, 4, 21, 5, tzinfo=UTC))
        async with aclosing(stage.bars.bars(["AAPL"])) as bars:
            _, bar = await drained(bars, 2)
        assert (bar.start_at, bar.open) == (datetime(2024, 3, 4, 5, tzinfo=UTC), 100.0)

    played(play, timeframe="1d", since=AT, settle_s=1.0)


def test_bars_adjusted_for_dividends_are_refused():
    with pytest.raises(ConfigError, match=r"set data\.adjustment to split or none"):
        played(lambda stage: None, adjustment="total")


def test_live_bars_of_more_symbols_than_ib_s_pacing_allows_are_refused():
    async def play(stage):
        with pytest.raises(DataError, match="live bars of 61 symbols: IB lets one ask for those"):
            await stage.bars.require_live([f"S{number}" for number in range(61)])

    played(play)
