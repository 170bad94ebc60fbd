"""Facts go to the log and come back the same."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from brokers.facts import (
    Accepted,
    Broken,
    Ended,
    Fact,
    Filled,
    Mismatch,
    Replaced,
    Restated,
    Split,
)
from live.facts_log import as_record, from_record
from live.past import as_logged

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "fact",
    [
        Accepted("a1", "9b1f"),
        Filled("a1", "e1", Decimal("-1.50"), Decimal("641.8"), NOON, None, "9b1f"),
        Filled("a1", "e1", Decimal(3), Decimal("641.8"), NOON, Decimal("0.01")),
        Ended("a1-sl", "canceled", "gone"),
        Replaced("a1", "77aa"),
        Mismatch("SPY", Decimal(1), Decimal(2), None),
        Broken("the stream ended"),
        Split("SPY", Decimal(2), Decimal(1), NOON, NOON),
        Restated("SPY", Decimal(20)),
    ],
)
def test_every_fact_comes_back_as_it_was(fact: Fact) -> None:
    line = {"v": 1, "seq": 3, "at": "x", "run_id": "s1", **as_logged(as_record(fact)), "hash": "y"}
    assert line["kind"] == "venue"
    assert from_record(line) == fact
