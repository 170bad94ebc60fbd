"""Differences: a stop with a table, unless one adopts them."""

from decimal import Decimal

import pytest
from rich.console import Console

from brokers.facts import Mismatch
from live.reconcile import Unreconcilable, agreed, as_record, table

POSITION = Mismatch("SPY", Decimal(10), Decimal(7))
STRANGER = Mismatch("XLK", Decimal(0), Decimal(5), "9b1f")


def test_books_that_agree_go_on() -> None:
    assert agreed((), adopt=False) == ()


def test_a_difference_stops_the_start_and_says_what_to_do() -> None:
    with pytest.raises(Unreconcilable, match=r"SPY: ours 10, the venue's 7; .*--adopt") as stop:
        agreed((POSITION,), adopt=False)
    assert stop.value.differences == (POSITION,)


def test_adopting_takes_the_venues_quantities() -> None:
    assert agreed((POSITION,), adopt=True) == (POSITION,)


def test_an_order_that_is_not_ours_cannot_be_adopted() -> None:
    with pytest.raises(Unreconcilable, match="XLK: the venue has an order 9b1f"):
        agreed((STRANGER,), adopt=True)


def test_the_table_shows_both_sides_and_the_gap() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(table((POSITION, STRANGER)))
    assert "SPY" in shown.get()
    assert "-3" in shown.get()
    assert "9b1f" in shown.get()


def test_the_log_line_has_both_sides() -> None:
    assert as_record(POSITION, adopted=True) == {
        "kind": "reconcile",
        "symbol": "SPY",
        "ours": Decimal(10),
        "theirs": Decimal(7),
        "venue_order_id": None,
        "adopted": True,
    }
