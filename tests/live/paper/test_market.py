import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from brokers.wire.transport import VenueBar
from feeds import history
from feeds.frames import as_feed, bar_ends
from feeds.passport import stamp
from live.paper.market import Market
from live.paper.pace import play

MINUTE = timedelta(minutes=1)
START = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


def minutes(*offsets, price=10.0, calendar="XNYS", timeframe="1m", start=START):
    index = pd.DatetimeIndex([start + offset * MINUTE for offset in offsets], name="time")
    close = [price + offset for offset in offsets]
    frame = pd.DataFrame(
        {"open": close, "high": close, "low": close, "close": close, "volume": 1.0}, index=index
    )
    return stamp(frame, symbol="S", source="test", timeframe=timeframe, calendar=calendar)


def steps(market):
    found = []
    while (step := market.advance()) is not None:
        found.append(step)
    return found


def test_each_step_has_the_bars_that_ended_at_it_and_their_starts():
    market = Market({"AAA": minutes(0, 1, 3), "BBB": minutes(1, 2, 3, price=50.0)})
    seen = [((step.at - START) // MINUTE, sorted(step.bars)) for step in steps(market)]
    assert seen == [(1, ["AAA"]), (2, ["AAA", "BBB"]), (3, ["BBB"]), (4, ["AAA", "BBB"])]
    assert market.next_at is None
    last = market.newest("BBB")
    assert last == VenueBar("BBB", START + 3 * MINUTE, 53.0, 53.0, 53.0, 53.0, 1.0)


def test_steps_come_when_the_feeds_of_a_backtest_show_the_same_bars():
    frames = history("synthetic", ["SPY"], "2024-03-07", "2024-03-12", "1d")
    ends = [step.at for step in steps(Market(frames))]
    passport = as_feed(frames["SPY"]).passport
    assert ends == [end.to_pydatetime() for end in bar_ends(frames["SPY"], passport)]
    assert [f"{end:%d %H:%M}" for end in ends] == ["07 21:00", "08 21:00", "11 20:00", "12 20:00"]


def test_nothing_is_shown_before_it_ends():
    market = Market({"AAA": minutes(0, 1, 2)})
    whole = (START, START + 10 * MINUTE)
    assert (market.at, market.newest("AAA"), market.price("AAA")) == (START, None, None)
    assert market.bars("AAA", *whole) == ()
    market.advance()
    assert [bar.close for bar in market.bars("AAA", *whole)] == [10.0]
    steps(market)
    assert [bar.close for bar in market.bars("AAA", START + MINUTE, START + 2 * MINUTE)] == [11.0]
    assert market.price("AAA") == Decimal("12.0")


def test_an_unknown_symbol_has_no_bars_and_no_price():
    market = Market({"AAA": minutes(0, 1)})
    assert market.bars("ZZZ", START, START + MINUTE) == ()
    assert market.newest("ZZZ") is market.price("ZZZ") is market.price_before_today("ZZZ") is None


def test_the_price_before_today_is_the_last_one_before_the_session():
    day = 24 * 60
    market = Market({"AAA": minutes(388, 389, day, day + 1)})
    assert market.price_before_today("AAA") is None
    found = []
    for _ in range(4):
        market.advance()
        found.append(market.price_before_today("AAA"))
    assert found == [None, None, Decimal("399.0"), Decimal("399.0")]


def test_a_correction_comes_with_the_next_step_and_stands_from_then_on():
    mended = VenueBar("AAA", START, 9.0, 9.5, 8.5, 9.0, 2.0)
    market = Market({"AAA": minutes(0, 1, 2)}, corrections=[mended])
    first, second, third = steps(market)
    assert first.bars["AAA"].close == 10.0
    assert (first.corrections, third.corrections) == ((), ())
    (told,) = second.corrections
    assert (told.close, told.is_correction) == (9.0, True)
    assert market.bars("AAA", START, START + MINUTE) == (mended,)


@pytest.mark.parametrize("symbol", ["AAA", "ZZZ"])
def test_a_correction_of_no_bar_is_refused(symbol):
    lost = VenueBar(symbol, START - MINUTE, 9.0, 9.5, 8.5, 9.0, 2.0)
    with pytest.raises(ConfigError, match=f"no bar of {symbol} starts at 2024-01-02 14:29"):
        Market({"AAA": minutes(0, 1)}, corrections=[lost])


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ({}, "one timeframe, not no symbol at all"),
        ({"A": minutes(0, 1), "B": minutes(0, 5, timeframe="5m")}, "not 1m and 5m"),
        ({"A": minutes(0, 1), "B": minutes(0, 1, calendar="XTKS")}, "not XNYS and XTKS"),
    ],
)
def test_a_market_has_one_timeframe_and_one_calendar(frames, text):
    with pytest.raises(ConfigError, match=text):
        Market(frames)


def test_a_frame_that_is_none_is_refused_by_name():
    with pytest.raises(DataError, match="AAA: column 'open' is missing"):
        Market({"AAA": pd.DataFrame()})


def test_opening_hours_are_those_of_the_calendar_named_or_of_the_passports():
    assert Market({"AAA": minutes(0, 1)}).hours.calendar == "XNYS"
    assert Market({"AAA": minutes(0, 1, calendar=None)}).hours.calendar == "24/7"
    assert Market({"AAA": minutes(0, 1)}, calendar="24/7").hours.calendar == "24/7"


# -- Pace


async def waits(clock, *args, **how):
    market = Market({"AAA": minutes(0, 1, 2, 60)})
    return [
        (step.bars["AAA"].close, clock.monotonic())
        async for step in play(market, clock, *args, **how)
    ]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0.0, 60.0, 120.0, 180.0]),
        ({"speed": 60.0}, [0.0, 1.0, 2.0, 3.0]),
        ({"speed": 60.0, "skips_closed": False}, [0.0, 1.0, 2.0, 60.0]),
    ],
)
def test_steps_come_at_the_asked_pace_and_long_breaks_shrink_to_a_bar(how, expected):
    found = asyncio.run(waits(ManualClock(START), **how))
    assert found == list(zip([10.0, 11.0, 12.0, 70.0], expected, strict=True))


def test_a_slow_listener_does_not_make_the_market_late():
    async def told():
        clock, found = ManualClock(START), []
        async for _ in play(Market({"AAA": minutes(0, 1, 2)}), clock):
            found.append(clock.monotonic())
            clock.sleep(45.0)
        return found

    assert asyncio.run(told()) == [0.0, 60.0, 120.0]
