"""The view: a picture on a terminal, lines elsewhere."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console

from brokers.clock import ManualClock
from live.tape import AtWork, Decided
from live.view import NoView, PlainView, Snapshot, TerminalView, view_on

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)
BOUGHT = Decided(NOON, "sma_cross", "buy 10 SPY market", "fast crossed above slow", None)
REFUSED = Decided(
    NOON, "sma_cross", "sell 3 SPY market", "not given", "max_order_notional: limit 1"
)
SNAPSHOT = Snapshot(
    title="sma_cross on SPY at paper",
    at=NOON,
    state="live",
    breaker="closed",
    connection="connected",
    bars=121,
    bar_age_s=4.2,
    cash=95_000.0,
    equity=100_100.0,
    positions=(("SPY", 10.0, 500.0, 510.0),),
    working=(AtWork("a1-sl", "SPY", "sell", "stop", 10.0, 0.0, "480", True, "Accepted"),),
    decisions=(BOUGHT, REFUSED),
)


def _plain() -> tuple[PlainView, io.StringIO, ManualClock]:
    shown, clock = io.StringIO(), ManualClock(NOON)
    view = view_on(Console(file=shown, width=300), clock)
    assert isinstance(view, PlainView)
    return view, shown, clock


def test_a_terminal_gets_the_whole_picture() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=160, _environ={})
    view = view_on(console, ManualClock(NOON))
    assert isinstance(view, TerminalView)
    view.show(SNAPSHOT)
    view.close()
    for part in ("+10", "+100.00", "a1-sl", "fast crossed above slow", "REFUSED", "breaker closed"):
        assert part in shown.getvalue()


def test_times_are_those_of_the_exchange_and_utc() -> None:
    shown, clock = io.StringIO(), ManualClock(NOON)
    view = view_on(Console(file=shown, width=300), clock, ZoneInfo("America/New_York"))
    view.show(SNAPSHOT)
    first, *_, last = shown.getvalue().splitlines()
    assert first.startswith("2025-06-02 12:00 EDT (16:00 UTC) sma_cross: buy")
    assert last.startswith("2025-06-02 12:00:00 EDT (16:00:00 UTC) live |")


def test_a_terminal_is_drawn_four_times_a_second() -> None:
    clock = ManualClock(NOON)
    view = TerminalView(Console(file=io.StringIO(), force_terminal=True), clock)
    assert view.is_due()
    view.show(SNAPSHOT)
    assert not view.is_due()
    clock.sleep(0.25)
    assert view.is_due()
    view.close()


class _Closed(io.StringIO):
    """A terminal that was closed."""

    is_closed = False

    def write(self, text: str) -> int:
        if self.is_closed:
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_a_terminal_that_was_closed_is_drawn_no_more() -> None:
    shown, clock = _Closed(), ManualClock(NOON)
    view = TerminalView(Console(file=shown, force_terminal=True), clock)
    shown.is_closed = True
    view.show(SNAPSHOT)
    clock.sleep(0.25)
    assert not view.is_due()
    view.close()


def test_without_a_terminal_each_decision_is_one_line_told_once() -> None:
    view, shown, _ = _plain()
    view.show(SNAPSHOT)
    view.show(SNAPSHOT)
    view.close()
    lines = shown.getvalue().splitlines()
    assert lines[0] == "2025-06-02 16:00 UTC sma_cross: buy 10 SPY market: fast crossed above slow"
    assert lines[1].endswith("REFUSED: max_order_notional: limit 1")
    assert len(lines) == 3


def test_without_a_terminal_a_change_of_state_is_told_at_once() -> None:
    view, shown, _ = _plain()
    view.show(SNAPSHOT)
    view.show(replace(SNAPSHOT, breaker="probing"))
    assert "breaker probing" in shown.getvalue().splitlines()[-1]


def test_without_a_terminal_the_state_is_told_now_and_then() -> None:
    view, shown, clock = _plain()
    view.show(replace(SNAPSHOT, bar_age_s=None, positions=()))
    clock.sleep(10.0)
    view.show(SNAPSHOT)
    first, *_, last = [line for line in shown.getvalue().splitlines() if "equity" in line]
    assert "no bar yet" in first
    assert "flat" in first
    assert "+10 SPY, 1 at work" in last


def test_no_view_is_never_due() -> None:
    view = NoView()
    view.show(SNAPSHOT)
    view.close()
    assert not view.is_due()
