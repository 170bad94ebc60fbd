"""What a fault plan does to our gateway, as the real ib_async meets it."""

import pytest
from ib_async import IB, LimitOrder, MarketOrder

from live.paper.faults import Fault
from tests.live.paper.gateway import AAPL, Gateway, known, scene, until


class Ear:
    """Notes what a client is told, in its order."""

    def __init__(self, ib: IB) -> None:
        self.heard: list[object] = []
        ib.errorEvent += lambda _id, code, *_: self.heard.append(code)
        ib.orderStatusEvent += lambda trade: self.heard.append(trade.orderStatus.status)
        ib.execDetailsEvent += lambda *_: self.heard.append("execution")
        ib.commissionReportEvent += lambda *_: self.heard.append("commission")


def bought(*faults: Fault) -> list[object]:
    """What a client hears of ten units bought at the market."""
    told: list[object] = []

    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
        await at.step()
        await until(lambda: {"Filled", "execution"} <= set(ear.heard))
        await at.wait(60.0)
        await until(lambda: "commission" in ear.heard)
        told.extend(ear.heard)

    scene(play, *faults)
    return told


def test_execution_its_cost_and_the_state_come_in_this_order() -> None:
    assert bought()[-3:] == ["execution", "commission", "Filled"]


def test_state_may_be_told_before_its_execution() -> None:
    assert bought(Fault("status_first"))[-3:] == ["Filled", "execution", "commission"]


def test_commission_may_be_told_later() -> None:
    told = bought(Fault("late_commission", wait_s=30.0))
    assert told[-3:] == ["execution", "Filled", "commission"]


def test_doubled_update_brings_the_same_execution_once_more() -> None:
    told = bought(Fault("duplicate", nth=3))
    assert told.count("Filled") == 1  # the client takes the second for known
    assert told.count("execution") == 1


def test_held_order_is_told_with_399_and_works_on() -> None:
    told = bought(Fault("held"))
    assert told.index("PreSubmitted") < told.index(399) < told.index("Submitted")
    assert "Filled" in told


def test_order_may_be_rejected_with_201() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
        await until(trade.isDone)
        assert set(ear.heard) == {201, "Cancelled"}
        assert not await ib.reqAllOpenOrdersAsync()

    scene(play, Fault("reject"))


def test_history_asked_too_fast_is_refused_with_162() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        asked = (AAPL, "", "600 S", "1 min", "TRADES")
        assert not await ib.reqHistoricalDataAsync(*asked, useRTH=True)
        assert ear.heard == [162]
        assert await ib.reqHistoricalDataAsync(*asked, useRTH=True)

    scene(play, Fault("too_many_requests", on="reqHistoricalData"))


def test_too_many_messages_are_refused_with_100() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        ib.reqMktData(AAPL)
        await until(lambda: ear.heard == [100])

    scene(play, Fault("too_many_requests", on="reqMktData"))


@pytest.mark.parametrize(("after", "placed"), [(False, 0), (True, 1)])
def test_gateway_may_break_the_line_before_an_order_or_after_it(after: bool, placed: int) -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0))
        await until(lambda: not ib.isConnected())
        again = await at.client()
        assert len(again.openTrades()) == placed
        again.disconnect()

    scene(play, Fault("reset", on="placeOrder", after=after))


@pytest.mark.parametrize(("after", "placed"), [(False, 0), (True, 1)])
def test_gateway_that_hangs_says_no_more_to_this_client_alone(after: bool, placed: int) -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0))
        ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0))
        second = await at.client(2)
        await until(lambda: len(at.venue.tickets) == 2 * placed)
        await second.reqCurrentTimeAsync()
        ib.disconnect()
        assert len(await second.reqAllOpenOrdersAsync()) == 2 * placed
        second.disconnect()

    scene(play, Fault("hang", on="placeOrder", after=after))


def test_line_may_go_mute_until_the_client_comes_again() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
        ear = Ear(ib)
        await at.step(2)
        assert at.venue.updates.is_mute
        assert ear.heard == []
        ib.disconnect()
        await until(lambda: not at.api.sessions)
        again = await at.client()
        assert len(again.fills()) == 1
        again.disconnect()

    scene(play, Fault("mute"))


async def lost(at: Gateway, ib: IB, code: int) -> list[object]:
    """Fill an order while the link is lost; what is heard up to its return."""
    ear = Ear(ib)
    ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
    await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
    second = await at.client(2)
    await at.step()
    await until(lambda: 1100 in ear.heard)
    assert "execution" not in ear.heard
    assert len(second.fills()) == 0
    await at.wait(2.0)
    await until(lambda: code in ear.heard)
    second.disconnect()
    return ear.heard


