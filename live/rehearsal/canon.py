"""The canonical log: what was decided and what came of it, by bar and ordinal.

Left out is what cannot be the same in two places: when a line was written, its number and hash,
the names of orders (they count from 1 in the order of their decisions, legs by their role), on
which bar a status was told, and everything that no strategy sees. The log of a backtest and that
of a session, restarted or not, give equal canonical logs if both did the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import orjson

Record = Mapping[str, Any]
Kind = Literal["decision", "cancel", "fill", "order"]

ASIDE = ("Submitted", "Partial")  # a step on the way, told in one half and perhaps not in the other
_MONEY = ("cash", "equity")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; lines of equal kind and key are compared.

    Args:
        bar: end of the bar, ISO 8601; empty for an order's statuses.
        key: what it is about, such as "order 3-sl".
        content: plain values.
    """

    kind: Kind
    bar: str
    key: str
    content: Record

    @property
    def text(self) -> bytes:
        """The line as bytes, for the hash."""
        content = [self.kind, self.bar, self.key, _alike(self.content)]
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True)
class Canon:
    """A canonical log.

    Args:
        acts: decisions and cancels in their order.
        fills: in their order.
        statuses: of each order, in the order of the decisions.
    """

    acts: tuple[Line, ...] = ()
    fills: tuple[Line, ...] = ()
    statuses: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of it."""
        return (*self.acts, *self.fills, *self.statuses)

    @property
    def orders(self) -> int:
        """How many orders were decided on, legs counted, refused ones too."""
        return len(self.statuses)

    def in_any_order(self) -> "Canon":
        """The same with the fills of a bar in the order of the decisions, and money to a millionth.

        For runs in which updates overtook each other or were made up for: sums of floats then
        differ in their last bits.
        """
        return replace(
            self,
            acts=tuple(_rounded(act) for act in self.acts),
            fills=tuple(sorted(self.fills, key=lambda fill: (fill.bar, _number(fill)))),
        )

    def by_order(self) -> "Canon":
        """The same with the fills of one order added up, for runs in which some came in parts."""
        totals: dict[str, Line] = {}
        alike = self.in_any_order()
        for fill in alike.fills:
            before = totals.get(fill.key)
            totals[fill.key] = fill if before is None else _joined(before, fill)
        return replace(alike, fills=tuple(_total(fill) for fill in totals.values()))


def canonical(
    records: Iterable[Record], last_bar: datetime, after: datetime | None = None
) -> Canon:
    """Read a decision log; lines of other kinds are passed over.

    Args:
        last_bar: its end; what became of orders that were decided on it, only one half can tell.
        after: the end of a warm-up, in which nothing that was decided counts.
    """
    begin = _instant(after.isoformat()) if after else ""
    reader = _Reader(_instant(last_bar.isoformat()), begin)
    for record in records:
        reader.read(record)
    return reader.canon


@dataclass
class _Reader:
    """A log on its way to its canonical form."""

    last: str
    begin: str = ""
    acts: list[Line] = field(default_factory=list)
    fills: list[Line] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    decided: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    cancelled: set[tuple[str, str]] = field(default_factory=set)
    turn: str = ""

    @property
    def canon(self) -> Canon:
        statuses = (
            Line("order", "", f"order {name}", {"statuses": self._lasting(name, told)})
            for name, told in self.told.items()
        )
        return Canon(tuple(self.acts), tuple(self.fills), tuple(statuses))

    def read(self, record: Record) -> None:
        kind = record["kind"]
        if kind == "bars":
            self.turn = _instant(record["at_bar"])
        elif kind == "decision":
            self._decision(record)
        elif kind == "cancel":
            self._cancel(record)
        elif kind == "fill":
            self._fill(record)
        elif kind == "order" and record["status"] not in ASIDE:
            name = self.names.get(record["order_id"] or "", "")
            if name:
                self.told[name].append(record["status"])

    def bar(self, record: Record) -> str:
        """The bar of a line: a session says it in a line before, a backtest in the line's time."""
        return self.turn or _instant(record["at"])

    def _cancel(self, record: Record) -> None:
        """One cancel a family and bar: what one leg's end does to the others, halves tell apart."""
        name = self.names.get(record["order_id"], "?")
        family, bar = name.partition("-")[0], self.bar(record)
        if (family, bar) not in self.cancelled:
            self.cancelled.add((family, bar))
            content = {"symbol": record["symbol"], "reason": record["agent_reasoning"]}
            self.acts.append(Line("cancel", bar, f"order {family}", content))

    def _decision(self, record: Record) -> None:
        number, order = str(len(self.names_of_entries) + 1), record["order"]
        context = record["market_context"]
        bar = _instant(context["bar"]["time"])
        if bar <= self.begin:
            return
        self.names[record["order_id"]] = number
        self.decided[number] = bar
        self.told[number] = []
        content: dict[str, Any] = {
            "reason": record["agent_reasoning"],
            "refusal": record["refusal"] and record["refusal"]["text"],
            **{name: context[name] for name in ("symbol", "indicators", "position", *_MONEY)},
            "prices": {n: v for n, v in context["bar"].items() if n != "time"},
        }
        if order is None:
            content["asked"] = record["asked"]
        else:
            legs = [dict(leg) for leg in order.get("legs", ())]
            for leg in legs:
                leg_id = leg.pop("client_order_id")
                name = number + leg_id.removeprefix(record["order_id"])
                self.names[leg_id], self.decided[name], self.told[name] = name, bar, []
            partner = order.get("oco_client_order_id")
            content["order"] = {
                **{n: v for n, v in order.items() if not n.endswith("client_order_id")},
                "legs": legs,
                "oco": partner and self.names.get(partner, "?"),
            }
        self.acts.append(Line("decision", bar, f"order {number}", content))

    @property
    def names_of_entries(self) -> list[str]:
        return [name for name in self.decided if "-" not in name]

    def _fill(self, record: Record) -> None:
        name = self.names.get(record["order_id"] or "", "?")
        words = ("symbol", "side", "quantity", "price", "commission", "pnl", "position")
        content = {word: record[word] for word in words}
        self.fills.append(Line("fill", _instant(record["filled_at"]), f"order {name}", content))

    def _lasting(self, name: str, told: list[str]) -> list[str]:
        """Statuses as told, but for what the last bar's decisions and cancels came to."""
        if self.decided.get(name) == self.last:
            return []
        is_cancelled = (name.partition("-")[0], self.last) in self.cancelled
        return [status for status in told if not (is_cancelled and status == "Canceled")]


