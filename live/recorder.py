"""One strategy of a session, as log and tape have it: its lines bear its name."""

from typing import Any

import backtrader as bt

from analyzers.decision_log import DecisionLog
from brokers.events import Decision, Event, Halt
from live.session_log import ByStrategy
from live.shares import Share


class StrategyLog(DecisionLog):
    """The decision log of one strategy among several, each with its share of the positions.

    What the account held before the session is the first one's.

    Args (Backtrader params):
        labels: the strategies' names in this session, in Cerebro's order.
        configs: for the session lines, in the same order.
    """

    params: Any = (("labels", ()), ("configs", ()))  # Backtrader's metaclass makes more of it

    def start(self) -> None:
        """Take the part of the log that is this strategy's own."""
        number = self.strategy._id  # noqa: SLF001  its place among Cerebro's strategies
        self.p.config = self.p.configs[number]
        self.p.journal = ByStrategy(self.p.journal, self.p.labels[number])
        self._is_first = number == 0
        if len(self.p.labels) > 1:
            broker = self.strategy.broker
            held = dict(broker.positions) if self._is_first else {}
            self.strategy.broker = Share(broker, {data: it.clone() for data, it in held.items()})
        super().start()

    def notify_order(self, order: Any) -> None:
        """Write what is new of an order; what the account held before is none of ours."""
        if not order.p.simulated:
            super().notify_order(order)

    def hear(self, event: Event) -> None:
        """Write what the guard tells; a halt is told once."""
        if self._is_first or not isinstance(event, Halt):
            super().hear(event)


class TapeRecorder(bt.Analyzer):
    """Writes one strategy's decisions and orders onto the tape.

    Args (Backtrader params):
        tape: shared by all strategies of the session.
        labels: the strategies' names in this session, in Cerebro's order.
    """

    params = (("tape", None), ("labels", ()))

    def start(self) -> None:
        """Listen to the guard."""
        self.strategy.broker.listen(self._hear)

    def notify_order(self, order: Any) -> None:
        """Pass the order's new state on."""
        self.p.tape.note(self.strategy.broker.order_id(order.ref), order)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Decision) and event.owner is self.strategy:
            self.p.tape.decide(self.p.labels[self.strategy._id], event)  # noqa: SLF001
