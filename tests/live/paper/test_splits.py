"""The paper venue's splits: prices before were dearer, positions and orders follow."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from feeds.passport import stamp
from live.paper.market import Market
from live.paper.spec import VenueSpec
from live.paper.splits import MarketSplit
from tests.live.paper.stage import Desk

DAYS = ("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05")
TWO_FOR_ONE = MarketSplit.parse("AAA 2024-01-04 2:1")
ALWAYS = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))


def frames(*symbols: str) -> dict[str, pd.DataFrame]:
    """Days that close at 50, 51, 52, 53, after the split's reckoning."""
    index = pd.DatetimeIndex(DAYS, tz="America/New_York", name="time").tz_convert("UTC")
    close = [50.0, 51.0, 52.0, 53.0]
    columns = {"open": close, "high": close, "low": close, "close": close, "volume": 100.0}
    return {
        symbol: stamp(
            pd.DataFrame(columns, index=index),
            symbol=symbol,
            source="test",
            timeframe="1d",
            calendar="XNYS",
        )
        for symbol in symbols
    }


def closes(market: Market, symbol: str = "AAA", **how: Any) -> list[float]:
    return [bar.close for bar in market.bars(symbol, *ALWAYS, **how)]


def test_bars_are_told_as_they_were_traded_or_adjusted_for_what_has_happened() -> None:
    market = Market(frames("AAA", "BBB"), splits=[TWO_FOR_ONE])
    market.advance()
    second = market.advance()
    assert (closes(market), closes(market, adjusted=True)) == ([100.0, 102.0], [100.0, 102.0])
    third = market.advance()
    assert (second and second.splits, third and third.splits) == ((), (TWO_FOR_ONE,))
    assert closes(market) == [100.0, 102.0, 52.0]
    assert closes(market, adjusted=True) == [50.0, 51.0, 52.0]
    assert closes(market, "BBB") == [50.0, 51.0, 52.0]
    assert market.bars("AAA", *ALWAYS)[0].volume == 50.0
    assert market.price_before_today("AAA") == Decimal("51.0")
    assert market.opens(TWO_FOR_ONE) == datetime(2024, 1, 4, 14, 30, tzinfo=UTC)


def test_a_correction_of_before_is_adjusted_like_its_bar() -> None:
    plain = Market(frames("AAA"))
    plain.advance()
    (bar,) = plain.bars("AAA", *ALWAYS)
    market = Market(frames("AAA"), splits=[TWO_FOR_ONE], corrections=[bar])  # as traded: 50
    for _ in DAYS:
        market.advance()
    assert (closes(market)[0], closes(market, adjusted=True)[0]) == (50.0, 25.0)


def test_position_and_orders_at_work_have_more_units_and_the_account_its_value() -> None:
    desk = Desk(cash=10_000.0)
    desk.hold(10)
    desk.send("sell", 10, stop_price=40)
    before = desk.venue.account()
    desk.venue.split("AAA", Decimal(2))
    (held,) = desk.venue.positions()
    assert (held.quantity, held.average_price) == (Decimal("20.0"), Decimal("50.0"))
    order = desk.venue.find("o2")
    assert order is not None
    assert (order.quantity, order.stop_price) == (20, 40)  # the price stays, as at Alpaca
    desk.step(None)
    assert desk.venue.account().equity == before.equity
    assert desk.venue.account().cash == before.cash


def test_a_venue_splits_before_it_matches_the_first_bar_after() -> None:
    spec = VenueSpec(splits=(TWO_FOR_ONE.text,), warm_up=2)
    venue = spec.venue(frames("AAA"), ManualClock(ALWAYS[0]))
    venue.matching.desk.ledger.execute("AAA", 10.0, 102.0, 0.0)
    step = venue.market.advance()
    assert step is not None
    asyncio.run(venue.match(step))
    assert venue.matching.positions()[0].quantity == 20
    assert venue.marks[-1].equity == 100_000 - 1020 + 20 * 52


@pytest.mark.parametrize(
    ("text", "kind", "ratio"),
    [
        ("AAA 2024-01-04 2:1", "forward_split", "2"),
        ("AAA 2024-01-04 3:2", "forward_split", "1.5"),
        ("AAA 2024-01-04 1:10", "reverse_split", "0.1"),
    ],
)
def test_a_split_is_read_and_written(text: str, kind: str, ratio: str) -> None:
    split = MarketSplit.parse(text)
    assert (split.text, split.kind, split.ratio) == (text, kind, Decimal(ratio))
    told = split.written()
    assert ("cusip" in told, "old_cusip" in told) == (ratio[0] != "0", ratio[0] == "0")
    assert (told["ex_date"], split.ex_date) == ("2024-01-04", date(2024, 1, 4))


@pytest.mark.parametrize("text", ["AAA", "AAA 2024-01-04 0:1", "AAA 2024-13-04 2:1", "A 2:1"])
def test_what_is_no_split_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no split: write SPY 2025-06-04 2:1"):
        MarketSplit.parse(text)


def test_a_split_of_a_symbol_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="split BBB 2024-01-04 2:1: the market has no BBB"):
        Market(frames("AAA"), splits=[MarketSplit.parse("BBB 2024-01-04 2:1")])
