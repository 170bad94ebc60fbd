"""Backtrader's own broker, made lean for the length of one run: less work, the same answers.

`lean(broker)` exchanges the class of that ONE object for `LeanBroker`, a subclass; user code goes
on holding the very object that it holds in stock, with the same state in the same attributes. No
class is patched. `made.restore()` gives the object its own class back, with everything settled.

The loop's side of it, `inner` being the run's broker or, behind a guard, `guard.inner`::

    made = lean(inner)                     # when broker and strategies have been started
    if isinstance(made, str): ...          # the reason for running stock instead
    notices = made.notices(strategy)       # one for each running strategy
    try:
        ...                                # for each bar, when the feeds have moved:
        broker.next()                      # the guard's or made's, as in stock
        while (order := broker.get_notification()) is not None:
            made.deliver(order, strategy)  # for owner._addnotification; `strategy`: if no owner
        notices.tell()                     # for strategy._notify()
        ...                                # next, analyzers, observers
        notices.clear()                    # for strategy.clear()
    finally:
        made.restore()

`made.notifs` is stock's deque: a bare broker without notifications is ``not made.notifs``. Where
`notices.every_bar` is False, `tell` and `clear` need no call while the strategy's `_orderspending`
and `_tradespending` are empty. Account values are computed when read. Where user code may read
them after the feeds have moved and before `broker.next()` (next_open, cheating timers), call
`made.settle()` before they move. Feeds that replay have no place in such a run. Orders are cloned
for notifications only where somebody listens: a strategy's `_orders` is shorter then.
"""

from typing import Any

import backtrader as bt
from backtrader.brokers.bbroker import BackBroker
from backtrader.position import Position as StockPosition

from backtest.turbo import placing, turn
from backtest.turbo.account import Cash, Settled, revalue
from backtest.turbo.notices import Notices
from backtest.turbo.orders import clone
from backtest.turbo.positions import Position, lean_position
from backtest.turbo.quotes import Quote
from backtest.turbo.schemes import Schemes

# What a guard passes on to its broker, asked on every bar: for a run it has these itself.
_ASKED = frozenset(
    ("getposition", "getvalue", "get_value", "getcash", "get_cash", "getcommissioninfo")
)
_METHODS = {name for name in dir(BackBroker) if callable(getattr(BackBroker, name))} - {
    "p",
    "params",
}


class LeanBroker(BackBroker):
    """A BackBroker for the length of a run; see the module."""

    comminfo: Any
    cash = Cash()
    _value, _valuemkt, _valuelever, _valuemktlever = Settled(), Settled(), Settled(), Settled()
    _leverage, _unrealized, _fundval = Settled(), Settled(), Settled()

    buy, sell, submit, transmit = placing.buy, placing.sell, placing.submit, placing.transmit
    submit_accept, check_submitted = placing.submit_accept, placing.check_submitted
    _bracketize, _ococheck = placing.bracketize, placing.ococheck
    next, _try_exec, _execute = turn.take, turn.try_exec, turn.execute

    def begin(self) -> None:
        """Keep what a run needs in attributes of the object; `restore` takes them away."""
        self._stock_names = frozenset(vars(self))
        self._unmarked = self._unvalued = False
        self._has_repeats = False
        self._quotes: dict[Any, Quote] = {}
        self._notices: dict[int, Notices] = {}
        self._deaf: set[int] = set()
        self._planted: list[tuple[Any, str]] = []
        self.comminfo = Schemes(self.comminfo, self)
        for position in self.positions.values():
            lean_position(position, self)
        self.positions.default_factory = self._new_position

    def restore(self) -> None:
        """Give the object its own class and state back."""
        self.settle()
        for position in self.positions.values():
            position.restore()
        self.positions.default_factory = StockPosition
        for guard, name in self._planted:
            delattr(guard, name)
        self.comminfo = dict(self.comminfo)
        for name in vars(self).keys() - self._stock_names:
            delattr(self, name)
        self.__class__ = BackBroker

    def _new_position(self) -> Position:
        return lean_position(StockPosition(), self)

    # What the account is worth, and what a position was last seen at.

    def settle(self) -> None:
        """Bring everything up to the bars as they stand."""
        self.mark()
        self.appraise()

    def appraise(self) -> None:
        """Work out the account's values, if that is still to do."""
        if self._unvalued:
            self._unvalued = False
            revalue(self)

    def mark(self) -> None:
        """Write time and price of the bar on the positions held, if that is still to do."""
        if self._unmarked:
            self._unmarked = False
            for data, position in self.positions.items():
                if position.size:
                    quote = self.quote(data)
                    position.mark(quote.clock, quote.clock[0], quote.close[0])

    def add_cash(self, cash: float) -> None:
        """Move cash in or out at the next turn, at the fund's value of this one."""
        self.appraise()
        super().add_cash(cash)

    def set_shortcash(self, shortcash: bool) -> None:
        """Say whether shorts bring cash; what the account was worth stays as it was."""
        self.appraise()
        super().set_shortcash(shortcash)

    def set_filler(self, filler: Any) -> None:
        """Have a filler decide how much of an order is executed; it may ask what it likes."""
        super().set_filler(filler)
        self.settle()
        self.comminfo.weigh()

    # Orders, and who hears of them.

    def notices(self, strategy: bt.Strategy) -> Notices:
        """How one running strategy is told; a guard before this broker needs every notification."""
        guard = None if strategy.broker is self else strategy.broker
        made = Notices(strategy, self.quote, needs_orders=guard is not None)
        if guard is not None:
            for name in _ASKED - vars(guard).keys():
                if not hasattr(type(guard), name):
                    setattr(guard, name, getattr(self, name))
                    self._planted.append((guard, name))
        self._notices[id(strategy)] = made
        if not made.hears_orders:
            self._deaf.add(id(strategy))
        return made

    def deliver(self, order: bt.Order, default: bt.Strategy) -> None:
        """Hand a notification to the order's owner, or to `default` if it has none."""
        owner = order.p.owner
        notices = self._notices.get(id(default if owner is None else owner))
        if notices is None:
            owner._addnotification(order, quicknotify=False)
        else:
            notices.take(order)

    def notify(self, order: bt.Order) -> None:
        """Queue a clone for the owner, unless it would hear of nothing new."""
        executed = order.executed
        executed.p1, executed.p2 = executed.p2, len(executed.exbits)
        deaf = self._deaf
        if not deaf or executed.p1 != executed.p2 or id(order.p.owner) not in deaf:
            self.notifs.append(clone(order))

    def quote(self, data: Any) -> Quote:
        """The lines of a feed."""
        quote = self._quotes.get(data)
        if quote is None:
            quote = self._quotes[data] = Quote(data)
        return quote


def lean(broker: bt.BrokerBase) -> LeanBroker | str:
    """The same broker, made lean, or the reason why it stays as it is."""
    if type(broker) is not BackBroker:
        return f"the broker is a {type(broker).__name__}, not Backtrader's own BackBroker"
    if broker._fundhist:
        return "the broker has a history of its fund"
    if planted := sorted(_METHODS & vars(broker).keys()):
        return f"the broker has methods of its own: {', '.join(planted)}"
    broker.__class__ = LeanBroker
    made: LeanBroker = broker
    made.begin()
    return made
