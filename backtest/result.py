"""What a run leaves behind: values, frames, pictures and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from analyzers.equity import EquityCurve
from analyzers.metrics import summary
from analyzers.trades import Ledger
from feeds.passport import Passport

if TYPE_CHECKING:
    from backtest.figures import Chart

Frames = Mapping[str, pd.DataFrame]

TOLD = (  # of the metrics, in `as_json`
    "return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "exposure",
    "win_rate", "profit_factor", "expectancy",
)  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class RunResult:
    """One run, complete, or partial when it was interrupted.

    Two results are equal when all but their bars are; those have their hash in the passports.

    Args:
        final_value: of the account at the last bar's end, in its currency.
        final_cash: what of it is cash.
        equity: value by aware UTC time of the bars' ends, see `analyzers.equity.EquityCurve`.
        orders, fills, trades, positions: see `analyzers.trades.Ledger`.
        metrics: see `analyzers.metrics.summary`; None for what is not determined.
        passports: of the bars, by symbol.
        config: the run as `RunSpec.as_dict` tells it.
        bars: the frames by symbol, for the figures; empty when the run had none.
        partial: the run was interrupted and all of the above ends there.
        analyses: what the caller's own analyzers found, by name; neither compared nor saved.
    """

    final_value: float
    final_cash: float
    equity: pd.Series[float]
    orders: pd.DataFrame
    fills: pd.DataFrame
    trades: pd.DataFrame
    positions: pd.DataFrame
    metrics: Mapping[str, float | int | None]
    passports: Mapping[str, Passport]
    config: Mapping[str, Any]
    bars: Frames = field(default_factory=dict)
    partial: bool = False
    analyses: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        curve: EquityCurve,
        ledger: Ledger,
        *,
        config: Mapping[str, Any],
        passports: Mapping[str, Passport | None],
        bars: Frames,
        partial: bool = False,
        analyses: Mapping[str, Any] | None = None,
    ) -> RunResult:
        """The result that the two analyzers saw; `config` must hold the starting `cash`."""
        equity, cash = curve.series(), curve.cash()
        trades = ledger.trades()
        start = float(config["cash"])
        return cls(
            final_value=float(equity.iloc[-1]) if len(equity) else start,
            final_cash=float(cash.iloc[-1]) if len(cash) else start,
            equity=equity,
            orders=ledger.orders(),
            fills=ledger.fills(),
            trades=trades,
            positions=ledger.positions(),
            metrics=summary(equity, start, trades),
            passports={name: known for name, known in passports.items() if known is not None},
            config=dict(config),
            bars=dict(bars),
            partial=partial,
            analyses=dict(analyses or {}),
        )

    @property
    def cash(self) -> float:
        """The starting capital."""
        return float(self.config["cash"])

    @property
    def strategy(self) -> str:
        """The strategy's name."""
        return str(self.config.get("strategy", "strategy"))

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order of the feeds."""
        return tuple(self.bars or self.passports)

    @property
    def span(self) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
        """Time of the first and of the last bar that the strategy saw, as their source has it.

        Feeds of Backtrader's own tell only the ends of their bars.
        """
        if not len(self.equity):
            return None, None
        shown = [frame.index[frame.index < self.equity.index[-1]] for frame in self.bars.values()]
        stamps = [index for index in shown if len(index)] or [self.equity.index]
        return min(index[0] for index in stamps), max(index[-1] for index in stamps)

    @property
    def refusals(self) -> dict[str, int]:
        """How many orders the guard refused, by the rule or field that its text begins with."""
        texts = self.orders["refusal"].dropna()
        return dict(Counter(text.partition(":")[0] for text in texts).most_common())

    def as_json(self) -> dict[str, Any]:
        """The run in one object of plain values, null for what is not determined, never NaN.

        ====================  ==========================================================
        final_value           account at the end of the last bar, in its currency
        cash, final_cash      cash before the first bar, cash after the last
        return                final_value / cash - 1
        cagr, volatility      a year, as fractions
        sharpe, sortino       annualised, above a rate of 0
        max_drawdown          deepest fall below the highest value so far, fraction <= 0
        calmar                cagr / abs(max_drawdown)
        exposure              share of bars (0..1) that end with a position
        win_rate              share (0..1) of the closed trades with a net profit
        profit_factor         profits / losses of the closed trades, net
        expectancy            mean net result of a closed trade, in the account's currency
        orders, fills         how many; each leg of a bracket is an order
        refused               how many of the orders the guard refused
        trades, open_trades   how many round trips, and how many of them were still open
        bars                  how many times the strategy was shown new bars
        start, end            start of the first and of the last bar, ISO 8601, UTC
        symbols               names of the feeds
        strategy, params      its name, its parameters
        partial               true when the run was interrupted
        passports             symbol -> the id of its bars
        ====================  ==========================================================
        """
        return {
            "final_value": _finite(self.final_value),
            "cash": self.cash,
            "final_cash": _finite(self.final_cash),
            **{name: _finite(self.metrics.get(name)) for name in TOLD},
            **self._counts(),
            "start": _iso(self.span[0]),
            "end": _iso(self.span[1]),
            "symbols": list(self.symbols),
            "strategy": self.strategy,
            "params": dict(self.config.get("params", {})),
            "partial": self.partial,
            "passports": {symbol: passport.id for symbol, passport in self.passports.items()},
        }

    def _counts(self) -> dict[str, int]:
        return {
            "orders": len(self.orders),
            "fills": len(self.fills),
            "refused": int(self.orders["refusal"].notna().sum()),
            "trades": len(self.trades),
            "open_trades": int(self.trades["open"].sum()),
            "bars": len(self.equity),
        }

    def figure(self, symbol: str | None = None) -> Chart:
        """Price with fills, equity against buy-and-hold, drawdown, as a matplotlib Figure.

        Args:
            symbol: the one to show the price of; None shows all, several rebased to 100.

        Raises:
            ConfigError: the run has no such symbol.
        """
        from backtest.figures import figure  # noqa: PLC0415  matplotlib is slow to import

        return figure(self, symbol)

    def report(self, path: str | Path) -> Path:
        """Write one HTML file that needs nothing else. Returns its path.

        Raises:
            ConfigError: it cannot be written there.
        """
        from backtest.report import write  # noqa: PLC0415  it imports matplotlib

        return write(self, Path(path))

    def save(self, folder: str | Path) -> Path:
        """Write result.json and a Parquet file a frame into `folder`. Returns the folder.

        Raises:
            ConfigError: it cannot be written there.
        """
        from backtest.archive import save  # noqa: PLC0415  it imports this module

        return save(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> RunResult:
        """The result that `save` wrote, equal to the last bit.

        Raises:
            DataError: nothing complete was saved there, or it was changed since.
        """
        from backtest.archive import load  # noqa: PLC0415  it imports this module

        return load(Path(folder))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RunResult):
            return NotImplemented
        frames = ("equity", "orders", "fills", "trades", "positions")
        values = ("final_value", "final_cash", "metrics", "passports", "config", "partial")
        return all(getattr(self, name) == getattr(other, name) for name in values) and all(
            getattr(self, name).equals(getattr(other, name)) for name in frames
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]  # frames have none

    def __repr__(self) -> str:
        facts = self.as_json()
        period = f"{facts['start'][:10]} to {facts['end'][:10]}" if facts["start"] else "no bars"
        gain = "" if facts["return"] is None else f" ({facts['return']:+.2%})"
        return (
            f"RunResult({self.strategy} on {_few(self.symbols)}, {period}: "
            f"{self.cash:,.2f} -> {self.final_value:,.2f}{gain}, {facts['trades']} trades"
            f"{', PARTIAL' if self.partial else ''})"
        )

    def _repr_html_(self) -> str:
        from backtest.cards import card  # noqa: PLC0415  for notebooks alone

        return card(self)


def _iso(instant: pd.Timestamp | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _finite(value: float | None) -> float | int | None:
    return value if value is not None and isfinite(value) else None


def _few(symbols: tuple[str, ...]) -> str:
    shown = ", ".join(symbols[:3]) or "no symbol"
    return shown if len(symbols) <= 3 else f"{shown} and {len(symbols) - 3} more"
