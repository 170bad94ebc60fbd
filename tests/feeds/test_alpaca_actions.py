"""Splits as Alpaca tells of them."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from brokers.errors import DataError
from feeds.alpaca import AlpacaBars
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import AlpacaData
from tests.feeds.alpaca_server import KEYS, MemoryHttp, PatientClock, at_new_york
from tests.feeds.servers import Reply, Request

NOW = at_new_york("2024-06-03 18:00")
FIRST, LAST = date(2024, 6, 3), date(2024, 6, 13)


def row(symbol: str, new_rate: Any, old_rate: Any = 1, **more: Any) -> Mapping[str, Any]:
    ex_date = more.pop("ex_date", "2024-06-10")
    rates = {"new_rate": new_rate, "old_rate": old_rate}
    return {"id": "x", "symbol": symbol, "ex_date": ex_date, **rates, **more}


def asked(pages: Sequence[Any]) -> tuple[Any, list[Request]]:
    """What comes of these answers, and what was asked."""
    left, requests = list(pages), []

    def answer(request: Request) -> Reply:
        requests.append(request)
        return Reply.of(left.pop(0))

    clock = PatientClock(NOW)
    http = MemoryHttp(clock, answer)  # type: ignore[arg-type]
    rng = random.Random(1)
    bars = AlpacaBars(http, http, KEYS, AlpacaData(), clock=clock, rng=rng, on_outage=print)
    return asyncio.run(bars.splits(["NVDA", "XYZ"], FIRST, LAST)), requests


def test_splits_of_all_pages_come_by_date_and_others_are_passed_over() -> None:
    one = {
        "forward_splits": [row("NVDA", 10.0), row("OTHER", 2.0)],
        "cash_dividends": [{"symbol": "NVDA", "rate": 0.1}],
    }
    two = {
        "reverse_splits": [row("XYZ", 1.0, 20.0, ex_date="2024-06-05"), row("NVDA", 10.0)],
        "stock_dividends": [{"symbol": "XYZ", "rate": 0.05, "ex_date": "2024-06-07"}],
    }
    pages = [
        {"corporate_actions": one, "next_page_token": "t"},
        {"corporate_actions": two, "next_page_token": None},
    ]
    found, requests = asked(pages)
    assert found == (
        StockSplit("XYZ", date(2024, 6, 5), Decimal(1), Decimal(20)),
        StockSplit("XYZ", date(2024, 6, 7), Decimal("1.05"), Decimal(1)),
        StockSplit("NVDA", date(2024, 6, 10), Decimal(10), Decimal(1)),
    )
    assert requests[0].path == "/v1/corporate-actions"
    expected = {"symbols": "NVDA,XYZ", "start": "2024-06-03", "end": "2024-06-13", "limit": "1000"}
    kinds = {"types": "forward_split,reverse_split,stock_dividend"}
    assert requests[0].query == expected | kinds
    assert requests[1].query["page_token"] == "t"


@pytest.mark.parametrize(
    "actions",
    [
        {"forward_splits": [{"symbol": "NVDA"}]},
        {"forward_splits": [row("NVDA", 0)]},
        {"forward_splits": [row("NVDA", "many")]},
        {"reverse_splits": [row("NVDA", 1, ex_date="soon")]},
        [],
    ],
)
def test_an_answer_that_cannot_be_read_is_an_error(actions: Any) -> None:
    with pytest.raises(DataError, match="corporate actions have another form"):
        asked([{"corporate_actions": actions}])
