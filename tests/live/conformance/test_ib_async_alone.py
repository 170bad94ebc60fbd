"""The real ib_async against our gateway in a process of its own: one day's work, deed by deed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
from ib_async import IB, LimitOrder, MarketOrder

from live.paper.child import VenueProcess
from tests.live.conformance.small_venue import WARM_UP, started
from tests.live.paper.gateway import AAPL, LONGEST_S, known, until


@dataclass
class Alone:
    """The gateway's process."""

    venue: VenueProcess

    async def step(self, times: int = 1) -> None:
        """Let minutes pass; prices rise by 0.1 in each."""
        for _ in range(times):
            await asyncio.to_thread(self.venue.remote.step)
            await asyncio.to_thread(self.venue.remote.bars)

    async def client(self) -> IB:
        """A client that is connected."""
        ib = IB()
        await ib.connectAsync("127.0.0.1", int(self.venue.url.rpartition(":")[2]), clientId=1)
        return ib

    def scene(self, play: Callable[[IB], Awaitable[None]]) -> None:
        """Run a coroutine with one client connected."""

        async def run() -> None:
            async with asyncio.timeout(2 * LONGEST_S):
                ib = await self.client()
                await play(ib)
                ib.disconnect()

        asyncio.run(run())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """One gateway for all deeds, which come in their order."""
    folder = tmp_path_factory.mktemp("gateway") / "venue"
    with started(folder, front="tws", account="backtrader") as venue:
        assert venue.url.startswith("tws://127.0.0.1:")
        yield Alone(venue)


def test_account_positions_and_history_are_there(alone: Alone) -> None:
    async def play(ib: IB) -> None:
        assert ib.managedAccounts() == ["DU123456"]
        summary = {it.tag: it.value for it in await ib.accountSummaryAsync()}
        assert float(summary["NetLiquidation"]) == 100_000
        assert await ib.reqPositionsAsync() == []
        bars = await ib.reqHistoricalDataAsync(AAPL, "", "600 S", "1 min", "TRADES", useRTH=True)
        assert (len(bars), bars[-1].close) == (WARM_UP, 100.9)

    alone.scene(play)


def test_real_time_bars_come_and_a_market_order_fills_with_its_commission(alone: Alone) -> None:
    async def play(ib: IB) -> None:
        live = ib.reqRealTimeBars(AAPL, 5, "TRADES", useRTH=True)
        trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10, orderRef="m1"))
        await known(trade)
        await alone.step()
        await until(lambda: len(live) == 12)
        await until(lambda: trade.isDone() and trade.fills)
        await until(lambda: trade.fills[0].commissionReport.execId)
        assert (trade.fills[0].execution.price, live[-1].close) == (100.95, 101)
        assert [it.position for it in await ib.reqPositionsAsync()] == [10]

    alone.scene(play)


def test_bracket_ends_by_its_take_profit_and_its_stop_is_cancelled(alone: Alone) -> None:
    async def play(ib: IB) -> None:
        family = ib.bracketOrder("BUY", 10, 102.0, 102.2, 95.0)
        parent, profit, stop = [ib.placeOrder(AAPL, order) for order in family]
        await known(parent, profit, stop)
        await alone.step(2)
        await until(lambda: parent.orderStatus.status == "Filled")
        await alone.step(8)
        await until(lambda: profit.orderStatus.status == "Filled")
        await until(lambda: stop.orderStatus.status == "Cancelled")

    alone.scene(play)


def test_order_is_modified_and_cancelled_and_a_poor_one_rejected(alone: Alone) -> None:
    async def play(ib: IB) -> None:
        trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 90.0))
        await known(trade)
        await alone.step()
        trade.order.lmtPrice = 91.0
        ib.placeOrder(AAPL, trade.order)
        await until(lambda: trade.log[-1].message == "Modified")
        ib.cancelOrder(trade.order)
        await until(lambda: trade.orderStatus.status == "Cancelled")
        poor = ib.placeOrder(AAPL, MarketOrder("BUY", 10_000_000))
        await known(poor)
        await alone.step()
        await until(poor.isDone)
        assert poor.log[-1].errorCode == 201

    alone.scene(play)


def test_client_that_comes_back_finds_what_rests_and_what_filled(alone: Alone) -> None:
    async def play(ib: IB) -> None:
        resting = LimitOrder("BUY", 5, 90.0, orderRef="rests")
        await known(
            ib.placeOrder(AAPL, resting),
            ib.placeOrder(AAPL, MarketOrder("BUY", 10, orderRef="fills")),
        )
        await asyncio.to_thread(alone.venue.remote.drop, "trade_updates")
        await until(lambda: not ib.isConnected())
        await alone.step()
        again = await alone.client()
        assert [trade.order.orderRef for trade in again.openTrades()] == ["rests"]
        assert "fills" in [fill.execution.orderRef for fill in again.fills()]
        assert [held.position for held in again.positions()] == [20]
        again.disconnect()

    alone.scene(play)