def _joined(before: Line, fill: Line) -> Line:
    """Two fills of one order as one; its price is a list of all there were."""
    was, now = before.content, fill.content
    quantity = Decimal(str(was["quantity"])) + Decimal(str(now["quantity"]))
    prices = sorted({*_prices(was), *_prices(now)})
    return replace(fill, content={**now, "quantity": float(quantity), "price": prices})


def _total(fill: Line) -> Line:
    words = ("symbol", "side", "quantity", "position")
    content = {word: fill.content[word] for word in words} | {"price": _prices(fill.content)}
    return replace(fill, content=content)


def _prices(content: Record) -> list[float]:
    price = content["price"]
    return list(price) if isinstance(price, list) else [price]


def _rounded(act: Line) -> Line:
    money = {name: round(act.content[name], 6) for name in _MONEY if name in act.content}
    return replace(act, content={**act.content, **money})


def _number(line: Line) -> tuple[int, str]:
    """An order's place among the decisions, and a leg's role."""
    number, _, role = line.key.removeprefix("order ").partition("-")
    return (int(number) if number.isdecimal() else 0), role


def _instant(text: str) -> str:
    return text.replace("+00:00", "Z")


def _alike(value: Any) -> Any:
    """Equal numbers written alike: 1 and 1.0, 0.0 and -0.0."""
    if isinstance(value, Mapping):
        return {name: _alike(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_alike(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) + 0.0 if is_number else value
