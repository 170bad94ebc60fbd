"""Two logs held against each other."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from brokers.errors import DataError
from dashboard.parity import differing, parity
from tests.dashboard.stage import Record, bars, decision, session, write


def log(path: Path, decisions: Iterable[Record], *, is_live: bool) -> Path:
    told: list[Record] = [session(is_live=is_live)]
    for number, line in enumerate(decisions, 1):
        told += [bars(number, 100.0), line] if is_live else [line]
    return write(path, told)


def acts(**third: object) -> list[Record]:
    """Five decisions; `third` says what is odd with the third one."""
    changes = {3: third}
    return [
        decision(n, order_id=f"o{n}", **changes.get(n, {}))  # type: ignore[arg-type]
        for n in range(1, 6)
    ]


def test_equal_logs_are_identical(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    theirs = log(tmp_path / "b", acts(), is_live=True)
    told = parity(ours, theirs)
    assert (told.difference, told.first, len(told.pairs)) == (None, None, 5)


def test_the_first_difference_is_named_and_its_fields(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    theirs = log(tmp_path / "b", acts(quantity=12.0), is_live=True)
    told = parity(ours, theirs)
    assert told.first == 2
    assert told.difference is not None
    assert told.difference.what == "decision of order 3: order.quantity"
    assert differing(told.pairs[2]) == {"order quantity": ("10.0", "12.0")}


def test_only_the_bars_that_both_have_are_compared(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    theirs = write(
        tmp_path / "b",
        [session(), bars(3, 1.0), acts()[2], bars(4, 1.0), acts()[3]],
    )
    told = parity(ours, theirs)
    assert (told.difference, len(told.pairs)) == (None, 2)


def test_a_decision_that_one_lacks_differs_in_all_fields(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    theirs = write(tmp_path / "b", [session(), *(bars(n, 1.0) for n in range(1, 6)), acts()[0]])
    told = parity(ours, theirs)
    assert told.first == 1
    assert told.pairs[1][1] is None
    assert differing(told.pairs[1])["order side"] == ("buy", None)


def test_logs_of_other_times_are_not_compared(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    theirs = write(tmp_path / "b", [session(), bars(500, 1.0)])
    with pytest.raises(DataError, match="compare a session with a backtest of the same bars"):
        parity(ours, theirs)


def test_a_log_without_decisions_waits(tmp_path: Path) -> None:
    ours = log(tmp_path / "a", acts(), is_live=False)
    with pytest.raises(DataError, match="no decision to compare yet"):
        parity(ours, write(tmp_path / "b", [session()]))
