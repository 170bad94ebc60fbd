"""The broker's side of a turn, as stock plays it or lean."""

from typing import Any


class StockOrders:
    """Stock's own order path, whatever the broker."""

    def __init__(self, cerebro: Any, strategy: Any) -> None:
        self.news, self.pending, self.every_bar = (), True, True
        self.next = cerebro._brokernotify
        self.tell, self.clear = strategy._notify, strategy.clear

    def hear(self) -> None:
        """Nothing: `next` has delivered everything."""
