"""Performance in numbers: pure functions on arrays.

`equity` is the account's value at the end of each period, oldest first, shape (T,), in its
currency; `cash` is the starting capital, the value before the first period. Returns are simple
and per period. What the data do not determine is NaN, never zero; `summary` says None for it.

Source: shared definitions of Sharpe (1994), Sortino and Price (1994), Young (1991, Calmar).
"""

from collections.abc import Iterable
from math import isfinite, nan, sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

SESSIONS_A_YEAR = 252.0
WEEKS_A_YEAR = 52.0
MONTHS_A_YEAR = 12.0
DAY_NS = 86_400_000_000_000
# Quotients near 1 carry errors of this size: a deviation below it is no deviation.
ROUNDING = 1e-15
ENDS = ("entry_at", "exit_at")


def returns(equity: Floats, cash: float) -> Floats:
    """Return of each period, shape (T,); the first is against `cash`.

    NaN after the equity was zero or negative, where no return is defined.

    >>> returns(np.array([110.0, 99.0]), 100.0).round(12).tolist()
    [0.1, -0.1]
    """
    before = np.concatenate(([cash], equity[:-1]))[: len(equity)]
    quotients = np.full(len(equity), nan)
    np.divide(equity, before, out=quotients, where=before > 0)
    return quotients - 1.0


def sharpe(returns: Floats, periods_per_year: float, rf: float = 0.0) -> float:
    """Annualised mean over sample deviation (ddof 1) of the returns above `rf` a period.

    NaN for fewer than two returns and for returns that do not vary.
    """
    if len(returns) < 2:
        return nan
    excess = returns - rf
    deviation = float(np.std(excess, ddof=1))
    if deviation <= ROUNDING:
        return nan
    return sqrt(periods_per_year) * float(np.mean(excess)) / deviation


def sortino(returns: Floats, periods_per_year: float, mar: float = 0.0) -> float:
    """Annualised mean over downside deviation, both against `mar` a period.

    The downside is divided by all T periods, not by the losing ones. NaN for no returns, and when
    no return lies below `mar`.
    """
    if not len(returns):
        return nan
    excess = returns - mar
    downside = float(np.sqrt(np.mean(np.minimum(excess, 0.0) ** 2)))
    if downside <= ROUNDING:
        return nan
    return sqrt(periods_per_year) * float(np.mean(excess)) / downside


def volatility(returns: Floats, periods_per_year: float) -> float:
    """Annualised sample deviation (ddof 1) as a fraction; NaN for fewer than two returns."""
    if len(returns) < 2:
        return nan
    return sqrt(periods_per_year) * float(np.std(returns, ddof=1))


def drawdowns(equity: Floats, cash: float) -> Floats:
    """Distance below the highest value so far, shape (T,), fractions <= 0.

    The starting capital is the first peak.

    >>> drawdowns(np.array([90.0, 120.0, 60.0]), 100.0).round(12).tolist()
    [-0.1, 0.0, -0.5]
    """
    return equity / np.maximum(np.maximum.accumulate(equity), cash) - 1.0


def max_drawdown(equity: Floats, cash: float) -> float:
    """The deepest drawdown as a fraction <= 0; 0.0 if there was none, NaN for no equity."""
    return float(np.min(drawdowns(equity, cash))) if len(equity) else nan


def time_under_water(equity: Floats, cash: float) -> float:
    """Share of periods (0..1) that end below an earlier peak; NaN for no equity."""
    return float(np.mean(drawdowns(equity, cash) < 0.0)) if len(equity) else nan


def longest_under_water(equity: Floats, cash: float) -> int:
    """The longest run of periods that end below an earlier peak, recovered or not."""
    under = np.concatenate(([False], drawdowns(equity, cash) < 0.0, [False]))
    edges = np.flatnonzero(np.diff(under))
    return int(np.max(edges[1::2] - edges[::2])) if len(edges) else 0


def cagr(equity: Floats, cash: float, periods_per_year: float) -> float:
    """Compound growth a year as a fraction: (V_T / cash) ** (periods_per_year / T) - 1.

    NaN for no equity and for a negative end value; -1 when all is lost. A run much shorter than a
    year makes it huge; beyond what a float holds it is infinite.
    """
    if not len(equity) or equity[-1] < 0:
        return nan
    with np.errstate(over="ignore"):
        growth = np.float64(equity[-1] / cash) ** (periods_per_year / len(equity))
    return float(growth) - 1.0


