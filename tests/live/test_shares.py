"""Two strategies in one account: each has the position that it traded."""

from types import SimpleNamespace
from typing import Any

import backtrader as bt

from live.shares import Share


class _Broker:
    """Places orders that fill when told to."""

    def __init__(self) -> None:
        self.orders: list[Any] = []
        self.restatements: list[Any] = []

    def getcash(self) -> float:
        return 7.0

    def buy(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        return self._place(data, size)

    def sell(self, owner: Any, data: Any, size: float, **how: Any) -> Any:
        return self._place(data, -size)

    def _place(self, data: Any, size: float) -> Any:
        order = SimpleNamespace(
            ref=len(self.orders), data=data, size=size, is_alive=True,
            executed=SimpleNamespace(exbits=[]),
        )  # fmt: skip
        order.alive = lambda: order.is_alive
        self.orders.append(order)
        return order

    def fill(self, order: Any, size: float, price: float, dt: float = 0.0) -> None:
        order.executed.exbits.append(SimpleNamespace(size=size, price=price, dt=dt))


def test_each_strategy_has_what_it_traded_and_the_accounts_cash() -> None:
    broker = _Broker()
    one, two = Share(broker), Share(broker)
    bought, sold = one.buy(None, "SPY", 10), two.sell(None, "SPY", 4)
    broker.fill(bought, 6.0, 100.0)
    assert (one.getposition("SPY").size, two.getposition("SPY").size) == (6.0, 0)
    broker.fill(bought, 4.0, 110.0)
    broker.fill(sold, -4.0, 105.0)
    bought.is_alive = sold.is_alive = False
    assert (one.getposition("SPY").size, one.getposition("SPY").price) == (10.0, 104.0)
    assert (two.getposition("SPY").size, two.getposition("SPY").price) == (-4.0, 105.0)
    assert one.getposition("SPY").size == 10.0  # an order that has ended is counted once
    assert one.getcash() == 7.0


def test_what_was_held_before_is_in_the_share_that_was_given_it() -> None:
    share = Share(_Broker(), {"SPY": bt.Position(5, 90.0)})
    assert share.getposition("SPY").size == 5
    assert share.getposition("XLK").size == 0


def test_a_split_restates_what_was_traded_before_it_and_nothing_after_it() -> None:
    broker = _Broker()
    share = Share(broker)
    bought, sold = share.buy(None, "SPY", 10), share.sell(None, "SPY", 5)
    broker.fill(bought, 10.0, 100.0, dt=1.0)
    broker.restatements.append(("SPY", 2.0, 2.0))
    broker.fill(sold, -5.0, 50.0, dt=3.0)
    assert (share.getposition("SPY").size, share.getposition("SPY").price) == (15.0, 50.0)
    assert share.getposition("SPY").size == 15.0
