"""Splits and dividends of the whole market, page by page."""

from collections.abc import Sequence
from datetime import date

import pytest

from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds.actions import Action
from tests.feeds.polygon_server import NOW, polygon
from tests.feeds.servers import Loopback, Reply, Request

FIRST, LAST = date(2024, 2, 5), date(2024, 2, 9)
SPLITS = [
    {"ticker": "A", "execution_date": "2024-02-06", "split_from": 1, "split_to": 2},
    {"ticker": "B", "execution_date": "2024-02-07", "split_from": 10, "split_to": 1},
]
DIVIDENDS = [{"ticker": "C", "ex_dividend_date": "2024-02-08", "cash_amount": 0.25}]


class Reference:
    """Polygon's reference endpoints, a result a page."""

    def __init__(self, splits: Sequence[object], dividends: Sequence[object]) -> None:
        self._rows = {"splits": splits, "dividends": dividends}

    def __call__(self, request: Request) -> Reply:
        kind = request.path.rsplit("/", 1)[-1]
        rows = self._rows[kind]
        place = int(request.query.get("cursor", 0))
        page: dict[str, object] = {"status": "OK", "results": rows[place : place + 1]}
        if place + 1 < len(rows):
            page["next_url"] = f"https://elsewhere{request.path}?cursor={place + 1}"
        return Reply.of(page)


def test_all_pages_of_both_are_read() -> None:
    with Loopback(Reference(SPLITS, DIVIDENDS)) as loopback:
        found = polygon(loopback, ManualClock(NOW)).actions(FIRST, LAST)
    assert found == (
        Action("A", date(2024, 2, 6), split=2.0),
        Action("B", date(2024, 2, 7), split=0.1),
        Action("C", date(2024, 2, 8), dividend=0.25),
    )
    first, second, third = loopback.requests
    assert first.path == "/v3/reference/splits"
    assert first.query["execution_date.gte"] == "2024-02-05"
    assert first.query["execution_date.lte"] == "2024-02-09"
    assert second.query == {"cursor": "1"}
    assert third.query["ex_dividend_date.gte"] == "2024-02-05"


def test_a_week_without_any_is_no_error() -> None:
    with Loopback(Reference([], [])) as loopback:
        assert polygon(loopback, ManualClock(NOW)).actions(FIRST, LAST) == ()


@pytest.mark.parametrize(
    "row", [{}, {**SPLITS[0], "split_from": 0}, {**SPLITS[0], "split_to": "x"}]
)
def test_one_that_cannot_be_read_is_an_error(row: object) -> None:
    with (
        Loopback(Reference([row], [])) as loopback,
        pytest.raises(DataError, match="one of the sp"),
    ):
        polygon(loopback, ManualClock(NOW)).actions(FIRST, LAST)


def test_pages_that_lead_nowhere_are_an_error() -> None:
    page = Reply.of({"results": [], "next_url": "https://elsewhere/v3/reference/splits?cursor=1"})
    with (
        Loopback(lambda _: page) as loopback,
        pytest.raises(DataError, match="pages of splits lead nowhere"),
    ):
        polygon(loopback, ManualClock(NOW)).actions(FIRST, LAST)
