"""Why: an order's story from the log alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzers.journal import Journal
from analyzers.why import entry_of, why
from brokers.clock import ManualClock
from brokers.errors import DataError

BAR = {"time": "2025-06-02T14:00:00Z", "open": 499.0, "high": 501.0, "low": 498.0, "close": 500.0,
       "volume": 9.0}  # fmt: skip
CONTEXT = {"symbol": "SPY", "bar": BAR, "indicators": {"fast": 501.5, "slow": None},
           "position": 0.0, "cash": 100_000.0, "equity": 100_000.0, "passport": "abc"}  # fmt: skip
ORDER = {"client_order_id": "4f2a", "side": "buy", "quantity": "10", "symbol": "SPY",
         "order_type": "limit", "limit_price": "500",
         "legs": [{"client_order_id": "4f2a-sl", "role": "stop_loss", "side": "sell",
                   "quantity": "10", "order_type": "stop", "stop_price": "480"}]}  # fmt: skip
DECISION = {"kind": "decision", "strategy": "sma_cross", "order_id": "4f2a",
            "market_context": CONTEXT, "agent_reasoning": "fast crossed above slow",
            "order": ORDER, "refusal": None}  # fmt: skip
LINES = (
    {"kind": "session", "strategy": "SmaCross"},
    DECISION,
    {"kind": "order", "order_id": "4f2a", "symbol": "SPY", "status": "Submitted"},
    {"kind": "venue", "fact": "Accepted", "order_id": "4f2a", "venue_order_id": "9b1f"},
    {"kind": "fill", "order_id": "4f2a", "symbol": "SPY", "side": "buy", "quantity": 10.0,
     "price": 499.5, "commission": 0.0, "position": 10.0},
    {"kind": "cancel", "order_id": "4f2a-sl", "symbol": "SPY", "agent_reasoning": "gives way"},
    {"kind": "order", "order_id": "4f2a-sl", "symbol": "SPY", "status": "Canceled"},
    DECISION | {"order_id": "4f3b", "order": None, "asked": {"size": -1.0},
                "refusal": {"kind": "schema", "text": "quantity: too small"}},
)  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with one filled order, one leg and one refused order."""
    path = tmp_path / "decisions.jsonl"
    with Journal(path, "s1", ManualClock(datetime(2025, 6, 2, 14, tzinfo=UTC))) as journal:
        for line in LINES:
            journal.append(line)
    return path


def _text(log: Path, order_id: str) -> str:
    return "\n".join(why(log, order_id).lines())


def test_an_order_tells_its_decision_its_context_and_its_fills(log: Path) -> None:
    text = _text(log, "4f2a")
    for part in (
        "2025-06-02T14:00:00 by sma_cross",
        "fast crossed above slow",
        "buy 10 SPY limit at 500, stop loss 480",
        "open 499 high 501 low 498 close 500",
        "501.5",
        "not yet",
        "100,000.00",
        "filled: buy 10 at 499.5, holding 10 after it",
        "the venue says Accepted: venue_order_id 9b1f",
        "stop loss: cancel asked for: gives way",
        "stop loss: Canceled",
    ):
        assert part in text


def test_a_leg_tells_the_decision_of_its_entry_and_its_own_events(log: Path) -> None:
    story = why(log, "4f2a-sl")
    assert story.decision["order_id"] == "4f2a"
    assert [event["kind"] for event in story.events] == ["cancel", "order"]
    assert "order 4f2a-sl (stop loss of 4f2a)" in _text(log, "4f2a-sl")


def test_the_beginning_of_an_id_is_enough(log: Path) -> None:
    assert why(log, "4f2").order_id == "4f2a"


def test_a_refused_order_tells_why(log: Path) -> None:
    text = _text(log, "4f3b")
    assert "REFUSED" in text
    assert "quantity: too small" in text
    assert "{'size': -1.0}" in text


def test_an_ambiguous_beginning_asks_for_more(log: Path) -> None:
    with pytest.raises(DataError, match="4f is the beginning of 2 orders"):
        why(log, "4f")


@pytest.mark.parametrize("unknown", ["zz", "", "-sl"])
def test_an_unknown_order_is_a_clear_error(log: Path, unknown: str) -> None:
    with pytest.raises(DataError, match="no order"):
        why(log, unknown)


def test_a_story_is_plain_values_too(log: Path) -> None:
    told = why(log, "4f2a").as_dict()
    assert told["order_id"] == "4f2a"
    assert len(told["events"]) == 5


def test_a_decision_before_any_bar_has_a_story(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    with Journal(path, "s1", ManualClock(datetime(2025, 6, 2, 14, tzinfo=UTC))) as journal:
        journal.append(DECISION | {"market_context": CONTEXT | {"bar": None}})
    assert "before the first bar" in _text(path, "4f2a")


def test_an_entry_is_its_own_entry() -> None:
    assert entry_of("4f2a") == ("4f2a", "")
    assert entry_of("4f2a-tp") == ("4f2a", "take profit")
