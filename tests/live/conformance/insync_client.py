"""What a program with ib_insync does all day, at the gateway on a port of loopback.

Runs in an environment of its own, without Seawall: `python insync_client.py PORT`. Prints what has
passed, line by line; the first thing that does not ends it.
"""

import sys
from collections.abc import Callable
from typing import Any

from ib_insync import IB, LimitOrder, MarketOrder, Stock
from ib_insync.util import UNSET_DOUBLE

SPY = Stock("SPY", "SMART", "USD")
LONGEST_S = 60.0
FARAWAY = 0.5  # of the price


def until(ib: IB, holds: Callable[[], Any], what: str) -> None:
    """Let messages come in until something holds."""
    for _ in range(int(LONGEST_S / 0.02)):
        if holds():
            return
        ib.sleep(0.02)
    sys.exit(f"never: {what}")


def require(holds: Any, what: str) -> None:
    """Say what passed, or end."""
    if not holds:
        sys.exit(f"failed: {what}")
    sys.stdout.write(f"ok: {what}\n")
    sys.stdout.flush()


def look(ib: IB) -> float:
    """Account, positions, contracts, history and live bars; the last price."""
    require(ib.managedAccounts(), "the account is known after connecting")
    values = {it.tag: it.value for it in ib.accountValues()}
    require(float(values["NetLiquidation"]) > 0, "account values come with connecting")
    summary = {it.tag: it.value for it in ib.accountSummary()}
    require(float(summary["TotalCashValue"]) > 0, "the account's summary is answered")
    require(ib.positions() == [], "there are no positions")
    (details,) = ib.reqContractDetails(SPY)
    require(details.minTick > 0, "the contract has details")
    bars = ib.reqHistoricalData(SPY, "", "1800 S", "1 min", "TRADES", useRTH=True)
    require(len(bars) > 1 and bars[-1].date.tzinfo, "history has bars with a zone")
    live = ib.reqRealTimeBars(SPY, 5, "TRADES", useRTH=True)
    until(ib, lambda: len(live) >= 12, "a minute of bars of five seconds")
    require(live[0].time < live[-1].time, "live bars come in order")
    ib.cancelRealTimeBars(live)
    return float(live[-1].close)


def trade(ib: IB, price: float) -> None:
    """A market order, a bracket through its take-profit, a change, a cancel, a refusal."""
    bought = ib.placeOrder(SPY, MarketOrder("BUY", 10, orderRef="m1"))
    until(ib, lambda: bought.isDone() and bought.fills, "a market order fills")
    until(ib, lambda: bought.fills[0].commissionReport.execId, "its commission comes")
    require(bought.fills[0].execution.orderRef == "m1", "a market order fills with its commission")
    entry = ib.bracketOrder("BUY", 10, 0, round(price * 1.0005, 2), round(price * FARAWAY, 2))
    entry.parent.orderType, entry.parent.lmtPrice = "MKT", UNSET_DOUBLE
    head, profit, stop = [ib.placeOrder(SPY, order) for order in entry]
    until(ib, lambda: profit.orderStatus.status == "Filled", "the take-profit fills")
    until(ib, lambda: stop.orderStatus.status == "Cancelled", "its stop is cancelled")
    require(head.orderStatus.status == "Filled", "a bracket ends by its take-profit")
    rests = ib.placeOrder(SPY, LimitOrder("BUY", 10, round(price * FARAWAY, 2)))
    until(ib, lambda: rests.orderStatus.status == "Submitted", "a limit order rests")
    rests.order.lmtPrice = round(price * FARAWAY + 1, 2)
    ib.placeOrder(SPY, rests.order)
    until(ib, lambda: rests.log[-1].message == "Modified", "an order at work is modified")
    ib.cancelOrder(rests.order)
    until(ib, lambda: rests.orderStatus.status == "Cancelled", "it is cancelled")
    require(rests.filled() == 0, "an order is modified, then cancelled")
    poor = ib.placeOrder(SPY, MarketOrder("BUY", 10_000_000))
    until(ib, poor.isDone, "an order beyond the account is refused")
    require(poor.log[-1].errorCode == 201, "a refusal comes with code 201")


def come_back(ib: IB, port: int) -> None:
    """End the connection with an order at work, and find it again."""
    ib.placeOrder(SPY, LimitOrder("BUY", 1, 1.0, orderRef="rests"))
    until(ib, lambda: ib.openTrades()[0].orderStatus.permId, "an order is taken in")
    ib.disconnect()
    ib.sleep(0.5)
    ib.connect("127.0.0.1", port, clientId=1)
    require([it.order.orderRef for it in ib.openTrades()] == ["rests"], "an order is found again")
    require(len(ib.fills()) >= 3, "so are the day's executions")
    require([it.position for it in ib.positions()] == [10], "and the position")


def main(port: int) -> None:
    """Do all of it."""
    ib = IB()
    ib.connect("127.0.0.1", port, clientId=1)
    trade(ib, look(ib))
    come_back(ib, port)
    ib.disconnect()


if __name__ == "__main__":
    main(int(sys.argv[1]))
