"""What our gateway answers to orders, questions and callers of every kind."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ib_async import IB, LimitOrder, MarketOrder, Order, Stock

from live.paper.tws_wire import LONGEST, frame
from tests.live.paper.gateway import AAPL, LONGEST_S, Gateway, gateway, known, scene, until

NOSUCH = Stock("NOSUCH", "SMART", "USD", conId=1)
LIMIT = {"action": "BUY", "totalQuantity": 10, "orderType": "LMT", "lmtPrice": 90}


def told(ask: Callable[[Gateway, IB], Awaitable[Any]], count: int = 1, **terms: Any) -> list[int]:
    """The first codes that a client hears of what it asks."""
    codes: list[int] = []

    async def play(at: Gateway, ib: IB) -> None:
        ib.errorEvent += lambda _id, code, *_: codes.append(code)
        await ask(at, ib)
        await until(lambda: len(codes) >= count)

    scene(play, **terms)
    return codes


def order(**words: Any) -> Order:
    return Order(**(LIMIT | words))


@pytest.mark.parametrize(
    ("words", "kind", "time"),
    [
        ({"orderType": "STP", "auxPrice": 110}, "stop", "day"),
        ({"orderType": "STP LMT", "auxPrice": 110}, "stop_limit", "day"),
        ({"orderType": "TRAIL", "action": "SELL", "auxPrice": 2}, "trailing_stop", "day"),
        ({"orderType": "TRAIL", "action": "SELL", "trailingPercent": 2}, "trailing_stop", "day"),
        ({"tif": "GTC"}, "limit", "gtc"),
        ({"tif": "GTD", "goodTillDate": "20240103-15:30:00"}, "limit", "gtd"),
    ],
)
def test_order_of_every_kind_is_taken_in(words: dict[str, Any], kind: str, time: str) -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await known(ib.placeOrder(AAPL, order(orderRef="it", **words)))
        placed = at.venue.matching.find("it")
        assert placed is not None
        terms = at.venue.tickets[placed.venue_order_id].terms
        assert (terms.order_type, terms.time_in_force) == (kind, time)

    scene(play)


@pytest.mark.parametrize(
    "words",
    [
        {"orderType": "MOC"},  # BackBroker's rules, which the venue has here, know no such time
        {"orderType": "LOC"},
        {"tif": "FOK"},
        {"orderType": "REL"},
        {"action": "SSHORT"},
        {"tif": "AUC"},
        {"tif": "GTD", "goodTillDate": "tomorrow"},
        {"totalQuantity": 0},
        {"lmtPrice": -1},
        {"parentId": 77},
    ],
)
def test_order_that_the_venue_does_not_have_is_refused_with_201(words: dict[str, Any]) -> None:
    async def ask(_at: Gateway, ib: IB) -> None:
        ib.placeOrder(AAPL, order(**words))

    assert told(ask) == [201]


def test_leg_that_contradicts_itself_refuses_its_family() -> None:
    async def ask(at: Gateway, ib: IB) -> None:
        entry = ib.placeOrder(AAPL, order(transmit=False))
        ib.placeOrder(AAPL, order(action="SELL", lmtPrice=-1, parentId=entry.order.orderId))
        await until(lambda: at.api.requests)
        assert not await ib.reqAllOpenOrdersAsync()

    assert told(ask) == [201]


def test_order_that_waits_for_its_family_can_be_withdrawn_and_then_has_no_legs() -> None:
    async def ask(_at: Gateway, ib: IB) -> None:
        entry = ib.placeOrder(AAPL, order(transmit=False))
        ib.cancelOrder(entry.order)
        ib.placeOrder(AAPL, order(action="SELL", parentId=entry.order.orderId))

    assert told(ask, 2) == [202, 201]


def test_order_that_has_filled_cannot_be_modified() -> None:
    async def ask(at: Gateway, ib: IB) -> None:
        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
        await known(trade)
        await at.step()
        await until(trade.isDone)
        ib.client.placeOrder(trade.order.orderId, AAPL, LimitOrder("BUY", 10, 90))

    assert told(ask) == [104]


def test_modification_that_the_venue_refuses_leaves_the_order_at_work() -> None:
    async def ask(at: Gateway, ib: IB) -> None:
        trade = ib.placeOrder(AAPL, order(orderRef="it"))
        await known(trade)
        ib.client.placeOrder(trade.order.orderId, AAPL, order(lmtPrice=91, orderRef="it"))
        await ib.reqCurrentTimeAsync()
        placed = at.venue.matching.find("it")
        assert placed is not None
        assert placed.limit_price == 90

    assert told(ask) == [329]


def test_global_cancel_ends_the_orders_of_every_client() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        second = await at.client(2)
        trades = [it.placeOrder(AAPL, order()) for it in (ib, second)]
        await known(*trades)
        await at.step()
        ib.reqGlobalCancel()
        await until(lambda: all(trade.isDone() for trade in trades))
        second.disconnect()

    scene(play)


def test_client_finds_its_own_open_orders_and_the_next_id() -> None:
    async def play(_at: Gateway, ib: IB) -> None:
        await known(ib.placeOrder(AAPL, order(orderRef="mine")))
        (found,) = await ib.reqOpenOrdersAsync()
        assert found.order.orderRef == "mine"
        ib.client.reqIds(1)
        assert ib.client.getReqId() > found.order.orderId

    scene(play)


def test_account_updates_tell_what_is_held_at_its_last_price() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
        await at.step(2)
        again = await at.client(2)
        (held,) = again.portfolio()
        assert (held.position, held.averageCost, held.marketPrice) == (10, 100.95, 101.1)
        again.client.reqAccountUpdates(subscribe=False, acctCode="")
        again.disconnect()

    scene(play)


def test_last_price_comes_once_and_a_snapshot_ends() -> None:
    async def play(_at: Gateway, ib: IB) -> None:
        (ticker,) = await ib.reqTickersAsync(AAPL)
        assert ticker.last == 100.9
        ib.reqMktData(AAPL)
        ib.cancelMktData(AAPL)

    scene(play)


async def ask_price(_at: Gateway, ib: IB) -> None:
    ib.reqMktData(NOSUCH)


async def ask_bars(_at: Gateway, ib: IB) -> None:
    ib.reqRealTimeBars(NOSUCH, 5, "TRADES", useRTH=True)


async def ask_details(_at: Gateway, ib: IB) -> None:
    assert not await ib.reqContractDetailsAsync(NOSUCH)


def asked(contract: Stock, end: str, duration: str, size: str) -> Callable[[Gateway, IB], Any]:
    async def ask(_at: Gateway, ib: IB) -> None:
        how = ("TRADES", True, 2, False, [])
        ib.client.reqHistoricalData(ib.client.getReqId(), contract, end, duration, size, *how)

    return ask


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (ask_price, 200),
        (ask_bars, 200),
        (ask_details, 200),
        (asked(NOSUCH, "", "1 D", "1 min"), 200),
        (asked(AAPL, "", "1 D", "7 mins"), 321),
        (asked(AAPL, "", "some D", "1 min"), 321),
        (asked(AAPL, "20200102-15:30:00", "1 D", "1 min"), 162),
    ],
)
def test_what_cannot_be_had_is_refused_with_its_code(ask: Any, code: int) -> None:
    assert told(ask) == [code]


@pytest.mark.parametrize(
    "end", ["20240102-14:35:00", "20240102 14:35:00 UTC", "20240102 09:35:00 US/Eastern"]
)
def test_history_ends_where_it_is_asked_to_in_utc_or_in_a_zone(end: str) -> None:
    async def play(_at: Gateway, ib: IB) -> None:
        bars = await ib.reqHistoricalDataAsync(AAPL, end, "300 S", "1 min", "TRADES", useRTH=True)
        assert (len(bars), bars[-1].close) == (5, 100.4)

    scene(play)


def test_live_bars_end_when_they_are_cancelled_and_others_break_alone() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        second = await at.client(2)
        bars = second.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: at.api.data.is_wanted)
        await at.venue.data.drop()
        await until(lambda: not second.isConnected())
        assert ib.isConnected()
        mine = ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: at.api.data.is_wanted)
        ib.cancelRealTimeBars(mine)
        await until(lambda: not at.api.data.is_wanted)
        assert not bars

    scene(play)


async def answered(port: int, *words: bytes) -> bytes:
    """What the gateway says to a caller before it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for it in words:
        writer.write(it)
    heard = await reader.read()
    writer.close()
    return heard


