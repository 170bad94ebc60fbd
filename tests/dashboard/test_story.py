"""One order's story out of an indexed log."""

from pathlib import Path

import pytest

from analyzers.why import why
from brokers.clock import ManualClock
from brokers.errors import DataError
from dashboard.story import story_of
from dashboard.watch import Glimpse, LogWatch
from tests.dashboard.stage import BEGUN_AT, ORDER_ID, bars, bought, decision, status, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    other = decision(3, order_id="0123ffff")
    return write(tmp_path / "log", [*bought(), status("Canceled", f"{ORDER_ID}-sl"), other])


def glimpse_of(log: Path, quick_bytes: int = 1 << 20) -> Glimpse:
    return LogWatch(log, ManualClock(BEGUN_AT), quick_bytes=quick_bytes).look()


@pytest.mark.parametrize("order_id", [ORDER_ID, "01234", f"{ORDER_ID}-sl", "0123ffff"])
def test_the_story_is_the_one_that_why_tells(log: Path, order_id: str) -> None:
    assert story_of(glimpse_of(log), order_id) == why(log, order_id)


@pytest.mark.parametrize(
    ("order_id", "words"),
    [("0123", "beginning of 2 orders: give more"), ("ee", "no order ee in this log"), ("", "no o")],
)
def test_an_order_that_is_not_there_is_said_so(log: Path, order_id: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        story_of(glimpse_of(log), order_id)


def test_of_a_log_half_read_one_waits_for_the_rest(tmp_path: Path) -> None:
    log = write(tmp_path / "log", [*bought(), *(bars(n, 1.0) for n in range(3, 1_500))])
    with pytest.raises(DataError, match="wait until the whole log is read"):
        story_of(glimpse_of(log, 2_000), ORDER_ID)


def test_lines_of_an_order_without_its_decision_are_no_story(tmp_path: Path) -> None:
    log = write(tmp_path / "log", [status("Canceled", "beef")])
    with pytest.raises(DataError, match="no order beef"):
        story_of(glimpse_of(log), "beef")
