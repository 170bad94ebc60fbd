"""What a reader must know of a log before believing a page: missing, damaged, half read."""

from dataclasses import dataclass

from dashboard.tone import Tone
from dashboard.watch import NEWEST_LINES, Glimpse

JUST_NOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence, and how bad it is."""

    text: str
    tone: Tone


def notices(glimpse: Glimpse) -> list[Notice]:
    """What there is to say, the worst first."""
    if glimpse.condition == "missing":
        return [Notice(
            f"{glimpse.path} is not there. Start a session (python -m live) or name its log with "
            "--log; this page shows it as soon as it is there.", "watch",
        )]  # fmt: skip
    if glimpse.condition == "unreadable":
        return [Notice(f"{glimpse.text}. Give this user the right to read it.", "bad")]
    if glimpse.condition == "empty":
        return [Notice(f"{glimpse.path} is empty: no session has written to it yet.", "watch")]
    found = [*_of_audit(glimpse), *_of_reading(glimpse)]
    return sorted(found, key=lambda notice: ("bad", "watch", "calm").index(notice.tone))


def _of_audit(glimpse: Glimpse) -> list[Notice]:
    audit = glimpse.audit
    if audit is None:
        return []
    verdict = audit.verdict
    if verdict.state == "damaged":
        return [Notice(
            f"DAMAGED at line {verdict.line}: {verdict.text}. Only the {verdict.lines:,} lines "
            "before it hold; restore the log and its head file from a copy.", "bad",
        )]  # fmt: skip
    is_at_work = glimpse.is_written or glimpse.silent_s < JUST_NOW_S
    if verdict.state == "torn" and not is_at_work:
        return [Notice(f"Torn: {verdict.text}.", "watch")]
    return []


def _of_reading(glimpse: Glimpse) -> list[Notice]:
    reading = glimpse.reading
    found = []
    if reading.fault:
        found.append(Notice(f"Shown up to here: {reading.fault}.", "bad"))
    if glimpse.progress is not None:
        known = (
            f"This page shows the last {NEWEST_LINES:,} lines and what they tell; older positions, "
            "orders and counts come with the rest."
            if not reading.is_whole
            else "Its hash chain is being verified."
        )
        found.append(Notice(f"Reading the whole log: {glimpse.progress:.0%}. {known}", "calm"))
    return found
