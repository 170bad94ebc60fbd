"""The way down: reduce-only, entries cancelled, exits left or flattened, confirmed or not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from brokers.clock import ManualClock
from brokers.events import Halt, Refusal
from live.shutdown import NOT_FLATTENED, Policy, Reach, Shutdown, Tripped
from live.tape import AtWork

ENTRY = AtWork("a1", "SPY", "buy", "limit", 10.0, 0.0, "500", False, "Accepted")
STOP = AtWork("a0-sl", "SPY", "sell", "stop", 10.0, 0.0, "480", True, "Accepted")


class _Stage:
    """A guard, a tape and a wire that note what they are asked for."""

    def __init__(self, policy: Policy, *, holds: bool = False) -> None:
        self.clock = ManualClock(datetime(2025, 6, 2, 16, tzinfo=UTC))
        self.asked: list[str] = []
        self.working = [ENTRY, STOP]
        self._holds = holds
        self.is_settled = True
        self.is_cut_off = False
        self.can_order = True
        reach = Reach(
            cancel_at_venue=self._at_venue,
            close_positions=self._close,
            is_settled=lambda: self.is_settled,
            is_cut_off=lambda: self.is_cut_off,
            can_order=lambda: self.can_order,
        )
        self.shutdown = Shutdown(
            self,
            self,  # type: ignore[arg-type]
            policy,
            reach,
            announce=lambda tripped: self.asked.append(f"announce {tripped.trigger}"),
            clock=self.clock,
        )

    @property
    def orders(self) -> list[tuple[AtWork, Any]]:
        return [(entry, entry.order_id) for entry in self.working]

    def halt(self, refusal: Refusal) -> None:
        self.asked.append(f"halt: {refusal.text}")
        self.shutdown.hear(Halt(refusal, ("a1",)))

    def cancel(self, order: Any, *, reason: str | None = None) -> None:
        self.asked.append(f"cancel {order}")

    def ended(self, *order_ids: str) -> None:
        self.working = [entry for entry in self.working if entry.order_id not in order_ids]

    def _at_venue(self, order_ids: Sequence[str]) -> None:
        self.asked.append(f"at venue {' '.join(order_ids)}")

    def _close(self, reason: str) -> bool:
        self.asked.append("close")
        return self._holds


def test_entries_are_cancelled_and_exits_left() -> None:
    stage = _Stage(Policy())
    stage.shutdown.begin(Tripped("interrupt", "Ctrl-C"))
    assert stage.asked == ["announce interrupt", "halt: shutdown: Ctrl-C"]
    assert not stage.shutdown.is_done()
    stage.ended("a1")
    assert stage.shutdown.is_done()
    assert stage.shutdown.unconfirmed == ()


def test_orders_on_their_way_are_awaited() -> None:
    stage = _Stage(Policy())
    stage.is_settled = False
    stage.shutdown.begin(Tripped("interrupt", "Ctrl-C"))
    stage.ended("a1")
    assert not stage.shutdown.is_done()
    stage.is_settled = True
    assert stage.shutdown.is_done()


def test_at_the_deadline_it_ends_and_says_what_is_unconfirmed() -> None:
    stage = _Stage(Policy(deadline_s=20.0))
    stage.shutdown.begin(Tripped("terminate", "SIGTERM"))
    stage.clock.sleep(19.9)
    assert not stage.shutdown.is_done()
    stage.clock.sleep(0.1)
    assert stage.shutdown.is_done()
    assert stage.shutdown.unconfirmed == (ENTRY,)


def test_an_open_breaker_is_passed_by_on_the_way_to_the_venue() -> None:
    stage = _Stage(Policy())
    stage.is_cut_off = True
    stage.shutdown.begin(Tripped("breaker", "3 calls failed"))
    assert stage.asked[-1] == "at venue a1"


def test_a_breaker_that_opens_on_the_way_down_is_passed_by_once() -> None:
    stage = _Stage(Policy())
    stage.is_settled = False
    stage.shutdown.begin(Tripped("interrupt", "Ctrl-C"))
    stage.is_cut_off = True
    assert not stage.shutdown.is_done()
    assert not stage.shutdown.is_done()
    assert stage.asked.count("at venue a1") == 1
    stage.ended("a1")
    assert stage.shutdown.is_done()


def test_flattening_cancels_exits_first_and_closes_when_all_have_ended() -> None:
    stage = _Stage(Policy("flatten"), holds=True)
    stage.shutdown.begin(Tripped("kill_file", "KILL appeared"))
    assert stage.asked[-1] == "cancel a0-sl"
    assert not stage.shutdown.is_done()
    assert "close" not in stage.asked
    stage.ended("a1", "a0-sl")
    assert not stage.shutdown.is_done()
    assert stage.asked[-1] == "close"
    assert stage.shutdown.is_done()


def test_flattening_waits_for_the_orders_that_close() -> None:
    stage = _Stage(Policy("flatten"), holds=True)
    stage.shutdown.begin(Tripped("kill_file", "KILL appeared"))
    stage.ended("a1", "a0-sl")
    stage.shutdown.is_done()
    stage.working = [AtWork("c1", "SPY", "sell", "market", 10.0, 0.0, "", False, "Submitted")]
    assert not stage.shutdown.is_done()
    stage.ended("c1")
    assert stage.shutdown.is_done()
    assert stage.asked.count("close") == 1


def test_exits_stay_where_nothing_could_be_closed() -> None:
    stage = _Stage(Policy("flatten"), holds=True)
    stage.is_cut_off, stage.can_order = True, False
    stage.shutdown.begin(Tripped("breaker", "3 calls failed"))
    stage.ended("a1")
    assert stage.shutdown.is_done()
    assert not {"cancel a0-sl", "close"} & set(stage.asked)
    assert stage.shutdown.notes == (NOT_FLATTENED,)


def test_an_exit_is_not_cancelled_past_a_breaker_that_opens_while_positions_are_flattened() -> None:
    stage = _Stage(Policy("flatten"), holds=True)
    stage.shutdown.begin(Tripped("interrupt", "Ctrl-C"))
    stage.is_cut_off = True
    assert not stage.shutdown.is_done()
    assert stage.asked[-1] == "at venue a1"
    stage.ended("a1", "a0-sl")
    assert stage.shutdown.is_done()
    assert "close" not in stage.asked


def test_a_broken_account_limit_shuts_down() -> None:
    stage = _Stage(Policy())
    stage.shutdown.hear(Halt(Refusal("risk", "max_drawdown_frac: limit 0.2, value 0.3"), ("a1",)))
    assert stage.shutdown.tripped == Tripped(
        "account_limit", "max_drawdown_frac: limit 0.2, value 0.3"
    )
    assert stage.shutdown.unconfirmed == (ENTRY,)


@pytest.mark.parametrize("second", [Tripped("mute", "silence"), Tripped("interrupt", "Ctrl-C")])
def test_what_trips_later_changes_nothing(second: Tripped) -> None:
    stage = _Stage(Policy())
    stage.shutdown.begin(Tripped("breaker", "3 calls failed"))
    asked = list(stage.asked)
    stage.shutdown.begin(second)
    assert stage.asked == asked
    assert stage.shutdown.tripped == Tripped("breaker", "3 calls failed")


def test_nothing_is_under_way_before() -> None:
    assert not _Stage(Policy()).shutdown.is_under_way