def calmar(equity: Floats, cash: float, periods_per_year: float) -> float:
    """CAGR over the size of the deepest drawdown; NaN when there was none."""
    depth = abs(max_drawdown(equity, cash))
    return cagr(equity, cash, periods_per_year) / depth if depth > 0 else nan


def exposure(
    index: pd.DatetimeIndex, entry_at: pd.DatetimeIndex, exit_at: pd.DatetimeIndex
) -> float:
    """Share of periods (0..1) that end with a position in any symbol; NaN for no period.

    Args:
        index: the ends of the periods, increasing.
        entry_at, exit_at: of each trade, in one order; NaT as exit means still open.
    """
    if not len(index):
        return nan
    steps = np.zeros(len(index) + 1, dtype=np.int64)
    np.add.at(steps, index.searchsorted(entry_at), 1)
    closed = exit_at.dropna()
    np.add.at(steps, index.searchsorted(closed), -1)
    return float(np.mean(np.cumsum(steps[:-1]) > 0))


def win_rate(pnl: Floats) -> float:
    """Share of trades (0..1) with a net profit above zero; NaN for no trade."""
    return float(np.mean(pnl > 0)) if len(pnl) else nan


def profit_factor(pnl: Floats) -> float:
    """Sum of the profits over the size of the sum of the losses; NaN without a loss."""
    losses = -float(np.sum(pnl[pnl < 0]))
    return float(np.sum(pnl[pnl > 0])) / losses if losses > 0 else nan


def expectancy(pnl: Floats) -> float:
    """Mean result of a trade in the account's currency; NaN for no trade."""
    return float(np.mean(pnl)) if len(pnl) else nan


def periods_per_year(index: pd.DatetimeIndex, sessions_per_year: float = SESSIONS_A_YEAR) -> float:
    """How many of these periods make a year, from how they are spaced.

    The median spacing decides: above 20 days 12, above 5 days 52, from half a day on
    `sessions_per_year`, below that `sessions_per_year` times the median count of periods on one
    calendar day (UTC) that has any. NaN for fewer than two periods.

    Args:
        index: the ends of the periods, aware UTC, increasing.
        sessions_per_year: 252 for exchanges; 365 for markets that never close.
    """
    if len(index) < 2:
        return nan
    instants = index.as_unit("ns").asi8
    spacing = pd.Timedelta(np.median(np.diff(instants)), unit="ns")
    if spacing > pd.Timedelta(days=20):
        return MONTHS_A_YEAR
    if spacing > pd.Timedelta(days=5):
        return WEEKS_A_YEAR
    if spacing >= pd.Timedelta(hours=12):
        return sessions_per_year
    _, counts = np.unique(instants // DAY_NS, return_counts=True)
    return sessions_per_year * float(np.median(counts))


def summary(
    equity: "pd.Series[float]",
    cash: float,
    trades: pd.DataFrame,
    sessions_per_year: float = SESSIONS_A_YEAR,
) -> dict[str, float | int | None]:
    """All metrics of a run; None for what the data do not determine.

    Args:
        equity: by aware UTC time of the periods' ends.
        trades: as `analyzers.trades.Ledger` gives them; win rate, profit factor and expectancy
            are over the closed ones, net of commission.
    """
    values = np.asarray(equity, dtype=np.float64)
    index = pd.DatetimeIndex(equity.index)
    each = returns(values, cash)
    a_year = periods_per_year(index, sessions_per_year)
    closed = np.asarray(trades.loc[~trades["open"], "pnl_net"], dtype=np.float64)
    measured = {
        "return": values[-1] / cash - 1.0 if len(values) else nan,
        "cagr": cagr(values, cash, a_year),
        "volatility": volatility(each, a_year),
        "sharpe": sharpe(each, a_year),
        "sortino": sortino(each, a_year),
        "max_drawdown": max_drawdown(values, cash),
        "calmar": calmar(values, cash, a_year),
        "time_under_water": time_under_water(values, cash),
        "exposure": exposure(index, *(pd.DatetimeIndex(trades[at]) for at in ENDS)),
        "win_rate": win_rate(closed),
        "profit_factor": profit_factor(closed),
        "expectancy": expectancy(closed),
        "periods_per_year": a_year,
    }
    counted = {
        "longest_under_water": longest_under_water(values, cash),
        "closed_trades": len(closed),
        "open_trades": len(trades) - len(closed),
    }
    return _none_for_nan(measured.items()) | counted


def _none_for_nan(items: Iterable[tuple[str, float]]) -> dict[str, float | int | None]:
    return {name: float(value) if isfinite(value) else None for name, value in items}
