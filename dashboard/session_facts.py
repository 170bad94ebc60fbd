"""What a session is and how it fares, carried forward line by line through its log."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Record = Mapping[str, Any]
Stage = Literal["no session", "running", "halted", "shutting down", "ended"]

TROUBLES_KEPT = 20
MONEY = ("alpaca-live", "ibkr-live", "portal-live")
EMBEDDED = ("paper", "paper-tws", "paper-portal")
TRIGGERS_OF_CONNECTION = ("breaker", "mute", "connection")


@dataclass(slots=True)
class SessionFacts:
    """Counts, first and last times, and what went wrong.

    Args:
        sessions: the session lines, one a strategy.
        counts: lines by kind; `refused` and `closed` count decisions refused and trades closed.
        shutdown: the last shutdown's line, None again once the session was resumed.
        halt: why the guard is reduce-only.
        breaker: its state, and `failure` the last call that failed.
        bars_down: since when the stream of bars is down; empty: it is not.
        troubles: refusals, rejections and breaks: time and text, oldest first.
    """

    sessions: list[Record] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    first_at: str = ""
    last_at: str = ""
    last_bar: str = ""
    shutdown: Record | None = None
    halt: str = ""
    broken: str = ""
    breaker: str = "closed"
    failure: str = ""
    bars_down: str = ""
    is_closed: bool = False
    pnl_net: float = 0.0
    commission: float = 0.0
    troubles: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=TROUBLES_KEPT))

    def take(self, record: Record) -> None:
        """Carry on with one line."""
        kind = record["kind"]
        self.counts[kind] += 1
        self.first_at = self.first_at or record["at"]
        self.last_at = record["at"]
        note = _NOTES.get(kind)
        if note is not None:
            note(self, record)

    @property
    def stage(self) -> Stage:
        """How far the session is, as far as the log tells."""
        if not self.sessions:
            return "no session"
        if self.is_closed:
            return "ended"
        if self.shutdown is not None:
            return "shutting down"
        return "halted" if self.halt else "running"

    @property
    def is_live(self) -> bool:
        """Whether this is a session's log; else a backtest's."""
        has_account = bool(self.sessions) and "account" in self.sessions[0]["config"]
        return has_account or self.counts["bars"] > 0

    @property
    def venue(self) -> str:
        """Where it trades; the source of the bars for a backtest."""
        if not self.sessions:
            return ""
        bars = self.sessions[0]["config"].get("bars") or {}
        return str(bars.get("source", ""))

    @property
    def mode(self) -> str:
        """What is at stake."""
        if not self.is_live:
            return "backtest"
        if self.venue in MONEY:
            return "REAL MONEY"
        if not self.venue:
            return "rehearsal"
        return "embedded paper venue" if self.venue in EMBEDDED else "paper account"

    @property
    def connection(self) -> str:
        """What the log tells of the connection; empty when it has seen no trouble."""
        if self.broken:
            return self.broken
        if self.bars_down:
            return f"no bars since {self.bars_down}"
        tripped = self.shutdown and self.shutdown["trigger"] in TRIGGERS_OF_CONNECTION
        return str(self.shutdown["text"]) if self.shutdown and tripped else ""

    @property
    def strategies(self) -> list[str]:
        """Their names."""
        named = (session["config"].get("strategy") for session in self.sessions)
        return [
            str(name or session["strategy"])
            for name, session in zip(named, self.sessions, strict=True)
        ]

    @property
    def symbols(self) -> list[str]:
        """What is traded."""
        found = (p["symbol"] for session in self.sessions for p in session["passports"])
        return list(dict.fromkeys(found))

    @property
    def zone(self) -> str:
        """The exchange's time zone; UTC where no passport names one."""
        zones = (p.get("zone") for session in self.sessions for p in session["passports"])
        return next((zone for zone in zones if zone), "UTC")

    def kept(self) -> dict[str, Any]:
        """What `restored` needs."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> "SessionFacts":
        """The facts as they were kept."""
        facts = cls(**kept)
        facts.counts = Counter(kept["counts"])
        told = (tuple(each) for each in kept["troubles"])
        facts.troubles = deque(told, maxlen=TROUBLES_KEPT)
        return facts

    def trouble(self, record: Record, text: str) -> None:
        """Note what went wrong at a line."""
        self.troubles.append((record["at"], text))


def _session(facts: SessionFacts, record: Record) -> None:
    facts.sessions.append(record)


def _bars(facts: SessionFacts, record: Record) -> None:
    facts.last_bar = record["at_bar"]


def _decision(facts: SessionFacts, record: Record) -> None:
    if not facts.counts["bars"] and record["market_context"]["bar"]:
        facts.last_bar = record["market_context"]["bar"]["time"]
    if record["refusal"]:
        facts.counts["refused"] += 1
        symbol = record["market_context"]["symbol"]
        facts.trouble(record, f"{symbol} order refused: {record['refusal']['text']}")


def _fill(facts: SessionFacts, record: Record) -> None:
    facts.commission += record["commission"] or 0.0


def _trade(facts: SessionFacts, record: Record) -> None:
    if record["status"] == "closed":
        facts.counts["closed"] += 1
        facts.pnl_net += record["pnl_net"]


def _halt(facts: SessionFacts, record: Record) -> None:
    facts.halt = record["refusal"]["text"]


def _shutdown(facts: SessionFacts, record: Record) -> None:
    facts.shutdown = {name: record[name] for name in ("at", "trigger", "text")}


def _resume(facts: SessionFacts, record: Record) -> None:  # noqa: ARG001  one signature for all
    facts.shutdown, facts.halt, facts.broken, facts.is_closed = None, "", "", False
    facts.breaker, facts.bars_down = "closed", ""


def _venue(facts: SessionFacts, record: Record) -> None:
    fact = record["fact"]
    if fact == "Broken":
        facts.broken = record["text"]
        facts.trouble(record, f"connection broke: {record['text']}")
    elif fact == "Mismatch":
        told = f"{record['symbol']}: ours {record['ours']}, the venue's {record['theirs']}"
        facts.trouble(record, f"books differ: {told}")
    elif fact == "Ended" and record["status"] == "rejected":
        facts.trouble(record, f"venue rejected {record['order_id'][:8]}: {record['reason']}")


def _reconcile(facts: SessionFacts, record: Record) -> None:
    told = f"{record['symbol']}: ours {record['ours']}, the venue's {record['theirs']}"
    how = "adopted" if record["adopted"] else "not explained"
    facts.trouble(record, f"books differ ({how}): {told}")


def _breaker(facts: SessionFacts, record: Record) -> None:
    facts.breaker = record["state"]
    if record.get("text"):
        facts.failure = record["text"]
        facts.trouble(record, f"a broker call failed: {record['text']}")


def _connection(facts: SessionFacts, record: Record) -> None:
    is_down = record["state"] == "down"
    facts.bars_down = record["at"] if is_down else ""
    if is_down:
        facts.trouble(record, "the stream of bars went down")


def _end(facts: SessionFacts, record: Record) -> None:  # noqa: ARG001  one signature for all
    facts.is_closed = True


_NOTES = {
    "session": _session,
    "bars": _bars,
    "decision": _decision,
    "fill": _fill,
    "trade": _trade,
    "halt": _halt,
    "shutdown": _shutdown,
    "resume": _resume,
    "venue": _venue,
    "reconcile": _reconcile,
    "breaker": _breaker,
    "connection": _connection,
    "session_end": _end,
}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, deque) else value
