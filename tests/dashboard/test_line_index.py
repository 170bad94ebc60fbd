"""Where lines are and what they are about."""

from datetime import datetime, timedelta

import pytest

from dashboard.line_index import LineIndex, symbol_of
from tests.dashboard.stage import BEGUN_AT, ORDER_ID, Record, bars, decision, fill, status

LINES: list[Record] = [
    bars(1, 100.0),
    decision(1),
    status("Accepted", f"{ORDER_ID}-sl"),
    fill(2, "buy", 10.0, 100.0, 10.0),
    decision(3, order_id="beef"),
]


def index_of(lines: list[Record]) -> LineIndex:
    index = LineIndex()
    for number, line in enumerate(lines):
        at = (BEGUN_AT + timedelta(minutes=number)).isoformat()
        index.add({"at": at, **line}, 100 * number)
    return index


def at(number: int) -> datetime:
    return BEGUN_AT + timedelta(minutes=number)


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"kinds": ("decision",)}, [1, 4]),
        ({"kinds": ("decision", "fill"), "order": ORDER_ID}, [1, 3]),
        ({"order": ORDER_ID}, [1, 2, 3]),
        ({"order": "none"}, []),
        ({"symbols": ("QQQ",)}, []),
        ({"since": at(1), "until": at(3)}, [1, 2, 3]),
        ({"since": at(9)}, []),
    ],
)
def test_rows_meet_all_that_is_asked(asked: dict[str, object], rows: list[int]) -> None:
    index = index_of(LINES)
    found = index.find(**asked)  # type: ignore[arg-type]
    assert found.tolist() == rows
    assert index.starts(found) == [100 * row for row in rows]


def test_orders_are_found_by_their_beginning() -> None:
    assert index_of(LINES).orders_like("0123") == [ORDER_ID]
    assert index_of(LINES).orders_like("x") == []


def test_an_index_grows_beyond_its_first_room_and_comes_back_as_it_was_kept() -> None:
    before = index_of([bars(n, 1.0, f"S{n % 7}") for n in range(3_000)])
    after = LineIndex(before.columns, before.names)
    assert len(after) == 3_000
    assert after.find(symbols=("S3",)).tolist() == list(range(3, 3_000, 7))
    assert after.known("symbol") == [f"S{n}" for n in range(7)]


@pytest.mark.parametrize(
    ("line", "symbol"),
    [
        (decision(1), "SPY"),
        (bars(1, 1.0, "QQQ"), "QQQ"),
        ({"kind": "bars", "bars": {"A": [], "B": []}}, None),
        ({"kind": "halt"}, None),
    ],
)
def test_a_line_is_about_one_symbol_or_none(line: Record, symbol: str | None) -> None:
    assert symbol_of(line) == symbol
