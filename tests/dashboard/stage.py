"""Logs for the dashboard's tests, written by the journal itself."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from analyzers.journal import Journal
from brokers.clock import ManualClock

BEGUN_AT = datetime(2025, 6, 2, 14, 0, tzinfo=UTC)  # 10:00 in New York
ORDER_ID = "0123456789abcdef0123"
Record = Mapping[str, Any]


def minute(number: int) -> str:
    """The end of a session's bar, counted from 0."""
    return (BEGUN_AT + timedelta(minutes=number)).isoformat()


def session(*, is_live: bool = True, cash: float = 10_000.0, **account: Any) -> Record:
    begun = {"account": {"cash": cash, "holdings": [], **account}} if is_live else {}
    return {
        "kind": "session",
        "strategy": "SmaCross",
        "params": {"fast": 3},
        "passports": [{"symbol": "SPY", "source": "paper", "zone": "America/New_York"}],
        "versions": {},
        "cash": cash,
        "config": {"strategy": "sma_cross", "bars": {"source": "paper"}, **begun},
    }


def bars(number: int, close: float, symbol: str = "SPY") -> Record:
    bar = [minute(number - 1), close, close, close, close, 100.0]
    return {"kind": "bars", "turn": number, "at_bar": minute(number), "bars": {symbol: bar}}


def decision(
    number: int,
    side: str = "buy",
    quantity: float = 10.0,
    order_id: str = ORDER_ID,
    *,
    cash: float = 10_000.0,
    position: float = 0.0,
    close: float = 100.0,
    refusal: str = "",
    reason: str = "fast above slow",
    legs: Iterable[Record] = (),
) -> Record:
    order = {
        "client_order_id": order_id, "side": side, "quantity": str(quantity), "symbol": "SPY",
        "order_type": "market", "time_in_force": "gtc", "legs": list(legs),
    }  # fmt: skip
    bar = dict.fromkeys(("open", "high", "low", "close"), close)
    return {
        "kind": "decision",
        "strategy": "sma_cross",
        "order_id": order_id,
        "market_context": {
            "symbol": "SPY",
            "bar": {"time": minute(number), **bar, "volume": 100.0},
            "indicators": {"fast": 101.5, "slow": None},
            "position": position,
            "cash": cash,
            "equity": cash + position * close,
            "passport": "abcdef012345",
        },
        "agent_reasoning": reason,
        "order": order,
        "refusal": {"kind": "risk", "text": refusal} if refusal else None,
    }


def status(word: str, order_id: str = ORDER_ID) -> Record:
    return {"kind": "order", "order_id": order_id, "symbol": "SPY", "status": word}


def fill(
    number: int, side: str, quantity: float, price: float, position: float, **more: Any
) -> Record:
    return {
        "kind": "fill", "order_id": ORDER_ID, "symbol": "SPY", "filled_at": minute(number),
        "side": side, "quantity": quantity, "price": price, "commission": 1.0, "pnl": None,
        "position": position, **more,
    }  # fmt: skip


def bought() -> list[Record]:
    """A session that buys ten units at 100 for a commission of 1, and sees a bar at 103."""
    return [
        session(),
        bars(1, 100.0),
        decision(1),
        status("Submitted"),
        status("Accepted"),
        fill(2, "buy", 10.0, 100.0, 10.0),
        status("Completed"),
        bars(2, 103.0),
    ]


def write(path: Path, records: Iterable[Record], *, complete: bool = False) -> Path:
    """Write a log, or go on with it."""
    journal = Journal(path, "run0", ManualClock(BEGUN_AT))
    for record in records:
        journal.append(record)
    journal.close(complete=complete)
    return path
