"""A run's figures as a person reads them: names, units, meanings, and the card in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzers import markup

if TYPE_CHECKING:
    from backtest.result import RunResult

UNKNOWN = "n/a"


@dataclass(frozen=True)
class Measure:
    """How one number of a run is shown.

    Args:
        name: its key in `RunResult.metrics` or `RunResult.as_json`.
        layout: a format specification for it.
        unit: what follows the number.
        meaning: its definition in one line.
    """

    name: str
    label: str
    layout: str
    unit: str
    meaning: str

    def text(self, result: RunResult) -> str:
        """The number with its unit, or that it is not determined."""
        value = {**result.as_json(), **result.metrics}.get(self.name)
        return UNKNOWN if value is None else f"{value:{self.layout}}{self.unit}"


MEASURES = (
    Measure("final_value", "Final value", ",.2f", "", "account at the end of the last bar"),
    Measure("cash", "Starting cash", ",.2f", "", "account before the first bar"),
    Measure("final_cash", "Final cash", ",.2f", "", "what of the final value was cash"),
    Measure("return", "Return", "+.2%", "", "final value over starting cash, less 1"),
    Measure("cagr", "CAGR", "+.2%", " a year", "compound growth a year"),
    Measure("volatility", "Volatility", ".2%", " a year", "deviation of the returns, annualised"),
    Measure("sharpe", "Sharpe ratio", ".2f", "", "mean over deviation of returns, annualised"),
    Measure("sortino", "Sortino ratio", ".2f", "", "mean over downside deviation, annualised"),
    Measure("max_drawdown", "Max drawdown", ".2%", "", "deepest fall below the highest value"),
    Measure("calmar", "Calmar ratio", ".2f", "", "CAGR over the size of the max drawdown"),
    Measure("time_under_water", "Under water", ".1%", " of bars", "ended below an earlier peak"),
    Measure("longest_under_water", "Longest under water", ",", " bars", "in one stretch"),
    Measure("exposure", "Exposure", ".1%", " of bars", "ended with a position"),
    Measure("trades", "Trades", ",", "", "round trips from flat to flat, open ones included"),
    Measure("open_trades", "Open trades", ",", "", "valued at the last close"),
    Measure("win_rate", "Win rate", ".1%", "", "closed trades with a net profit"),
    Measure("profit_factor", "Profit factor", ".2f", "", "profits over losses, closed, net"),
    Measure("expectancy", "Expectancy", "+,.2f", " a trade", "mean net result, closed"),
    Measure("orders", "Orders", ",", "", "each leg of a bracket is one"),
    Measure("fills", "Fills", ",", "", "executions"),
    Measure("refused", "Refused orders", ",", "", "by the guard"),
    Measure("bars", "Bars", ",", "", "times the strategy was shown new bars"),
    Measure("periods_per_year", "Bars a year", ",.0f", "", "used to annualise"),
)
ON_CARD = (
    "final_value", "return", "cagr", "max_drawdown", "sharpe", "sortino", "trades", "win_rate",
)  # fmt: skip


def title(result: RunResult) -> str:
    """Strategy, symbols and period in one line."""
    facts = result.as_json()
    symbols = ", ".join(result.symbols[:6]) or "no symbol"
    more = f" and {len(result.symbols) - 6} more" if len(result.symbols) > 6 else ""
    period = f"{facts['start'][:10]} to {facts['end'][:10]}" if facts["start"] else "no bars"
    return f"{result.strategy} on {symbols}{more}, {period}"


def warnings(result: RunResult) -> list[str]:
    """What a reader must know before believing a number."""
    found = []
    if result.partial:
        found.append("Partial: the run was interrupted, and everything here ends there.")
    if made := [key for key, passport in result.passports.items() if passport.synthetic]:
        whose = "all symbols" if len(made) == len(result.symbols) else ", ".join(made)
        found.append(f"Synthetic prices ({whose}): made by a random generator, not by a market.")
    if result.refusals:
        reasons = ", ".join(f"{rule} ({count})" for rule, count in result.refusals.items())
        found.append(f"The guard refused orders: {reasons}.")
    return found


def card(result: RunResult) -> str:
    """A small table for notebooks that takes the page's own colours."""
    shown = [(item.label, item.text(result)) for item in MEASURES if item.name in ON_CARD]
    return markup.card(title(result), markup.facts(shown), notes=warnings(result))
