"""The venue put together, and the small values it tells with."""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from brokers.errors import ConfigError, Transient, Unknown
from brokers.orders import OrderSchema
from brokers.wire.alpaca import Alpaca
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.transport import OrderUpdate, VenueBar
from feeds.timeframe import Timeframe
from live.paper import alpaca_json
from live.paper.account import BacktraderRules
from live.paper.faults import Fault
from live.paper.market import Step
from live.paper.spans import Span
from live.paper.ticker import Ticker
from live.paper.venue import halves
from tests.live.conformance.small_venue import KEY, SECRET
from tests.live.paper.front import BUY, Client, Front

money = st.decimals(min_value=0, max_value=10**9, places=9)


@given(money)
def test_written_number_reads_back_and_has_no_exponent(value: Decimal) -> None:
    text = alpaca_json.number(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_written_float_is_the_same_float(value: float) -> None:
    assert float(alpaca_json.number(value)) == value


def test_halves_of_a_fill_add_up_to_it_and_have_ids_of_their_own() -> None:
    front = Front(rules=BacktraderRules())
    for quantity, first, rest in (("5", "2", "3"), ("1", "0.5", "0.5"), ("0.3", "0.15", "0.15")):
        front.submit(qty=quantity)
        front.turn()
        update = front.venue.executions[-1]
        assert update.fill is not None
        one, two = halves(update, update.fill)
        assert one.fill is not None
        assert two.fill is not None
        assert (one.fill.quantity, two.fill.quantity) == (Decimal(first), Decimal(rest))
        assert one.order.filled_quantity + two.fill.quantity == two.order.filled_quantity
        assert one.order.filled_average_price == update.fill.price
        assert one.fill.execution_id != two.fill.execution_id


def test_second_part_of_a_fill_is_halved_at_the_average_of_both() -> None:
    front = Front(rules=BacktraderRules())
    front.submit(qty="4")
    front.turn()
    (update,) = front.venue.executions
    assert update.fill is not None
    order = alpaca_like(update)
    one, _ = halves(order, update.fill)
    assert one.order.filled_quantity == 6
    assert one.order.filled_average_price == Decimal("100.65")  # 4 at 100.5 before, 2 at 100.95


def alpaca_like(update: OrderUpdate) -> OrderUpdate:
    """The same fill as the second one of an order of eight units, the first at 100.5."""
    order = replace(
        update.order,
        quantity=Decimal(8),
        filled_quantity=Decimal(8),
        filled_average_price=Decimal("100.725"),
    )
    return OrderUpdate(order, update.fill)


def test_time_of_the_market_goes_on_between_steps_and_never_back() -> None:
    venue = Front().venue
    before = venue.at
    venue.move(before.replace(second=30))
    assert venue.at.second == 30
    venue.move(before)
    assert venue.at.second == 30


@pytest.mark.parametrize("text", ["0Min", "60Min", "24Hour", "2Day", "5Month", "Min", "1Year", ""])
def test_unknown_timeframe_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="invalid timeframe"):
        Span.parse(text)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("15Min", "2024-03-14T14:45:00Z"),
        ("1Hour", "2024-03-14T14:00:00Z"),
        ("1Day", "2024-03-14T04:00:00Z"),
        ("1Week", "2024-03-11T04:00:00Z"),
        ("1Month", "2024-03-01T05:00:00Z"),
        ("6M", "2024-01-01T05:00:00Z"),
    ],
)
def test_span_starts_in_new_york_when_it_lasts_a_day_or_longer(text: str, start: str) -> None:
    at = Front().venue.at.replace(month=3, day=14, hour=14, minute=59)
    assert alpaca_json.time(Span.parse(text).start(at)) == start


def test_spans_know_our_timeframes() -> None:
    assert [Span.of(Timeframe(text)) for text in ("5m", "1h", "1mo")] == [
        Span(5, "Min"),
        Span(1, "Hour"),
        Span(1, "Month"),
    ]


def test_running_day_has_the_extremes_of_its_minutes_and_begins_with_a_status() -> None:
    market = Front().venue.market
    ticker = Ticker(market)
    told = []
    for _ in range(2):
        step = market.advance()
        assert step is not None
        told.append([part for part in ticker.parts(step) if part["S"] == "AAPL"])
    assert [part["T"] for part in told[0]] == ["b", "s", "d", "t", "q"]
    assert [part["T"] for part in told[1]] == ["b", "d", "t", "q"]
    day = told[1][1]
    assert (day["o"], day["h"], day["l"], day["c"], day["v"]) == (100.95, 101.6, 100.5, 101.1, 2000)


def test_correction_goes_before_the_bars_of_its_step() -> None:
    market = Front().venue.market
    step = market.advance()
    assert step is not None
    mended = VenueBar("AAPL", market.at, 1.0, 2.0, 0.5, 1.5, 10.0, is_correction=True)
    parts = Ticker(market).parts(Step(step.at, step.bars, (mended,)))
    assert (parts[0]["T"], parts[0]["c"]) == ("u", 1.5)


def test_our_own_transport_finds_the_order_that_was_accepted_and_answered_504() -> None:
    front = Front(Fault("accepted_then_504"), rules=BacktraderRules())

    async def scenario(client: Client) -> None:
        keys = AlpacaKeys(SecretStr(KEY), SecretStr(SECRET))
        alpaca = Alpaca(client.http, keys, clock=front.clock, rng=random.Random(0))
        order = OrderSchema(
            client_order_id="mine", symbol="AAPL", side="buy", quantity=Decimal(10),
            order_type="market", time_in_force="gtc",
        )  # fmt: skip
        with pytest.raises((Unknown, Transient)):
            await alpaca.submit(order)
        found = await alpaca.find("mine")
        assert found is not None
        await client.turn()
        (fill,) = await alpaca.fills_since(front.clock.now().replace(year=2023))
        assert (fill.venue_order_id, fill.price) == (found.venue_order_id, Decimal("100.95"))
        (held,) = await alpaca.positions()
        assert held.quantity == 10

    front.run(scenario)


def test_notional_order_tells_its_money_and_fills_units() -> None:
    front = Front()
    order = front.submit(qty=None, notional="50.45")
    assert (order["qty"], order["notional"]) == (None, "50.45")
    front.turn()
    _, (held,) = front.call("GET", "/v2/positions")
    assert held["qty"] == "0.5"


def test_nothing_of_the_venue_needs_a_running_client() -> None:
    front = Front()
    assert BUY["symbol"] in front.venue.market.symbols
    asyncio.run(front.venue.release())
    assert front.venue.updates.late == 0
