"""What the venue said, as lines of the log and back."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from brokers.facts import (
    Accepted,
    Broken,
    Ended,
    Fact,
    Filled,
    Mismatch,
    Replaced,
    Restated,
    Split,
)
from live.past import VENUE

_KINDS: Mapping[str, type[Fact]] = {
    kind.__name__: kind
    for kind in (Accepted, Filled, Ended, Replaced, Split, Restated, Mismatch, Broken)
}
_DECIMALS = ("quantity", "price", "commission", "ours", "theirs", "new_rate", "old_rate")
_INSTANTS = ("filled_at", "eve_at", "ex_at")
_JOURNALS = frozenset(("v", "seq", "at", "run_id", "hash", "kind", "fact", "turns"))


def as_record(fact: Fact) -> dict[str, Any]:
    """A fact as a line of the log."""
    words = {field.name: getattr(fact, field.name) for field in fields(fact)}
    return {"kind": VENUE, "fact": type(fact).__name__, **words}


def from_record(record: Mapping[str, Any]) -> Fact:
    """The fact that `as_record` wrote."""
    words = {name: value for name, value in record.items() if name not in _JOURNALS}
    for name in _DECIMALS:
        if words.get(name) is not None:
            words[name] = Decimal(words[name])
    for name in _INSTANTS:
        if name in words:
            words[name] = datetime.fromisoformat(words[name])
    return _KINDS[record["fact"]](**words)
