"""What a session does of a split, and when."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from brokers.errors import ConfigError, RiskRefused, Transient
from brokers.facts import Split
from feeds.alpaca_actions import StockSplit
from live.corporate_actions import (
    CorporateActions,
    SplitHalt,
    check_start,
    fact_of,
    in_words,
    told_in,
)
from live.facts_log import as_record
from live.paper.hours import Hours
from live.past import as_logged
from tests.feeds.alpaca_server import PatientClock

HOURS = Hours("XNYS")
SPLIT = StockSplit("SPY", date(2024, 12, 2), Decimal(2), Decimal(1))  # a Monday
EVE = datetime(2024, 11, 29, 18, tzinfo=UTC)  # a half-day
EX = datetime(2024, 12, 2, 14, 30, tzinfo=UTC)
FACT = Split("SPY", Decimal(2), Decimal(1), EVE, EX)
BEFORE = datetime(2024, 11, 27, 15, tzinfo=UTC)


def actions(began_at: datetime = BEFORE, told: Any = ()) -> CorporateActions:
    return CorporateActions(("SPY", "XLK"), HOURS, began_at, set(told))


def test_it_counts_from_the_close_before_and_the_open_after_its_date() -> None:
    assert fact_of(SPLIT, HOURS) == FACT
    assert in_words(FACT) == "SPY splits 2-for-1 on 2024-12-02"
    ten = Split("SPY", Decimal("1.0"), Decimal("10.0"), EVE, EX)
    assert in_words(ten) == "SPY splits 1-for-10 on 2024-12-02"


def test_entries_are_refused_from_the_eve_on_and_exits_are_not() -> None:
    known = {"SPY": FACT}
    rule = SplitHalt(known)

    def ask(at: datetime, growth: float = 1.0, symbol: str = "SPY") -> None:
        order = SimpleNamespace(symbol=symbol, side="buy", quantity=Decimal(3))
        rule(SimpleNamespace(order=order, bar_at=at.timestamp(), growth=growth))  # type: ignore[arg-type]

    ask(BEFORE)
    ask(EVE, growth=0.0)
    ask(EVE, symbol="XLK")
    with pytest.raises(RiskRefused, match="split: limit SPY splits 2-for-1 on 2024-12-02: no entr"):
        ask(EVE)


def test_each_split_halts_once() -> None:
    ours = actions()
    assert ours.halting(EX) == []
    assert "--fresh" in ours.learn(FACT)
    assert (ours.halting(None), ours.halting(BEFORE)) == ([], [])
    assert (ours.halting(EVE), ours.halting(EVE)) == ([FACT], [])


def test_what_the_log_has_and_what_came_before_the_session_is_no_news() -> None:
    assert actions().news([SPLIT, SPLIT]) == [FACT]
    assert actions(began_at=EX).news([SPLIT]) == []
    logged = as_logged(as_record(FACT))
    assert told_in([logged, {"kind": "bars"}]) == {("SPY", EX)}
    assert actions(told=told_in([logged])).news([SPLIT]) == []


def test_it_asks_now_and_after_each_close_and_again_after_a_failure() -> None:
    asked, told = [], []

    async def read(symbols: Sequence[str], first: date, last: date) -> list[StockSplit]:
        asked.append(f"{clock.now():%m-%d %H:%M} {first} {last}")
        if len(asked) == 4:
            enough.set()
        if len(asked) == 2:
            raise Transient("no network")
        return [SPLIT] if len(asked) > 2 else []

    async def some() -> None:
        watching = asyncio.ensure_future(actions().watch(read, told.append, clock))
        await enough.wait()
        watching.cancel()

    clock, enough = PatientClock(BEFORE), asyncio.Event()
    asyncio.run(some())
    assert asked == [
        "11-27 15:00 2024-11-27 2024-12-07",
        "11-27 21:01 2024-11-27 2024-12-07",
        "11-27 21:06 2024-11-27 2024-12-07",
        "11-29 18:01 2024-11-29 2024-12-09",
    ]
    assert told == [FACT]


@pytest.mark.parametrize(
    ("at", "adjustment", "told"),
    [
        (EVE, "split", "begin after that day's open"),
        (datetime(2024, 12, 2, 14, tzinfo=UTC), "none", "begin after that day's open"),
        (datetime(2024, 12, 2, 15, tzinfo=UTC), "none", "within the warm-up, whose prices"),
    ],
)
def test_a_warm_up_at_another_price_stops_the_start(
    at: datetime, adjustment: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        check_start([SPLIT], {"SPY": BEFORE}, HOURS, at, adjustment)


@pytest.mark.parametrize(
    ("at", "first", "adjustment"),
    [
        (BEFORE, BEFORE, "none"),
        (datetime(2024, 12, 2, 15, tzinfo=UTC), BEFORE, "split"),
        (datetime(2024, 12, 4, 15, tzinfo=UTC), datetime(2024, 12, 3, 15, tzinfo=UTC), "none"),
    ],
)
def test_a_warm_up_at_one_price_starts(at: datetime, first: datetime, adjustment: str) -> None:
    check_start([SPLIT], {"SPY": first}, HOURS, at, adjustment)
