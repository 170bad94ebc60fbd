"""A line of a log as one entry of a feed: when, what, why, and what was known."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.line_index import symbol_of
from dashboard.tone import Tone

Record = Mapping[str, Any]
Told = tuple[str, Tone]
_OURS = frozenset(("v", "seq", "at", "run_id", "kind", "hash", "fact", "strategy", "turns"))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed shows of a line.

    Args:
        at: ISO 8601 UTC: the end of the bar decided on, or when the line was written.
        what: in a few words; `why` in the strategy's own.
        known: what was known, label and value.
    """

    seq: int
    at: str
    kind: str
    symbol: str
    strategy: str
    what: str
    why: str = ""
    tone: Tone = ""
    order_id: str = ""
    known: tuple[tuple[str, str], ...] = ()


def entry_of_line(record: Record) -> Entry:
    """Tell a line; one of a kind that is not known here lists its fields."""
    what, tone = _what(record)
    context = record.get("market_context") or {}
    bar = context.get("bar") or {}
    refusal = record.get("refusal") if record["kind"] == "decision" else None
    reason = str(record.get("agent_reasoning", ""))
    return Entry(
        seq=record["seq"],
        at=bar.get("time") or record.get("filled_at") or record["at"],
        kind=record["kind"],
        symbol=symbol_of(record) or "",
        strategy=str(record.get("strategy") or ""),
        what=what,
        why=f"{reason}. Refused: {refusal['text']}" if refusal else reason,
        tone=tone,
        order_id=str(record.get("order_id") or ""),
        known=tuple(_known(context)),
    )


def number(value: object) -> str:
    """A number as short as it can be, with thousands; what is not known is a dash.

    >>> number(64183.5), number(None), number(641.8349999999999)
    ('64,183.5', '-', '641.835')
    """
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    places = 2 if abs(value) >= 10_000 else 4
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".")


def asked(order: Record) -> str:
    """An order in words."""
    prices = [
        f"{word} {number(float(order[name]))}"
        for name, word in (
            ("limit_price", "limit"),
            ("stop_price", "stop"),
            ("trail_amount", "trail"),
            ("trail_frac", "trail share"),
        )
        if order.get(name)
    ]
    legs = [
        f"{leg['role'].replace('_', ' ')} "
        f"{number(float(leg.get('limit_price') or leg.get('stop_price') or 0))}"
        for leg in order.get("legs", ())
    ]
    size = f"{order['side']} {number(float(order['quantity']))} {order['symbol']}"
    return ", ".join((f"{size} {order['order_type'].replace('_', ' ')}", *prices, *legs))


def _what(record: Record) -> Told:
    tell = _TOLD.get(record["kind"])
    if tell is not None:
        return tell(record)
    if record["kind"] in _FIXED:
        return _FIXED[record["kind"]]
    words = (f"{name} {value}" for name, value in record.items() if name not in _OURS and value)
    return ", ".join(words), ""


def _decision(record: Record) -> Told:
    order = record["order"]
    text = asked(order) if order else f"asked for {record.get('asked')}"
    return text, "bad" if record["refusal"] else ""


def _fill(record: Record) -> Told:
    units = f"{record['side']} {number(record['quantity'])} {record['symbol']}"
    gained = record["pnl"]
    result = f", result {gained:+,.2f}" if gained is not None else ""
    held = f", holding {number(record['position'])}"
    tone: Tone = "" if not gained else "gain" if gained > 0 else "loss"
    return f"filled: {units} at {number(record['price'])}{result}{held}", tone


def _order(record: Record) -> Told:
    tone: Tone = "bad" if record["status"] in ("Rejected", "Margin") else ""
    refused = f": {record['refusal']}" if record.get("refusal") else ""
    return f"order is {record['status'].lower()}{refused}", tone


def _trade(record: Record) -> Told:
    if record["status"] == "closed":
        tone: Tone = "gain" if record["pnl_net"] > 0 else "loss"
        return f"{record['side']} trade closed, net {record['pnl_net']:+,.2f}", tone
    units = f"{number(record['quantity'])} at {number(record['price'])}"
    return f"{record['side']} trade opened, {units}", ""


def _bars(record: Record) -> Told:
    closes = (f"{symbol} {number(bar[4])}" for symbol, bar in record["bars"].items())
    return f"close {', '.join(closes)}", ""


def _venue(record: Record) -> Told:
    bad = record["fact"] in ("Broken", "Mismatch") or record.get("status") == "rejected"
    words = (
        f"{name.replace('_', ' ')} {value}"
        for name, value in record.items()
        if value and name not in _OURS and not name.endswith(("_id", "_at"))
    )
    return ", ".join((f"venue: {record['fact'].lower()}", *words)), "bad" if bad else ""


def _halt(record: Record) -> Told:
    return f"halted: {record['refusal']['text']}", "watch"


def _shutdown(record: Record) -> Told:
    return f"shutdown ({record['trigger']}): {record['text']}", "watch"


def _session(record: Record) -> Told:
    return f"session of {record['strategy']} begins", ""


def _end(record: Record) -> Told:
    return f"session ends, {record['lines']:,} lines", ""


_TOLD: Mapping[str, Callable[[Record], Told]] = {
    "decision": _decision,
    "fill": _fill,
    "order": _order,
    "trade": _trade,
    "bars": _bars,
    "venue": _venue,
    "halt": _halt,
    "shutdown": _shutdown,
    "session": _session,
    "session_end": _end,
}
_FIXED: Mapping[str, Told] = {
    "cancel": ("cancel asked for", ""),
    "resume": ("resumed after a shutdown", "good"),
}


def _known(context: Record) -> Iterator[tuple[str, str]]:
    bar = context.get("bar")
    if bar:
        yield "close", number(bar["close"])
    for name, value in context.get("indicators", {}).items():
        yield name, number(value)
    if context:
        yield "position", number(context["position"])
        yield "cash", f"{context['cash']:,.2f}"
        yield "equity", f"{context['equity']:,.2f}"
