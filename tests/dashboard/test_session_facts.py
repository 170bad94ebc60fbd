"""What a session is and how it fares."""

import pytest

from dashboard.session_facts import SessionFacts
from tests.dashboard.stage import BEGUN_AT, Record, bars, bought, decision, session

AT = BEGUN_AT.isoformat()
HALT: Record = {"kind": "halt", "refusal": {"text": "max drawdown"}, "cancelled": []}
END: Record = {"kind": "session_end", "lines": 9}


def facts_of(*records: Record) -> SessionFacts:
    facts = SessionFacts()
    for record in records:
        facts.take({"at": AT, **record})
    return facts


def shutdown(trigger: str, text: str) -> Record:
    return {"kind": "shutdown", "trigger": trigger, "text": text}


def at_venue(name: str) -> Record:
    line = session()
    return {**line, "config": {**line["config"], "bars": {"source": name}}}


@pytest.mark.parametrize(
    ("records", "stage"),
    [
        ([], "no session"),
        ([session()], "running"),
        ([session(), HALT], "halted"),
        ([session(), HALT, shutdown("mute", "silence")], "shutting down"),
        ([session(), shutdown("finished", "over"), END], "ended"),
        ([session(), shutdown("interrupt", "Ctrl-C"), {"kind": "resume"}], "running"),
    ],
)
def test_stage_follows_the_log(records: list[Record], stage: str) -> None:
    assert facts_of(*records).stage == stage


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        (session(is_live=False), "backtest"),
        (session(), "embedded paper venue"),
        (at_venue("alpaca"), "paper account"),
        (at_venue("alpaca-live"), "REAL MONEY"),
    ],
)
def test_mode_says_what_is_at_stake(line: Record, mode: str) -> None:
    assert facts_of(line).mode == mode


def test_a_tripped_breaker_is_trouble_with_the_connection() -> None:
    text = "three broker calls in a row failed, the last with: 503"
    assert facts_of(session(), shutdown("breaker", text)).connection == text
    assert facts_of(session(), shutdown("finished", "over")).connection == ""


def test_a_failed_call_is_the_breaker_s_and_bars_that_stop_the_connection_s() -> None:
    failed = {"kind": "breaker", "state": "probing", "text": "503 to GET /v2/account"}
    facts = facts_of(session(), failed, {"kind": "connection", "stream": "bars", "state": "down"})
    assert (facts.breaker, facts.failure) == ("probing", "503 to GET /v2/account")
    assert facts.connection.startswith("no bars since ")
    assert len(facts.troubles) == 2
    over = facts_of(
        session(),
        failed,
        {"kind": "connection", "stream": "bars", "state": "down"},
        {"kind": "connection", "stream": "bars", "state": "connected"},
        {"kind": "breaker", "state": "closed"},
    )
    assert (over.breaker, over.connection) == ("closed", "")


def test_troubles_are_told_in_words() -> None:
    facts = facts_of(
        session(),
        decision(1, refusal="over 5,000"),
        {"kind": "venue", "fact": "Ended", "order_id": "0123456789", "status": "rejected",
         "reason": "no buying power"},
        {"kind": "venue", "fact": "Mismatch", "symbol": "SPY", "ours": "1", "theirs": "2"},
        {"kind": "reconcile", "symbol": "SPY", "ours": "1", "theirs": "2", "adopted": True},
        {"kind": "venue", "fact": "Broken", "text": "refused for 90 s"},
    )  # fmt: skip
    assert [text for _, text in facts.troubles] == [
        "SPY order refused: over 5,000",
        "venue rejected 01234567: no buying power",
        "books differ: SPY: ours 1, the venue's 2",
        "books differ (adopted): SPY: ours 1, the venue's 2",
        "connection broke: refused for 90 s",
    ]
    assert facts.connection == "refused for 90 s"


def test_counts_and_sums_are_carried_forward() -> None:
    closed = {"kind": "trade", "status": "closed", "pnl_net": -12.5}
    facts = facts_of(*bought(), closed, decision(3, refusal="no"))
    counts = facts.counts
    assert (counts["decision"], counts["refused"], counts["fill"], counts["closed"]) == (2, 1, 1, 1)
    assert (facts.commission, facts.pnl_net) == (1.0, -12.5)
    assert facts.last_bar == bars(2, 0.0)["at_bar"]


def test_facts_name_strategies_symbols_and_the_exchanges_zone() -> None:
    facts = facts_of(session())
    assert (facts.strategies, facts.symbols, facts.zone) == (
        ["sma_cross"], ["SPY"], "America/New_York",
    )  # fmt: skip
    assert (SessionFacts().zone, SessionFacts().venue) == ("UTC", "")


def test_facts_come_back_as_they_were_kept() -> None:
    before = facts_of(*bought(), HALT)
    assert SessionFacts.restored(before.kept()) == before
