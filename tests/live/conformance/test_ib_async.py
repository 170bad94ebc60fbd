"""The real ib_async against our gateway: what it does here it does at IB."""

from datetime import UTC, datetime, timedelta

import pytest
from ib_async import IB, LimitOrder, MarketOrder, Order, Stock, StopOrder

from tests.live.conformance.small_venue import WARM_UP
from tests.live.paper.gateway import AAPL, known, scene, until


@pytest.mark.parametrize("newest", [157, 159, 160, 162, 163, 164, 166, 170, 176, 177, 178])
def test_every_version_of_the_protocol_reads_orders_and_contracts(newest):
    async def play(at, ib):
        assert ib.client.serverVersion() == newest
        (details,) = await ib.reqContractDetailsAsync(Stock("AAPL", "SMART", "USD"))
        assert (details.contract.conId, details.minTick) == (265598, 0.01)
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.25, orderRef="mine"))
        await known(trade)
        (found,) = await ib.reqAllOpenOrdersAsync()
        assert (found.order.orderRef, found.order.lmtPrice) == ("mine", 90.25)
        await at.step()
        ib.cancelOrder(trade.order)
        await until(lambda: trade.orderStatus.status == "Cancelled")
        (ended,) = await ib.reqCompletedOrdersAsync(apiOnly=False)
        assert (ended.order.orderRef, ended.orderStatus.status) == ("mine", "Cancelled")

    scene(play, newest=newest)


def test_account_and_positions_are_there_after_connecting():
    async def play(at, ib):
        assert ib.managedAccounts() == ["DU123456"]
        values = {it.tag: it.value for it in ib.accountValues()}
        assert float(values["NetLiquidation"]) == 100_000
        summary = {it.tag: it.value for it in await ib.accountSummaryAsync()}
        assert float(summary["TotalCashValue"]) == 100_000
        assert ib.positions() == []

    scene(play)


def test_market_order_fills_with_its_commission():
    async def play(at, ib):
        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10, orderRef="m1"))
        await known(trade)
        await at.step()
        await until(lambda: trade.isDone() and trade.fills)
        await until(lambda: trade.fills[0].commissionReport.execId)
        (fill,) = trade.fills
        assert (fill.execution.shares, fill.execution.price) == (10, 100.95)
        assert (fill.execution.orderRef, trade.orderStatus.status) == ("m1", "Filled")
        (held,) = await ib.reqPositionsAsync()
        assert (held.position, held.avgCost) == (10, 100.95)

    scene(play)


def test_bracket_ends_by_its_take_profit_and_the_stop_is_cancelled():
    async def play(at, ib):
        entry = ib.bracketOrder("BUY", 10, 101.5, 102.0, 95.0)
        parent, profit, stop = [ib.placeOrder(AAPL, order) for order in entry]
        await known(parent, profit, stop)
        await at.step(2)
        await until(lambda: parent.orderStatus.status == "Filled")
        await until(lambda: profit.orderStatus.status == "Submitted")
        await at.step(12)
        await until(lambda: profit.orderStatus.status == "Filled")
        await until(lambda: stop.orderStatus.status == "Cancelled")
        assert await ib.reqPositionsAsync() == []

    scene(play)


def test_of_an_oca_group_one_fills_and_the_other_is_cancelled():
    async def play(at, ib):
        await known(ib.placeOrder(AAPL, MarketOrder("BUY", 10)))
        await at.step()
        pair = [StopOrder("SELL", 10, 95.0), LimitOrder("SELL", 10, 102.0)]
        ib.oneCancelsAll(pair, "group", 1)
        stop, limit = [ib.placeOrder(AAPL, order) for order in pair]
        await known(stop, limit)
        await at.step(12)
        await until(lambda: limit.orderStatus.status == "Filled")
        await until(lambda: stop.orderStatus.status == "Cancelled")

    scene(play)


def test_modified_order_keeps_its_id_and_works_at_its_new_price():
    async def play(at, ib):
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0, orderRef="l1"))
        await known(trade)
        await at.step()
        await until(lambda: trade.orderStatus.status == "Submitted")
        perm_id = trade.orderStatus.permId
        trade.order.lmtPrice = 110.0
        ib.placeOrder(AAPL, trade.order)
        await until(lambda: trade.log[-1].message == "Modified")
        await at.step()
        await until(lambda: trade.orderStatus.status == "Filled")
        assert trade.orderStatus.permId == perm_id

    scene(play)


def test_rejected_order_ends_with_201_and_an_unknown_symbol_with_200():
    async def play(at, ib):
        codes = []
        ib.errorEvent += lambda _id, code, *_: codes.append(code)
        poor = ib.placeOrder(AAPL, MarketOrder("BUY", 10_000_000))
        odd = ib.placeOrder(Stock("NOSUCH", "SMART", "USD"), MarketOrder("BUY", 1))
        await until(odd.isDone)
        await known(poor)
        await at.step()
        await until(poor.isDone)
        assert codes == [200, 201]

    scene(play)


def test_cancel_of_an_unknown_or_ended_order_says_so():
    async def play(at, ib):
        codes = []
        ib.errorEvent += lambda _id, code, *_: codes.append(code)
        ib.cancelOrder(Order(orderId=77))
        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 1))
        await known(trade)
        await at.step()
        await until(trade.isDone)
        ib.client.cancelOrder(trade.order.orderId, "")
        await until(lambda: len(codes) == 2)
        assert codes == [10147, 10148]

    scene(play)


def test_history_has_finished_bars_and_real_time_bars_come_in_fives():
    async def play(at, ib):
        bars = await ib.reqHistoricalDataAsync(AAPL, "", "600 S", "1 min", "TRADES", useRTH=True)
        assert len(bars) == WARM_UP
        assert bars[-1].date.astimezone(UTC) == datetime(2024, 1, 2, 14, 39, tzinfo=UTC)
        assert bars[-1].close == 100.9
        days = await ib.reqHistoricalDataAsync(AAPL, "", "1 D", "1 day", "TRADES", useRTH=True)
        assert str(days[-1].date) == "2024-01-02"
        live = ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        await until(lambda: at.api.data.is_wanted)
        await at.step()
        await until(lambda: len(live) == 12)
        assert live[-1].time - live[0].time == timedelta(seconds=55)
        assert (live[0].open_, live[-1].close, sum(it.volume for it in live)) == (100.95, 101, 1000)
        assert (max(it.high for it in live), min(it.low for it in live)) == (101.5, 100.5)

    scene(play)


def test_client_that_comes_back_finds_what_happened_meanwhile():
    async def play(at, ib):
        resting = ib.placeOrder(AAPL, LimitOrder("BUY", 5, 90.0, orderRef="rests"))
        await known(resting, ib.placeOrder(AAPL, MarketOrder("BUY", 10, orderRef="fills")))
        at.api.break_off()
        await until(lambda: not ib.isConnected())
        await at.step()
        again = await at.client()
        assert [trade.order.orderRef for trade in again.openTrades()] == ["rests"]
        assert [fill.execution.orderRef for fill in again.fills()] == ["fills"]
        assert [held.position for held in again.positions()] == [10]
        again.disconnect()

    scene(play)


def test_client_id_in_use_is_refused_with_326():
    async def play(at, ib):
        second, codes = IB(), []
        second.errorEvent += lambda _id, code, *_: codes.append(code)
        with pytest.raises(TimeoutError):
            await second.connectAsync("127.0.0.1", at.port, clientId=1, timeout=0.2)
        assert codes == [326]
        assert ib.isConnected()

    scene(play)
