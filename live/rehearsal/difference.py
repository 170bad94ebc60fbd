"""The first difference between two canonical logs, and its cause as far as the logs tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from live.rehearsal.canon import Canon, Line, Record

_BARS = ("prices", "indicators")
_ACCOUNT = ("position", "cash", "equity")
_JOURNALS = frozenset(("v", "seq", "at", "run_id", "hash", "kind"))
_ALIKE = ("", "margin", "its family was refused")  # what BackBroker says in its way


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the halves part.

    Args:
        what: such as "fill of order 7: price".
        bar: end of the bar, ISO 8601; empty where there is none.
        backtest, live: what each has there; None: nothing.
        cause: in a sentence.
    """

    what: str
    bar: str
    backtest: Any
    live: Any
    cause: str

    @property
    def text(self) -> str:
        """For a person."""
        where = f" at {self.bar}" if self.bar else ""
        return (
            f"{self.what}{where}\n  backtest: {self.backtest}\n  live:     {self.live}\n"
            f"  cause:    {self.cause}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in ("what", "bar", "backtest", "live", "cause")}


def first_difference(backtest: Canon, live: Canon, records: Iterable[Record]) -> Difference | None:
    """The first one by bar; fills count before decisions of their bar. None: they are equal.

    Args:
        records: of the live log, to find a cause in.
    """
    found = [
        pair
        for pair in (
            _first(backtest.fills, live.fills),
            _first(backtest.acts, live.acts),
            _first(backtest.statuses, live.statuses),
        )
        if pair is not None
    ]
    if not found:
        return None
    pair = min(found, key=_place)
    name, here, there = _part(*pair)
    line = _either(pair)
    what = f"{line.kind} of {line.key}" + (f": {name}" if name else "")
    cause = _told_by(records) or _seen_in(pair, name, live)
    return Difference(what, line.bar, here, there, cause)


Pair = tuple[Line | None, Line | None]


def _first(backtest: Sequence[Line], live: Sequence[Line]) -> Pair | None:
    pairs = zip_longest(backtest, live)
    return next((pair for pair in pairs if pair[0] != pair[1]), None)


def _place(pair: Pair) -> tuple[str, int]:
    """By bar; statuses, which have none, come last."""
    lines = [line for line in pair if line is not None]
    rank = {"fill": 0, "decision": 1, "cancel": 1, "order": 2}
    return min(line.bar or "~" for line in lines), min(rank[line.kind] for line in lines)


def _part(ours: Line | None, theirs: Line | None) -> tuple[str, Any, Any]:
    """The field that differs, and what it is on either side; the whole line where one lacks."""
    if ours is None or theirs is None or (ours.kind, ours.key) != (theirs.kind, theirs.key):
        return "", _whole(ours), _whole(theirs)
    if ours.bar != theirs.bar:
        return "bar", ours.bar, theirs.bar
    return _field(ours.content, theirs.content)


def _field(ours: Record, theirs: Record) -> tuple[str, Any, Any]:
    for name in (*_BARS, *_ACCOUNT, *sorted(ours.keys() | theirs.keys())):
        mine, other = ours.get(name), theirs.get(name)
        if mine == other:
            continue
        if isinstance(mine, Mapping) and isinstance(other, Mapping):
            inner, *values = _field(mine, other)
            return f"{name}.{inner}", *values
        return name, mine, other
    return "", ours, theirs


def _whole(line: Line | None) -> Any:
    return None if line is None else {"bar": line.bar, "key": line.key, **line.content}


def _either(pair: Pair) -> Line:
    return next(line for line in pair if line is not None)


def _told_by(records: Iterable[Record]) -> str:
    """The first line of the live log that explains any difference after it; else nothing."""
    for record in records:
        if record["kind"] == "shutdown":
            return f"the session shut down ({record['trigger']}): {record['text']}"
        fact = record["fact"] if record["kind"] == "venue" else ""
        if fact in ("Mismatch", "Broken"):
            words = {name: word for name, word in record.items() if name not in _JOURNALS}
            return f"the books and the venue parted: {words}"
        if fact == "Ended" and record["reason"] not in _ALIKE:
            return f"the venue refused {record['order_id']}: {record['reason']}"
    return ""


def _seen_in(pair: Pair, name: str, live: Canon) -> str:
    """What the difference itself tells."""
    ours, theirs = pair
    if name.startswith(_BARS):
        return "the live half saw other bars: a bar was late, lacking or corrected"
    if name in _ACCOUNT:
        return "the accounts differ before this decision: a fill was told late, or not alike"
    if _is_early(ours, live):
        return (
            "the same order was decided a bar earlier live: it is born in notify_order, which "
            "comes before the bar live and with it in a backtest; decide in next()"
        )
    if theirs is not None and theirs.kind == "fill" and _is_for_the_day(theirs, live):
        return (
            "a day order placed after the close works through the venue's next session; "
            "Backtrader lets it lapse untried: use valid=None, and cancel it yourself"
        )
    if ours is not None and theirs is None and ours.kind == "fill":
        return "the venue did not fill it at that bar, or nobody heard of it"
    return "none that the logs tell"


def _is_for_the_day(fill: Line, live: Canon) -> bool:
    orders = (act.content["order"] for act in live.acts if act.key == fill.key)
    return any(order["time_in_force"] == "day" for order in orders)


def _is_early(ours: Line | None, live: Canon) -> bool:
    if ours is None or ours.kind != "decision":
        return False
    order = ours.content.get("order")
    return any(act.content.get("order") == order and act.bar < ours.bar for act in live.acts)