def test_link_that_comes_back_with_its_data_tells_what_happened_meanwhile() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        heard = await lost(at, ib, 1102)
        await until(lambda: "Filled" in heard)
        assert heard.index(1102) < heard.index("execution")
        assert at.api.data.is_wanted

    scene(play, Fault("link_lost", status=1102, wait_s=2.0))


def test_link_that_comes_back_new_has_forgotten_subscriptions_and_news() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        heard = await lost(at, ib, 1101)
        assert not at.api.data.is_wanted
        assert not ib.fills()
        assert len(await ib.reqExecutionsAsync()) == 1
        assert 1102 not in heard

    scene(play, Fault("link_lost", wait_s=2.0))


async def step_to_the_end(at: Gateway, ib: IB) -> None:
    """Let a bar pass that ends the client's line."""
    await at.step()
    await until(lambda: not ib.isConnected())


async def shut_out(at: Gateway, wait_s: float) -> None:
    """Find that the gateway takes a call and says nothing, until some time has passed."""
    again = IB()
    with pytest.raises(TimeoutError):
        await again.connectAsync("127.0.0.1", at.port, clientId=1, timeout=0.1)
    await at.wait(wait_s)
    await again.connectAsync("127.0.0.1", at.port, clientId=1)
    again.disconnect()


def test_restart_closes_every_line_and_nobody_gets_in_before_it_is_over() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        await step_to_the_end(at, ib)
        assert 1100 in ear.heard
        await shut_out(at, 60.0)

    scene(play, Fault("restart", wait_s=60.0))


def test_after_a_restart_ids_begin_anew_and_one_that_is_taken_is_refused_with_103() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0, orderRef="before"))
        await known(trade)
        await step_to_the_end(at, ib)
        again = IB()
        ear = Ear(again)
        await again.connectAsync("127.0.0.1", at.port, clientId=1)
        assert ear.heard.count(1101) == 1
        taken = LimitOrder("BUY", 1, 80.0, orderId=trade.order.orderId, orderRef="after")
        again.client.placeOrder(taken.orderId, AAPL, taken)
        await until(lambda: 103 in ear.heard)
        assert at.api.next_order_id() == 1
        again.disconnect()

    scene(play, Fault("restart"))


def test_order_of_before_a_restart_is_modified_and_cancelled_under_its_own_id() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await known(ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0, orderRef="mine")))
        await step_to_the_end(at, ib)
        again = await at.client()
        (trade,) = again.openTrades()
        trade.order.lmtPrice = 91.0
        again.placeOrder(AAPL, trade.order)
        await until(lambda: trade.log[-1].message == "Modified")
        again.cancelOrder(trade.order)
        await until(trade.isDone)
        again.disconnect()

    scene(play, Fault("restart"))


def test_gateway_that_has_lost_its_login_takes_the_call_and_says_nothing() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await step_to_the_end(at, ib)
        await shut_out(at, 60.0)

    scene(play, Fault("session_lost", wait_s=60.0))


def test_competing_session_takes_live_bars_away_until_it_ends() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        ear = Ear(ib)
        bars = ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: at.api.data.is_wanted)
        await at.step()
        await until(lambda: ear.heard == [10197])
        ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: ear.heard == [10197, 10197])
        await at.wait(60.0)
        later = ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: at.api.data.is_wanted)
        await at.step()
        await until(lambda: len(later) == 12)
        assert not bars

    scene(play, Fault("competing", wait_s=60.0))


async def held_for_a_while(at: Gateway, ib: IB) -> None:
    """Lose a line with a fill, and find its id taken once."""
    await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
    await step_to_the_end(at, ib)
    again = IB()
    ear = Ear(again)
    with pytest.raises(TimeoutError):
        await again.connectAsync("127.0.0.1", at.port, clientId=1, timeout=0.1)
    assert 326 in ear.heard
    await again.connectAsync("127.0.0.1", at.port, clientId=1)
    assert len(again.fills()) == 1
    again.disconnect()


def test_id_of_a_dead_connection_may_be_held_for_a_while() -> None:
    scene(held_for_a_while, Fault("refuse", wait_s=90.0))


def test_id_of_a_dead_connection_may_be_held_after_a_restart_too() -> None:
    async def play(at: Gateway, ib: IB) -> None:
        await step_to_the_end(at, ib)
        again = await at.client()
        await held_for_a_while(at, again)
        again.disconnect()

    scene(play, Fault("restart"), Fault("refuse", wait_s=90.0))
