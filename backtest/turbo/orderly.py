"""The broker's side of a turn, as stock plays it or lean."""

from typing import Any, Protocol

from backtest.turbo.broker import LeanBroker


class Orders(Protocol):
    """The broker's side of a turn."""

    news: Any  # true when there may be something to hear, and so to tell
    every_bar: bool  # whether `tell` has something to say where no order and no trade changed

    def next(self) -> None:
        """Let the broker work."""

    def hear(self) -> Any:
        """Bring what it has to say to the strategy; true when there is something to tell of."""

    def tell(self) -> None:
        """Call the notify methods of the strategy and the analyzers."""

    def clear(self) -> None:
        """Put away what was told."""


class StockOrders:
    """Stock's own order path, whatever the broker."""

    def __init__(self, cerebro: Any, strategy: Any) -> None:
        self.news: Any = True
        self.every_bar = True
        self.next = cerebro._brokernotify
        self.tell, self.clear = strategy._notify, strategy.clear
        self._strategy = strategy

    def hear(self) -> Any:
        """Tell whether `next`, which has delivered everything, had something."""
        return self._strategy._orderspending or self._strategy._tradespending


class LeanOrders:
    """The lean order path.

    Args:
        broker: the run's broker, `made` itself or the guard before it.
        made: the lean one.
    """

    def __init__(self, broker: Any, made: LeanBroker, strategy: Any) -> None:
        notices = made.notices(strategy)
        self.news: Any = made.notifs if broker is made else _News(made.notifs, broker)
        self.every_bar = notices.every_bar
        self.next = broker.next
        self._get = made.notifs.popleft if broker is made else broker.get_notification
        self._end = _done if broker is made else broker.get_notification
        self.tell, self.clear = notices.tell, notices.clear
        self._take, self._deliver, self._strategy = notices.take, made.deliver, strategy

    def hear(self) -> Any:
        """Bring all notifications to the strategy, and ask once more: a guard counts on it."""
        strategy = self._strategy
        while self.news:
            order = self._get()
            if order.p.owner is strategy:
                self._take(order)
            else:
                self._deliver(order, strategy)
        self._end()
        return strategy._orderspending or strategy._tradespending


def _done() -> None:
    """Nothing: who is not asked does not count on it."""


class _News:
    """True when a broker or the guard before it has a notification."""

    __slots__ = ("_notes", "_notifs")

    def __init__(self, notifs: Any, guard: Any) -> None:
        self._notifs = notifs
        self._notes = guard._notes  # asking the guard takes a note away

    def __bool__(self) -> bool:
        return bool(self._notifs or self._notes)
