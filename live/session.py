"""One session from its first bar to its exit report; the loop is Cerebro's, on the main thread.

`Session` is a store in Backtrader's sense: asked at the beginning of every turn of the loop, it
looks at what may end the session, lets the venue in once the past is over, and shows the state when
nothing else is to be done.
"""

import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Any

from brokers.errors import SeawallError
from brokers.events import Event
from brokers.facts import Broken, Mismatch, Split
from brokers.translate import symbol
from live.alerts import Alerts
from live.corporate_actions import in_words
from live.exit_report import ExitReport
from live.exits import Trigger
from live.last_cancels import cancel_directly
from live.leisure import Leisure
from live.paper.hours import Hours
from live.past import RESUME, SHUTDOWN, Diverged
from live.reconcile import Unreconcilable, as_record
from live.shutdown import Policy, Reach, Shutdown, Tripped
from live.stack import Stack, listen, tell_of_split, watch_splits
from live.start import Start
from live.triggers import Ask, first
from live.view import Snapshot, View
from live.wire_lines import WireLines

WIND_DOWN_S = 0.1
CANCELLED = ": Canceled"  # Backtrader's word


class Session:
    """Runs a stack.

    Args:
        title: for the view.
        policy: of the shutdown.
        asks: triggers besides the session's own.
        clock: for deadlines.
    """

    def __init__(
        self,
        title: str,
        stack: Stack,
        start: Start,
        policy: Policy,
        asks: Sequence[Ask],
        *,
        view: View,
        alerts: Alerts,
        log_name: str,
    ) -> None:
        self.differences: tuple[Mismatch, ...] = ()
        self._title = title
        self._stack = stack
        self._start = start
        self._policy = policy
        self._asks = (*asks, self._breaker, self._books, self._wires, self._disk)
        self._view = view
        self._leisure = Leisure(stack.inbox, start.clock)
        self._wire_lines = WireLines(stack.wires, stack.log)
        self._alerts = alerts
        self._log_name = log_name
        self._is_repeating = start.is_restart
        self._broken = ""
        self._notes = list(start.notes)
        self._shutdown = self._new_shutdown()
        stack.guard.listen(self._hear)
        stack.cerebro.addstore(self)
        stack.cerebro.addstorecb(self._notice)

    def run(self) -> ExitReport:
        """Run until something ends it; whatever ends it, there is a report.

        Raises:
            Diverged: the log is not what these settings and this code would have written.
        """
        stack = self._stack
        with ExitStack() as until_done:
            until_done.callback(self._view.close)
            stack.store.start()
            until_done.callback(stack.store.stop)
            stack.store.attend(lambda link: listen(stack, self._symbols, link))
            until_done.push(self._caught)
            until_done.enter_context(self._leisure)
            stack.cerebro.run()
            self._view.show(self._snapshot())
        return self._report()

    def start(self) -> None:
        """Backtrader's: nothing to do."""

    def stop(self) -> None:
        """Backtrader's: nothing to do."""

    def get_notifications(self) -> tuple[()]:
        """Backtrader's, once a turn: look, and act."""
        self._repeat()
        if self._stack.turns.is_live and self._stack.store.state == "connected":
            self._go_live()
        self._mind_splits()
        if not self._is_repeating:
            self._wire_lines.look()
        tripped = first(self._asks)
        if tripped and self._is_repeating:
            self._shutdown.tripped = tripped  # nothing has left, and nothing is to be logged
            self._stack.turns.finish()
        elif tripped:
            self._shutdown.begin(tripped)
        if self._shutdown.is_under_way and not self._is_repeating and self._shutdown.is_done():
            self._stack.turns.finish()
        if self._leisure.has_come(is_busy=not self._stack.store.is_idle):
            self._leisure.tidy()
            if self._view.is_due():
                self._view.show(self._snapshot())
        return ()

    def _mind_splits(self) -> None:
        """Cancel what rests in a symbol on the eve of its split."""
        stack, ends = self._stack, self._stack.log.turn_end_at
        for split in stack.actions.halting(ends):
            for entry, order in stack.tape.orders:
                if entry.symbol == split.symbol:
                    stack.guard.cancel(order, reason=in_words(split))
            stack.store.release()

    def _hear(self, event: Event) -> None:
        self._shutdown.hear(event)

    def _caught(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> bool:
        """Shut down after whatever a strategy may raise; a log that differs is nobody's error."""
        del kind, frames
        if isinstance(error, Exception) and not isinstance(error, Diverged):
            self._wind_down(self._disk() or _cause(error))
            return True
        if error is not None:
            self._stack.log.close(complete=False)
        return False

    def _repeat(self) -> None:
        """Do again what came from outside, where the log has it."""
        past = self._stack.log.past
        record = past.shutdown()
        if record and not self._shutdown.is_under_way:
            self._shutdown.begin(Tripped(record["trigger"], record["text"]))
        elif self._shutdown.is_under_way and self._is_repeating:
            self._shutdown.is_done()  # which may close positions, as it did then
            if past.resume():
                self._resume()

    def _go_live(self) -> None:
        """Let the venue in: from here on orders leave."""
        stack, log = self._stack, self._stack.log
        if self._shutdown.is_under_way:
            log.append({"kind": RESUME})
            self._resume()
        self._is_repeating = False
        self._leisure.settle()
        for difference in self._start.adopted:
            log.append(as_record(difference, adopted=True))
        for split in stack.actions.news(self._start.splits):
            tell_of_split(stack, split)  # now, or what is held would jump with the first bar
        stack.store.attend(lambda link: watch_splits(stack, self._start.clock, link))
        is_current = log.turn_end_at is not None and self._is_last(log.turn_end_at)
        stack.store.go_live(frozenset(log.current) if is_current else ())

    def _is_last(self, turn_end_at: datetime) -> bool:
        """Whether no later bar can have ended: a day's is the last one over a weekend too."""
        timeframe, now = self._start.data.timeframe, self._start.clock.now()
        if not timeframe.is_intraday:
            return now < Hours(self._start.calendar).close_of(turn_end_at)
        return timeframe.delta is not None and now < turn_end_at + timeframe.delta

    def _resume(self) -> None:
        self._stack.guard.halted = None
        self._shutdown = self._new_shutdown()

    def _new_shutdown(self) -> Shutdown:
        stack = self._stack
        reach = Reach(
            cancel_at_venue=self._cancel_at_venue,
            close_positions=self._close_positions,
            is_settled=lambda: self._is_repeating or self._is_settled(),
            is_cut_off=lambda: stack.wires.breaker == "open",
            can_order=self._can_order,
        )
        return Shutdown(
            stack.guard,
            stack.tape,
            self._policy,
            reach,
            announce=self._announce,
            clock=self._start.clock,
        )

    def _is_settled(self) -> bool:
        """Whether every order has its answer, and the answer has been taken in."""
        stack = self._stack
        return stack.store.is_idle and not stack.inbox.lane("facts").waiting

    @property
    def _symbols(self) -> tuple[str, ...]:
        return tuple(self._start.frames)

    def _announce(self, tripped: Tripped) -> None:
        record = {"kind": SHUTDOWN, "trigger": tripped.trigger, "text": tripped.text}
        self._stack.log.note(record)
        if not self._is_repeating and tripped.trigger != "finished":
            self._alerts.send(f"seawall {self._title}: shutting down", tripped.text)

    def _can_order(self) -> bool:
        stack = self._stack
        is_cut_off = stack.wires.breaker == "open" or stack.store.failure is not None
        return self._is_repeating or not (is_cut_off or stack.log.failure)

    def _cancel_at_venue(self, order_ids: Sequence[str]) -> None:
        stack, made = self._stack, self._stack.wires.made
        if made is not None:
            facts, clock = stack.inbox.lane("facts"), self._start.clock
            stack.store.attend(
                lambda _: cancel_directly(
                    made.direct, stack.blotter, order_ids, clock=clock, tell=facts.put
                )
            )

    def _close_positions(self, reason: str) -> bool:
        held = [
            (strategy, data)
            for strategy in self._stack.cerebro.runningstrats
            for data in strategy.datas
            if strategy.getposition(data).size
        ]
        for strategy, data in held:
            strategy.close(data=data, reason=reason)
        return bool(held)

    def _notice(self, notice: Any, *_: Any, **__: Any) -> None:
        if isinstance(notice, Mismatch):
            self.differences = (*self.differences, notice)
            self._stack.log.note(as_record(notice, adopted=False))
        elif isinstance(notice, Broken):
            self._broken = notice.text
        elif isinstance(notice, Split):
            text = self._stack.actions.learn(notice)
            self._notes.append(text)
            if not self._is_repeating:
                self._alerts.send(f"seawall {self._title}: a split", text)

    def _breaker(self) -> Tripped | None:
        made = self._stack.wires.made
        if made is None or made.breaker.state != "open":
            return None
        last = made.breaker.failures[-1].text
        return Tripped("breaker", f"three broker calls in a row failed, the last with: {last}")

    def _books(self) -> Tripped | None:
        if not self.differences:
            return None
        return Tripped("unreconcilable", str(Unreconcilable(self.differences)))

    def _wires(self) -> Tripped | None:
        if self._broken:
            return Tripped("connection", self._broken)
        wires = self._stack.wires
        if not (failure := wires.data_failure):
            return None
        trigger: Trigger = "mute" if wires.data_is_mute else "connection"
        return Tripped(trigger, f"market data: {failure}")

    def _disk(self) -> Tripped | None:
        failure = self._stack.log.look()
        return Tripped("log_error", f"{self._log_name}: {failure.strerror}") if failure else None

    def _wind_down(self, tripped: Tripped) -> None:
        """Shut down without Cerebro, whose loop an error has ended."""
        if self._shutdown.is_under_way and tripped != self._shutdown.tripped:
            self._notes.append(tripped.text)
        self._shutdown.begin(tripped)
        while self._stack.store.state == "live" and not self._shutdown.is_done():
            self._stack.guard.next()
            while (note := self._stack.guard.get_notification()) is not None:
                for analyzer in note.owner.analyzers:
                    analyzer.notify_order(note)
            self._stack.inbox.lane("bars").drain()
            self._stack.inbox.wait(WIND_DOWN_S)

    def _report(self) -> ExitReport:
        stack, shutdown = self._stack, self._shutdown
        tripped = shutdown.tripped or Tripped("finished", "the feeds ended")
        stack.log.close(complete=not self._is_repeating)
        if stack.log.failure is not None and tripped.trigger != "log_error":
            self._notes.append(f"the log could not be written: {stack.log.failure.strerror}")
        unanswered = [order for order in stack.tape.working if order.status == "Submitted"]
        unconfirmed = tuple(dict.fromkeys((*shutdown.unconfirmed, *unanswered)))
        waiting = {order.order_id for order in unconfirmed}
        ended = [
            f"{order.text}: {stack.tape.outcomes.get(order.order_id, 'ended')}"
            for order in shutdown.found
            if order.order_id in shutdown.asked and order.order_id not in waiting
        ]
        return ExitReport(
            session_id=self._start.session_id,
            trigger=tripped.trigger,
            text=tripped.text,
            ended_at=self._start.clock.now(),
            log=self._log_name,
            cancelled=tuple(text for text in ended if text.endswith(CANCELLED)),
            too_late=tuple(text for text in ended if not text.endswith(CANCELLED)),
            unconfirmed=tuple(order.text for order in unconfirmed),
            left=tuple(o.text for o in stack.tape.working if o.order_id not in waiting),
            positions=self._held(),
            notes=(*self._notes, *shutdown.notes),
        )

    def _held(self) -> dict[str, float]:
        positions = self._stack.broker.positions.items()
        return {symbol(data): held.size for data, held in positions if held.size}

    def _snapshot(self) -> Snapshot:
        stack, clock = self._stack, self._start.clock
        positions = stack.broker.positions.items()
        ends = stack.log.turn_end_at
        return Snapshot(
            title=self._title,
            at=clock.now(),
            state=self._state(),
            breaker=stack.wires.breaker,
            connection=f"bars {stack.wires.data}, orders {stack.store.state}",
            bars=max(map(len, stack.cerebro.datas), default=0),
            bar_age_s=None if ends is None else (clock.now() - ends).total_seconds(),
            cash=stack.broker.getcash(),
            equity=stack.broker.getvalue(),
            positions=tuple(
                (symbol(data), held.size, held.price, data.close[0] if len(data) else held.price)
                for data, held in positions
                if held.size
            ),
            working=stack.tape.working,
            decisions=tuple(stack.tape.decisions),
        )

    def _state(self) -> str:
        if self._is_repeating:
            return "repeating the log"
        if self._shutdown.is_under_way:
            return "shutting down"
        return "live" if self._stack.store.state == "live" else "warming up"


def _cause(error: Exception) -> Tripped:
    """What an error that came out of Cerebro means."""
    trigger: Trigger = "connection" if isinstance(error, SeawallError) else "strategy_error"
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return Tripped(trigger, f"{type(error).__name__}: {text} ({place.filename}:{place.lineno})")
