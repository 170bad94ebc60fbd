"""A session's log read again at a restart: inputs are handed out, outputs are compared.

Everything that Cerebro's thread ever took in stands in the log before what came of it. So the same
inputs in the same order through the same code give the same outputs, and the first one that differs
tells that code, settings or log are not what they were.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from brokers.errors import ConfigError
from feeds.turns import Turn

OUTPUTS = frozenset(("session", "decision", "cancel", "halt", "order", "fill", "trade", "shutdown"))
BARS, VENUE, SHUTDOWN, RESUME = "bars", "venue", "shutdown", "resume"
SESSION, DECISION = "session", "decision"
_JOURNALS = frozenset(("v", "seq", "at", "run_id", "hash"))
_IN_SESSION = ("strategy", "params", "passports")
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY
Record = Mapping[str, Any]


class Diverged(ConfigError):
    """What came out at a restart is not what the log says came out."""


class Past:
    """What of a log has not been repeated yet.

    Args:
        log: named in errors.
        records: of the log, oldest first; lines that are neither input nor output are passed over.
    """

    def __init__(self, log: str | Path, records: Iterable[Record] = ()) -> None:
        self._log = log
        kept = OUTPUTS | {BARS, VENUE, RESUME}
        self._records = deque(record for record in records if record["kind"] in kept)

    @property
    def is_over(self) -> bool:
        """True when there is nothing left to repeat."""
        return not self._records

    @property
    def at(self) -> datetime | None:
        """When the next line was written, for rules that look at the clock; None: it is over."""
        return datetime.fromisoformat(self._records[0]["at"]) if self._records else None

    def take(self) -> Turn | None:
        """The next turn; None while something else comes first."""
        record = self._next(BARS)
        return None if record is None else Turn.from_record(record)

    def facts(self, turns: int) -> list[Record]:
        """Lines of what the venue said next; none while something else comes first.

        Args:
            turns: that the strategies have seen; what was said after more of them waits.
        """
        told = []
        while self._records and self._records[0].get("turns", turns) <= turns:
            record = self._next(VENUE)
            if record is None:
                break
            told.append(record)
        return told

    def shutdown(self) -> Record | None:
        """The line of a shutdown that began from outside, if it comes next; it stays there."""
        is_next = self._records and self._records[0]["kind"] == SHUTDOWN
        return self._records[0] if is_next else None

    def resume(self) -> Record | None:
        """The line of a restart after a shutdown, if it comes next."""
        return self._next(RESUME)

    def compare(self, record: Record) -> None:
        """Hold what came out against the log.

        Raises:
            Diverged: the log says otherwise.
        """
        kind = record["kind"]
        if kind not in OUTPUTS:
            return
        if not self._records or self._records[0]["kind"] != kind:
            instead = self._records[0] if self._records else None
            raise Diverged(self._complaint(f"a {kind}", instead))
        logged = self._records.popleft()
        ours, theirs = as_logged(record), _told(logged)
        if kind == "session":
            ours, theirs = (_decisive(it) for it in (ours, theirs))
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                what = f"{name} {_short(ours.get(name))} in a {kind}"
                raise Diverged(self._complaint(what, logged, f"{name} {_short(theirs.get(name))}"))

    def _next(self, kind: str) -> Record | None:
        if self._records and self._records[0]["kind"] == kind:
            return self._records.popleft()
        return None

    def _complaint(self, ours: str, logged: Record | None, theirs: str | None = None) -> str:
        where = f"line {logged['seq']}" if logged else "its end"
        told = theirs or (f"a {logged['kind']}" if logged else "nothing more")
        return (
            f"{self._log}: re-execution gives {ours}, the log has {told} at {where}: the strategy, "
            "its settings or the log changed; use the code and settings that wrote the log, or "
            "begin anew with --fresh once the account is in order"
        )


def as_logged(record: Record) -> dict[str, Any]:
    """A record as it reads back from a log."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(dict(record), _plain, _OPTIONS))
    return plain


def _decisive(session: Record) -> dict[str, Any]:
    """What of a session line must be the same to go on with its log."""
    files = session.get("config", {}).get("files")  # by their hashes, where a parameter names one
    return {name: session[name] for name in _IN_SESSION} | {"files": files}


def _told(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in _JOURNALS}


def _plain(value: object) -> object:
    """What the journal makes of values that JSON does not know."""
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError


def _short(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
