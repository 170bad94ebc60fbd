"""What waits until nothing happens."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from brokers.clock import ManualClock
from brokers.inbox import Inbox
from live.leisure import ALL_EVERY_S, LONGEST_S, YOUNG, Leisure


class Stage:
    """Leisure, its inbox, and what Python collects."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))
        self.inbox = Inbox()
        self.leisure = Leisure(self.inbox, self.clock)
        self.collected: list[int] = []

    def arrive(self) -> None:
        self.inbox.lane("bars").put("bar")

    def note(self, phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            self.collected.append(info["generation"])


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    gc.collect()
    gc.callbacks.append(stage.note)
    with stage.leisure:
        yield stage
    gc.callbacks.remove(stage.note)


def test_leisure_comes_with_a_round_in_which_nothing_arrived(stage: Stage) -> None:
    assert stage.leisure.has_come()
    stage.arrive()
    assert not stage.leisure.has_come()
    assert stage.leisure.has_come()


def test_leisure_waits_for_orders_in_hand_but_not_for_ever(stage: Stage) -> None:
    assert stage.leisure.has_come()
    assert not stage.leisure.has_come(is_busy=True)
    stage.clock.sleep(LONGEST_S)
    assert stage.leisure.has_come(is_busy=True)


def test_without_rest_leisure_comes_once_a_second(stage: Stage) -> None:
    came = []
    for _ in range(9):
        stage.arrive()
        came.append(stage.leisure.has_come())
        stage.clock.sleep(LONGEST_S / 4)
    assert came == [True, False, False, False, True, False, False, False, True]


def test_nothing_is_collected_but_on_request(stage: Stage) -> None:
    kept = [[] for _ in range(2 * YOUNG)]
    assert stage.collected == []
    stage.leisure.tidy()
    assert stage.collected == [1]
    stage.leisure.tidy()
    assert stage.collected == [1]
    assert kept


def test_now_and_then_everything_is_looked_through(stage: Stage) -> None:
    stage.clock.sleep(ALL_EVERY_S)
    stage.leisure.tidy()
    stage.leisure.tidy()
    assert stage.collected == [2]


def test_what_has_settled_is_not_looked_through_again(stage: Stage) -> None:
    before = gc.get_freeze_count()
    stage.leisure.settle()
    assert stage.collected == [2]
    assert gc.get_freeze_count() > before


def test_python_collects_by_itself_again_in_the_end() -> None:
    with Stage().leisure:
        assert not gc.isenabled()
    assert gc.isenabled()
