"""The live view: a picture drawn a few times a second, or lines where there is no terminal."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from analyzers.both_times import both_times
from brokers.clock import Clock
from live.lines import Lines
from live.tape import AtWork, Decided

DRAW_EVERY_S = 0.25
SAY_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a session looks like now; money in the account's currency, units signed.

    Args:
        at: the session's own time.
        state: such as warming up, live, shutting down.
        breaker: closed, probing or open.
        connection: of bars and orders, in words.
        bar_age_s: seconds since the newest bar ended; None before the first.
        positions: (symbol, units, average price, last close).
    """

    title: str
    at: datetime
    state: str
    breaker: str
    connection: str
    bars: int
    bar_age_s: float | None
    cash: float
    equity: float
    positions: tuple[tuple[str, float, float, float], ...]
    working: tuple[AtWork, ...]
    decisions: tuple[Decided, ...]


class View(Protocol):
    """Shows how a session is doing, from Cerebro's thread."""

    def is_due(self) -> bool:
        """Whether it is time for another snapshot."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the newest state."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class NoView:
    """Shows nothing."""

    def is_due(self) -> bool:
        """Never."""
        return False

    def show(self, snapshot: Snapshot) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""


class TerminalView:
    """Draws the whole state in place."""

    def __init__(self, console: Console, clock: Clock, zone: tzinfo = UTC) -> None:
        self._clock = clock
        self._zone = zone
        self._lines = Lines(console.file)
        self._next_s = clock.monotonic()
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._live.start()

    def is_due(self) -> bool:
        """Four times a second, while the terminal takes anything."""
        return self._clock.monotonic() >= self._next_s and self._lines.has_room()

    def show(self, snapshot: Snapshot) -> None:
        """Draw."""
        self._next_s = self._clock.monotonic() + DRAW_EVERY_S
        try:
            self._live.update(render(snapshot, self._zone), refresh=True)
        except OSError:  # the terminal was closed; the session goes on
            self._lines.abandon()

    def close(self) -> None:
        """Leave the last picture standing."""
        with suppress(OSError):
            self._live.stop()


class PlainView:
    """Says in lines what is new: each decision once, and now and then how it stands."""

    def __init__(self, lines: Lines, clock: Clock, zone: tzinfo = UTC) -> None:
        self._lines = lines
        self._clock = clock
        self._zone = zone
        self._next_s = clock.monotonic()
        self._said: tuple[Decided, ...] = ()
        self._state = ""

    def is_due(self) -> bool:
        """Whenever there is time: a decision is told at once."""
        return True

    def show(self, snapshot: Snapshot) -> None:
        """Say what is new."""
        for decided in snapshot.decisions:
            if decided not in self._said:
                self._lines.say(_line(decided, self._zone))
        self._said = snapshot.decisions
        is_new = f"{snapshot.state} {snapshot.breaker} {snapshot.connection}" != self._state
        if is_new or self._clock.monotonic() >= self._next_s:
            self._state = f"{snapshot.state} {snapshot.breaker} {snapshot.connection}"
            self._next_s = self._clock.monotonic() + SAY_EVERY_S
            self._lines.say(status_line(snapshot, self._zone))

    def close(self) -> None:
        """Nothing is held."""


def view_on(console: Console, clock: Clock, zone: tzinfo = UTC) -> View:
    """The view that suits a console.

    Args:
        zone: the exchange's; times are shown by its clock and in UTC.
    """
    if console.is_terminal:
        return TerminalView(console, clock, zone)
    return PlainView(Lines(console.file), clock, zone)


def render(snapshot: Snapshot, zone: tzinfo) -> RenderableType:
    """The whole state as one picture."""
    head = Text.assemble((snapshot.title, "bold"), "  ", status_line(snapshot, zone))
    return Group(head, _positions(snapshot), _working(snapshot), _decisions(snapshot, zone))


def status_line(snapshot: Snapshot, zone: tzinfo) -> str:
    """The state in one line."""
    age = "no bar yet" if snapshot.bar_age_s is None else f"bar age {snapshot.bar_age_s:.0f} s"
    held = ", ".join(f"{units:+g} {symbol}" for symbol, units, _, _ in snapshot.positions)
    return (
        f"{both_times(snapshot.at, zone, seconds=True)} {snapshot.state} | "
        f"{snapshot.connection} | breaker {snapshot.breaker} | {snapshot.bars} bars, {age} | "
        f"equity {snapshot.equity:,.2f}, cash {snapshot.cash:,.2f} | {held or 'flat'}, "
        f"{len(snapshot.working)} at work"
    )


def _positions(snapshot: Snapshot) -> Table:
    table = _table("positions", "symbol", "units", "average", "last", "result")
    for symbol, units, average, last in snapshot.positions:
        result = f"{units * (last - average):+,.2f}"
        table.add_row(symbol, f"{units:+g}", f"{average:,.4f}", f"{last:,.4f}", result)
    return table


def _working(snapshot: Snapshot) -> Table:
    table = _table("working orders", "order", "what", "state")
    for order in snapshot.working:
        what = f"{order.side} {order.quantity:g} {order.symbol} {order.order_type} {order.price}"
        table.add_row(order.order_id, what, order.status)
    return table


def _decisions(snapshot: Snapshot, zone: tzinfo) -> Table:
    table = _table("last decisions", "bar", "strategy", "what", "why")
    for decided in reversed(snapshot.decisions):
        table.add_row(both_times(decided.at, zone), decided.strategy, decided.text, _why(decided))
    return table


def _line(decided: Decided, zone: tzinfo) -> str:
    return f"{both_times(decided.at, zone)} {decided.strategy}: {decided.text}: {_why(decided)}"


def _why(decided: Decided) -> str:
    return f"REFUSED: {decided.refusal}" if decided.refusal else decided.reason


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, min_width=60)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