def offer(versions: bytes) -> bytes:
    return b"API\0" + struct.pack(">I", len(versions)) + versions


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        ((b"GET / HTTP/1.1\r\n\r\n",), b""),
        ((b"\x16\x03\x01\x02\x00" * 4,), b""),  # TLS
        ((offer(b"vx..y"),), b""),
        ((b"API\0" + struct.pack(">I", LONGEST + 1),), b""),
        ((offer(b"v100..110"),), b"503"),
        ((offer(b"v157..178"), frame(49, 1)), b"505"),
        ((offer(b"v157..178"), frame(71, 2, "x", "")), b""),
    ],
)
def test_caller_who_speaks_otherwise_is_hung_up_on(words: tuple[bytes, ...], heard: bytes) -> None:
    async def run() -> None:
        async with asyncio.timeout(LONGEST_S), gateway() as at:
            said = await answered(at.port, *words)
            assert heard in said
            assert at.api.told == -1

    asyncio.run(run())


def test_message_that_it_does_not_know_is_named_and_the_client_stays() -> None:
    async def ask(_at: Gateway, ib: IB) -> None:
        ib.client.send(9999, 1)

    assert told(ask) == [505]


def test_bar_that_was_matched_is_history_once_it_was_shown() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        async def last() -> float:
            how = ("", "600 S", "1 min", "TRADES")
            return (await ib.reqHistoricalDataAsync(AAPL, *how, useRTH=True))[-1].close

        step = at.venue.market.advance()
        assert step is not None
        await at.venue.match(step)
        assert await last() == 100.9
        await at.venue.send_bars(step)
        assert await last() == 101

    scene(play)
