"""Two logs held against each other, decision by decision, over the bars that both have."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from analyzers.chain import tail
from brokers.errors import DataError
from live.rehearsal.canon import Canon, Line, Record, canonical
from live.rehearsal.difference import Difference, first_difference

KINDS = ("decision", "cancel", "fill", "order", "bars", "venue", "shutdown")


@dataclass(frozen=True)
class Parity:
    """What the comparison came to.

    Args:
        span: ends of the first and the last bar that both logs have.
        difference: the first one; None: there is none.
        pairs: decisions and cancels of both, side by side, in their order.
        first: number of the first pair that differs; None: all are equal.
    """

    span: tuple[datetime, datetime]
    difference: Difference | None
    pairs: tuple[tuple[Line | None, Line | None], ...]
    first: int | None
    fills: tuple[int, int]


def parity(ours: Path, theirs: Path) -> Parity:
    """Compare a backtest's log, or any, with a live session's.

    Raises:
        DataError: one cannot be read, or they have no bar in common.
    """
    mine, others = _lines(ours), _lines(theirs)
    span = _common(ours, mine, theirs, others)
    one, two = (_canon(records, span) for records in (mine, others))
    pairs = tuple(zip_longest(one.acts, two.acts))
    first = next((number for number, (a, b) in enumerate(pairs) if a != b), None)
    difference = first_difference(
        one, two, [record for record in others if _is_until(record, span)]
    )
    return Parity(span, difference, pairs, first, (len(one.fills), len(two.fills)))


def differing(pair: tuple[Line | None, Line | None]) -> dict[str, tuple[Any, Any]]:
    """The fields that differ in a pair of lines, by name."""
    one, two = ({"bar": line.bar, **_flat(line.content)} if line else {} for line in pair)
    names = dict.fromkeys((*one, *two))
    return {
        name: (one.get(name), two.get(name)) for name in names if one.get(name) != two.get(name)
    }


def _lines(log: Path) -> list[Record]:
    return [record for record, _ in tail(log) if record["kind"] in KINDS]


def _common(
    ours: Path, mine: list[Record], theirs: Path, others: list[Record]
) -> tuple[datetime, datetime]:
    spans = (_span(ours, mine), _span(theirs, others))
    first, last = max(span[0] for span in spans), min(span[1] for span in spans)
    if first > last:
        raise DataError(
            f"{ours} ends before {theirs} begins, or the other way round: compare a session with a "
            "backtest of the same bars"
        )
    return first, last


def _span(log: Path, records: Iterable[Record]) -> tuple[datetime, datetime]:
    """Ends of a log's first and last bars; of the bars decided on, where it has no others."""
    bars = [datetime.fromisoformat(it["at_bar"]) for it in records if it["kind"] == "bars"]
    bars = bars or [_decided(it) for it in records if it["kind"] == "decision" and _bar(it)]
    if not bars:
        raise DataError(f"{log}: has no decision to compare yet")
    return min(bars), max(bars)


def _canon(records: list[Record], span: tuple[datetime, datetime]) -> Canon:
    """The canonical log of the bars that both have, parts of a fill added up."""
    told = (it for it in records if it["kind"] != "decision" or _is_since(it, span[0]))
    canon = canonical(told, span[1]).by_order()
    begin, end = (at.isoformat().replace("+00:00", "Z") for at in span)
    return replace(
        canon,
        acts=tuple(act for act in canon.acts if begin <= act.bar <= end),
        fills=tuple(fill for fill in canon.fills if fill.bar <= end and "?" not in fill.key),
        statuses=(),
    )


def _is_until(record: Record, span: tuple[datetime, datetime]) -> bool:
    return datetime.fromisoformat(record["at"]) <= span[1]


def _is_since(decision: Record, first: datetime) -> bool:
    return _bar(decision) is not None and _decided(decision) >= first


def _bar(record: Record) -> Record | None:
    context = record.get("market_context")
    bar: Record | None = context["bar"] if context else None
    return bar


def _decided(record: Record) -> datetime:
    return datetime.fromisoformat(record["market_context"]["bar"]["time"])


def _flat(content: Record, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name} ")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
