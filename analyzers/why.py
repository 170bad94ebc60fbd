"""Why an order exists and what became of it: from the decision log alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzers.chain import tail
from brokers.errors import DataError

LEGS = ("-tp", "-sl")
ROLES = {"-tp": "take profit", "-sl": "stop loss"}
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """One order: its decision, then every line of the log that speaks of it or of its legs.

    Args:
        order_id: as asked for; a leg's names its role.
        decision: the line that decided it, of the entry for a leg.
        events: cancels, states, fills and refusals, in the log's order.
    """

    order_id: str
    decision: Record
    events: tuple[Record, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "order_id": self.order_id,
            "decision": self.decision,
            "events": list(self.events),
        }

    def lines(self) -> list[str]:
        """The story as a person reads it; times are UTC and name the end of a bar."""
        decision, context = self.decision, self.decision["market_context"]
        told = [
            f"order {self.order_id}{self._part}",
            _line("decided", f"{_moment(context)} by {decision.get('strategy', 'the strategy')}"),
            _line("because", decision["agent_reasoning"]),
            _line("asked for", _asked(decision)),
            *_seen(context),
        ]
        if decision["refusal"]:
            told.append(_line("REFUSED", decision["refusal"]["text"]))
        return told + [_line(str(event["at"])[:19], _told(event)) for event in self.events]

    @property
    def _part(self) -> str:
        entry, role = entry_of(self.order_id)
        return f" ({role} of {entry})" if role else ""


def why(log: str | Path, order_id: str) -> Story:
    """Find one order's story.

    Args:
        order_id: a client order id, an entry's or a leg's; its beginning is enough if unambiguous.

    Raises:
        DataError: the log cannot be read, or has no such order, or more than one.
    """
    records = [record for record, _ in tail(log)]
    decisions = {record["order_id"]: record for record in records if record["kind"] == "decision"}
    entry, role = entry_of(order_id)
    found = [known for known in decisions if known.startswith(entry)] if entry else []
    if len(found) != 1:
        raise DataError(f"{log}: {_not_found(order_id, found)}")
    full = found[0] + next((leg for leg in LEGS if role and order_id.endswith(leg)), "")
    spoken = (full,) if role else (full, *(full + leg for leg in LEGS))
    events = [
        record
        for record in records
        if record["kind"] in ("cancel", "order", "fill", "venue")
        and record.get("order_id") in spoken
    ]
    return Story(full, decisions[found[0]], tuple(events))


def entry_of(order_id: str) -> tuple[str, str]:
    """The entry behind an id, and its role; "" for an entry itself.

    >>> entry_of("4f2a-sl")
    ('4f2a', 'stop loss')
    """
    for suffix, role in ROLES.items():
        if order_id.endswith(suffix):
            return order_id.removesuffix(suffix), role
    return order_id, ""


def _not_found(order_id: str, found: list[str]) -> str:
    if found:
        return f"{order_id} is the beginning of {len(found)} orders: give more of it"
    return f"no order {order_id}: `python -m live report` lists the orders of a log"


def _asked(decision: Record) -> str:
    order = decision["order"]
    if order is None:
        return str(decision.get("asked"))
    price = order.get("limit_price") or order.get("stop_price")
    legs = "".join(
        f", {leg['role'].replace('_', ' ')} {leg.get('limit_price') or leg.get('stop_price')}"
        for leg in order.get("legs", ())
    )
    at = f" at {price}" if price else ""
    return (
        f"{order['side']} {order['quantity']} {order['symbol']} "
        f"{order['order_type'].replace('_', ' ')}{at}{legs}"
    )


def _seen(context: Record) -> Iterable[str]:
    bar = context["bar"]
    if bar:
        prices = " ".join(f"{name} {bar[name]:g}" for name in ("open", "high", "low", "close"))
        yield _line("bar", prices)
    for name, value in context["indicators"].items():
        yield _line(name, "not yet" if value is None else f"{value:g}")
    yield _line("held", f"{context['position']:g}")
    yield _line("cash", f"{context['cash']:,.2f} of equity {context['equity']:,.2f}")


def _moment(context: Record) -> str:
    return str(context["bar"]["time"])[:19] if context["bar"] else "before the first bar"


def _told(event: Record) -> str:
    kind, leg = event["kind"], ROLES.get(event["order_id"][-3:], "")
    whose = f"{leg}: " if leg else ""
    if kind == "fill":
        price = f"{event['side']} {event['quantity']:g} at {event['price']:g}"
        return f"{whose}filled: {price}, holding {event['position']:g} after it"
    if kind == "cancel":
        return f"{whose}cancel asked for: {event['agent_reasoning']}"
    if kind == "venue":
        return f"{whose}the venue says {event['fact']}: {_facts(event)}"
    return f"{whose}{event['status']}" + (f": {event['refusal']}" if event.get("refusal") else "")


def _facts(event: Record) -> str:
    own = ("v", "seq", "at", "run_id", "kind", "hash", "fact", "order_id", "strategy")
    return ", ".join(
        f"{name} {value}" for name, value in event.items() if name not in own and value
    )


def _line(label: str, text: str) -> str:
    return f"  {label:20}{text}"
