"""Every decision of a strategy, and what became of it, as lines of the decision log."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

import backtrader as bt

from analyzers import log_lines as lines
from analyzers.market_context import MarketContext
from brokers.errors import ConfigError
from brokers.events import Cancel, Event, Halt


class DecisionLog(bt.Analyzer):
    """Writes a strategy's decisions before they take effect, and orders, fills and trades after.

    A decision that cannot be written raises OSError, and the guard refuses the order. Everything
    else is a fact that stands, written or not: what cannot be written waits, and is written in
    order before the next decision; what still waits at the end raises OSError then.

    Args (Backtrader params):
        journal: where the lines go; whoever opened it closes it.
        config: what decided the run, for the session line.
        bar_clock: a BarClock to set going, for a journal that runs on bar time.

    Raises:
        ConfigError: the broker is not guarded.
        OSError: at the start, the session line could not be written.
    """

    params = (("journal", None), ("config", None), ("bar_clock", None))

    def start(self) -> None:
        """Write the session line, then listen to the guard."""
        strategy = self.strategy
        if not hasattr(strategy.broker, "listen"):
            raise ConfigError(
                "the decision log listens to the guard: set cerebro.broker = GuardedBroker(...)"
            )
        self._context = MarketContext(strategy)
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._told: dict[int, tuple[int, int]] = {}  # status and number of fills by reference
        if self.p.bar_clock is not None:
            self.p.bar_clock.follow(strategy)
        self.p.journal.append(lines.session(strategy, self.p.config or {}))
        strategy.broker.listen(self.hear)

    def stop(self) -> None:
        """Write what still waits."""
        self._catch_up()

    def hear(self, event: Event) -> None:
        """Write what the guard tells, before it takes effect.

        Raises:
            OSError: a decision, or a fact before it, could not be written.
        """
        if isinstance(event, Halt):
            self._note(lines.halt(event))
        elif event.owner is not self.strategy:
            return
        elif isinstance(event, Cancel):
            self._note(lines.cancel(event))
        else:
            self._catch_up()
            self.p.journal.append(lines.decision(event, self._context.of(event.data)))

    def notify_order(self, order: Any) -> None:
        """Write the fills and the status that are new."""
        order_id = self.strategy.broker.order_id(order.ref)
        status, filled = self._told.get(order.ref, (None, 0))
        known = order.executed.p2  # how many fills there were when this copy was made
        for bit in islice(order.executed.exbits, filled, known):
            self._note(lines.fill(order, order_id, bit))
        if order.status != status:
            self._note(lines.status(order, order_id))
        if order.alive():
            self._told[order.ref] = (order.status, max(filled, known))
        else:
            self._told.pop(order.ref, None)

    def notify_trade(self, trade: Any) -> None:
        """Write that a position was opened from flat, or closed to flat."""
        self._note(lines.trade(trade))

    def _note(self, fact: Mapping[str, Any]) -> None:
        self._waiting.append(fact)
        try:
            self._catch_up()
        except OSError:
            return  # the next decision is refused until this is written

    def _catch_up(self) -> None:
        while self._waiting:
            self.p.journal.append(self._waiting[0])
            self._waiting.popleft()
