"""Results as a person reads them in a terminal, and as another program reads them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from analyzers.plain import plain
from backtest.result import RunResult
from strategies.registry import Parameter

UNKNOWN = "-"
SHOWN = 4  # symbols


def numbers(result: RunResult) -> Table:
    """The main numbers of a run."""
    facts = result.as_json()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for label, text in _rows(facts):
        table.add_row(label, text)
    return table


def title(result: RunResult) -> str:
    """What ran on what."""
    shown = ", ".join(result.symbols[:SHOWN])
    more = len(result.symbols) - SHOWN
    rest = f" and {more} more" if more > 0 else ""
    invented = any(passport.synthetic for passport in result.passports.values())
    remarks = " (synthetic prices)" * invented + " (PARTIAL)" * result.partial
    return f"{result.strategy} on {shown}{rest}{remarks}"


def _rows(facts: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    yield "period", f"{facts['start'][:10]} to {facts['end'][:10]}"
    yield "bars", f"{facts['bars']:,}"
    yield "final value", f"{facts['final_value']:,.2f}"
    yield "return", _share(facts["return"])
    yield "return a year", _share(facts["cagr"])
    yield "volatility a year", _share(facts["volatility"])
    yield "Sharpe ratio", _ratio(facts["sharpe"])
    yield "Sortino ratio", _ratio(facts["sortino"])
    yield "deepest drawdown", _share(facts["max_drawdown"])
    yield "orders", f"{facts['orders']:,}"
    yield "refused orders", f"{facts['refused']:,}"
    yield "trades", f"{facts['trades']:,}"
    yield "trades won", _share(facts["win_rate"])


def as_line(plain: Any) -> str:
    """One JSON object or array on one line; never NaN."""
    return json.dumps(plain, allow_nan=False)


def refusals(result: RunResult, log: Path | None) -> str | None:
    """How many orders were refused, the first one's reason, and where to read on; None if none."""
    refused = result.orders[result.orders["refusal"].notna()]
    if refused.empty:
        return None
    first = refused.iloc[0]
    where = f"see {log}" if log else "--out DIR writes a log that tells more"
    return (
        f"{len(refused)} of {len(result.orders)} orders were refused, the first one "
        f"({first['side']} {first['quantity']:g} {first['symbol']}, "
        f"{first['created_at']:%Y-%m-%d %H:%M}) by {first['refusal']}; {where}"
    )


def described(name: str, doc: str, parameters: Iterable[Parameter]) -> dict[str, Any]:
    """A strategy in plain values."""
    return {
        "name": name,
        "doc": doc,
        "parameters": [
            {
                "name": item.name,
                "default": plain(item.default),
                "type": getattr(item.type, "__name__", str(item.type)),
                "doc": item.doc,
            }
            for item in parameters
        ],
    }


def strategies_table(rows: Iterable[tuple[str, str, list[Parameter]]]) -> Table:
    """Every strategy with what it does and its parameters."""
    table = Table(box=None, pad_edge=False)
    for column in ("strategy", "parameters", "what it does"):
        table.add_column(column, overflow="fold")
    for name, doc, parameters in rows:
        shown = " ".join(f"{item.name}={item.default}" for item in parameters)
        table.add_row(name, shown, doc.partition("\n")[0])
    return table


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2%}"


def _ratio(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
