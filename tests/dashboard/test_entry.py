"""A line as an entry of the feed."""

import pytest

from dashboard.entry import asked, entry_of_line, number
from tests.dashboard.stage import Record, bars, decision, fill, session, status
from tests.dashboard.test_order_book import LEGS


@pytest.mark.parametrize(
    ("line", "what", "tone"),
    [
        (decision(1), "buy 10 SPY market", ""),
        (decision(1, refusal="no"), "buy 10 SPY market", "bad"),
        (decision(1, legs=LEGS), "buy 10 SPY market, take profit 110, stop loss 95", ""),
        (fill(2, "buy", 4.0, 100.5, 4.0), "filled: buy 4 SPY at 100.5, holding 4", ""),
        (fill(2, "sell", 4.0, 9.0, 0.0, pnl=-3.0),
         "filled: sell 4 SPY at 9, result -3.00, holding 0", "loss"),
        (fill(2, "sell", 4.0, 9.0, 0.0, pnl=3.0),
         "filled: sell 4 SPY at 9, result +3.00, holding 0", "gain"),
        (status("Completed"), "order is completed", ""),
        ({**status("Rejected"), "refusal": "why not"}, "order is rejected: why not", "bad"),
        (bars(1, 100.25), "close SPY 100.25", ""),
        (session(), "session of SmaCross begins", ""),
        ({"kind": "session_end", "lines": 1200}, "session ends, 1,200 lines", ""),
        ({"kind": "cancel", "symbol": "SPY"}, "cancel asked for", ""),
        ({"kind": "resume"}, "resumed after a shutdown", "good"),
        ({"kind": "halt", "refusal": {"text": "limit"}}, "halted: limit", "watch"),
        ({"kind": "shutdown", "trigger": "mute", "text": "silence"},
         "shutdown (mute): silence", "watch"),
        ({"kind": "trade", "status": "closed", "side": "long", "pnl_net": 2.0},
         "long trade closed, net +2.00", "gain"),
        ({"kind": "trade", "status": "opened", "side": "long", "quantity": 2, "price": 9.5},
         "long trade opened, 2 at 9.5", ""),
        ({"kind": "venue", "fact": "Filled", "quantity": "2", "venue_order_id": "x", "turns": 4},
         "venue: filled, quantity 2", ""),
        ({"kind": "venue", "fact": "Broken", "text": "gone"}, "venue: broken, text gone", "bad"),
        ({"kind": "reconcile", "ours": "1", "adopted": False}, "ours 1", ""),
    ],
)  # fmt: skip
def test_every_kind_of_line_is_told(line: Record, what: str, tone: str) -> None:
    entry = entry_of_line({"seq": 1, "at": "2025-06-02T14:00:00Z", **line})
    assert (entry.what, entry.tone) == (what, tone)


def test_a_decision_tells_what_was_known_and_why() -> None:
    entry = entry_of_line({"seq": 7, "at": "", **decision(1, refusal="too large")})
    assert entry.why == "fast above slow. Refused: too large"
    assert dict(entry.known) == {
        "close": "100", "fast": "101.5", "slow": "-", "position": "0",
        "cash": "10,000.00", "equity": "10,000.00",
    }  # fmt: skip


def test_an_order_that_contradicts_itself_shows_what_was_asked() -> None:
    line = {**decision(1), "order": None, "asked": {"size": 0}}
    assert entry_of_line({"seq": 1, "at": "", **line}).what == "asked for {'size': 0}"


def test_prices_of_an_order_are_named() -> None:
    order = {"side": "sell", "quantity": "2.5", "symbol": "SPY", "order_type": "stop_limit",
             "stop_price": "99", "limit_price": "98.5"}  # fmt: skip
    assert asked(order) == "sell 2.5 SPY stop limit, limit 98.5, stop 99"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-12_345.678, "-12,345.68"), (None, "-"), ("x", "x"), (7, "7")],
)
def test_numbers_are_as_short_as_they_can_be(value: object, text: str) -> None:
    assert number(value) == text
