"""A session summed up from its log: orders, fills, trades, and what the fills cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from analyzers.chain import tail, verify
from analyzers.fill_cost import averages, fill_cost, matching_slippage_bps
from brokers.errors import DataError

SHOWN = 20  # fills
_COSTS = ("decision_price", "arrival_price", "fill_price", "model_price", "cost_bps",
          "slippage_bps")  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """What a log tells of its session.

    Args:
        facts: label and value, in the order in which they are shown.
        orders: id, strategy, what and why of every decision.
        costs: see `analyzers.fill_cost`.
    """

    facts: Mapping[str, Any]
    orders: tuple[tuple[str, str, str, str], ...]
    costs: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Plain values; null where the log does not tell."""
        rows = self.costs.assign(decided_at=self.costs["decided_at"].astype("str"))
        return {
            **{name: _plain(value) for name, value in self.facts.items()},
            "orders": [dict(zip(("id", "strategy", "order", "reason"), row, strict=True))
                       for row in self.orders],
            "fill_costs": [
                {str(name): _plain(value) for name, value in row.items()}
                for row in rows.to_dict("records")
            ],
        }  # fmt: skip

    def rendered(self) -> RenderableType:
        """The summary as a person reads it."""
        facts = Table(box=None, show_header=False, pad_edge=False)
        for name, value in self.facts.items():
            facts.add_row(name.replace("_", " "), _shown(value))
        return Group(facts, self._orders(), self._costs())

    def _orders(self) -> Table:
        table = Table(title=f"last {SHOWN} decisions", title_justify="left", box=None)
        for column in ("order", "strategy", "what", "why"):
            table.add_column(column, overflow="fold")
        for row in self.orders[-SHOWN:]:
            table.add_row(*row)
        return table

    def _costs(self) -> Table:
        table = Table(title=f"what the last {SHOWN} fills cost", title_justify="left", box=None)
        for column in ("order", "what", *(name.replace("_", " ") for name in _COSTS)):
            table.add_column(column, justify="left" if column in ("order", "what") else "right")
        for row in self.costs.tail(SHOWN).to_dict("records"):
            what = f"{row['side']} {row['quantity']:g} {row['symbol']}"
            table.add_row(row["order_id"][:8], what, *(_shown(row[name]) for name in _COSTS))
        return table


def of(log: Path) -> Summary:
    """Sum up a log.

    Raises:
        DataError: it cannot be read, or holds no session.
    """
    records = [record for record, _ in tail(log)]
    if not records or records[0]["kind"] != "session":
        raise DataError(f"{log}: holds no session: give the log of one")
    costs, verdict = fill_cost(log), verify(log)
    kinds = Counter(record["kind"] for record in records)
    decisions = [record for record in records if record["kind"] == "decision"]
    closed = [it for it in records if it["kind"] == "trade" and it["status"] == "closed"]
    sessions = [record for record in records if record["kind"] == "session"]
    facts = {
        "session": records[0]["run_id"],
        "strategies": ", ".join(session["strategy"] for session in sessions),
        "log": f"{verdict.state}, {verdict.lines} lines",
        "begun": records[0]["at"],
        "last_line": records[-1]["at"],
        "bars": kinds["bars"],
        "decisions": len(decisions),
        "refused": sum(1 for record in decisions if record["refusal"]),
        "fills": kinds["fill"],
        "trades_closed": len(closed),
        "pnl_net": float(sum(record["pnl_net"] for record in closed)),
        "commission": float(costs["commission"].sum()),
        "average_cost_bps": averages(costs)["cost_bps"],
        "slippage_that_would_have_matched_bps": matching_slippage_bps(costs),
        "ended": next((it["text"] for it in reversed(records) if it["kind"] == "shutdown"), "-"),
    }
    return Summary(facts, tuple(map(_decided, decisions)), costs)


def _decided(record: Mapping[str, Any]) -> tuple[str, str, str, str]:
    order = record["order"]
    what = f"{order['side']} {order['quantity']} {order['symbol']}" if order else "-"
    why = f"REFUSED: {record['refusal']['text']}" if record["refusal"] else None
    return (
        record["order_id"],
        record.get("strategy", "-"),
        what,
        why or record["agent_reasoning"],
    )


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "-" if isnan(value) else f"{value:,.4f}"
    return str(value)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value
