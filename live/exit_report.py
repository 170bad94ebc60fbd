"""What a session leaves behind when it ends: on the terminal, and as JSON beside the log."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import orjson

from analyzers.both_times import both_times
from live.exits import CODES, MEANINGS, ExitCode, Trigger

NAME = "exit_report.json"

_CHECKS: Mapping[Trigger, str] = {
    "breaker": "the venue's status page and the network, before a new session",
    "account_limit": "what lost the money, before the limit is widened or a new session is begun",
    "mute": "the data subscription and the network",
    "unreconcilable": "the account's orders and positions at the venue against the table above",
    "strategy_error": "the strategy's own error above",
    "connection": "the note above, the keys, and whether another program uses the account",
    "log_error": "space and permissions where the log is",
}


@dataclass(frozen=True, slots=True)
class ExitReport:
    """How a session ended; quantities are signed units, instants aware UTC.

    Args:
        cancelled: orders whose cancel the venue confirmed, one line each.
        too_late: orders that ended before their cancel reached them, and how.
        unconfirmed: orders sent or cancelled without an answer: they may still fill.
        left: orders that were left at work on purpose, exits above all.
        positions: by symbol, what is held.
        notes: what else went wrong on the way down, such as an alert that was not delivered.
    """

    session_id: str
    trigger: Trigger
    text: str
    ended_at: datetime
    log: str
    cancelled: tuple[str, ...] = ()
    too_late: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    positions: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the process ends with."""
        return CODES[self.trigger]

    @property
    def checks(self) -> tuple[str, ...]:
        """What a person has to look at."""
        held = [f"{units:+g} {symbol}" for symbol, units in self.positions.items()]
        return tuple(
            text
            for is_due, text in (
                (self.trigger in _CHECKS, _CHECKS.get(self.trigger, "")),
                (bool(self.unconfirmed), "at the venue, what became of the unconfirmed orders"),
                (bool(held), f"what is still held: {', '.join(held)}"),
                (bool(held) and not self.left, "that no exit protects what is held"),
            )
            if is_due
        )

    def with_notes(self, notes: Iterable[str]) -> "ExitReport":
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, the derived ones included."""
        code = self.exit_code
        return {
            **asdict(self),
            "exit_code": int(code),
            "meaning": MEANINGS[code],
            "checks": list(self.checks),
        }

    def text_block(self, zone: tzinfo = UTC) -> str:
        """The report as a person reads it, times by the exchange's clock and in UTC."""
        lines = [f"session {self.session_id} ended: {self.text} (exit code {int(self.exit_code)})"]
        for title, entries in (
            ("at", (both_times(self.ended_at, zone, seconds=True),)),
            ("cancelled", self.cancelled),
            ("ended first", self.too_late),
            ("NOT CONFIRMED", self.unconfirmed),
            ("left at work", self.left),
            ("held", tuple(f"{units:+g} {symbol}" for symbol, units in self.positions.items())),
            ("check", self.checks),
            ("note", self.notes),
        ):
            lines += _column(title, entries)
        return "\n".join([*lines, *_column("log", (self.log,))])

    def write(self, folder: Path) -> Path:
        """Put the JSON beside the log, whole or not at all."""
        path = folder / NAME
        begun = path.with_suffix(".tmp")
        begun.write_bytes(orjson.dumps(self.as_dict(), option=orjson.OPT_INDENT_2))
        begun.replace(path)
        return path


def _column(title: str, entries: Iterable[str]) -> list[str]:
    return [f"  {title if n == 0 else '':14}{entry}" for n, entry in enumerate(entries)]
