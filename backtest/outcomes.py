"""What an evaluation of parameter sets leaves of each set: numbers, never a series."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.metrics import ROUNDING, returns, summary
from analyzers.overfit import BLOCKS, block_sums

Floats = npt.NDArray[np.float64]

METRICS: Final = (
    "final_value", "total_return", "sharpe", "sortino", "max_drawdown", "calmar", "trades",
    "win_rate", "exposure",
)  # fmt: skip
"""Numbers of `analyzers.metrics.summary` over the equity curve that `run` builds; NaN where it says
None. `total_return` is its `return`; `trades` counts round trips, those still open included."""

PRUNED: Final = "pruned after "
"""How the reason of a set begins that was given up on a part of the bars; it has not failed."""

_TOLD = ("sharpe", "sortino", "max_drawdown", "calmar", "win_rate", "exposure")


class Statistics(NamedTuple):
    """What overfitting statistics need of one series of returns; see `Outcomes`."""

    moments: Floats
    periods: int
    blocks: Floats


@dataclass(frozen=True)
class Outcomes:
    """N evaluated parameter sets, a row each.

    Args:
        metrics: METRICS by name, (N,); NaN where not determined and in failed rows.
        moments: (N, 4): mean, deviation (ddof 1), skew g3 and RAW kurtosis g4 (a normal
            distribution has 3) of the returns per period; g3 and g4 are m3 / m2 ** 1.5 and
            m4 / m2 ** 2 of the central moments, not corrected for bias. NaN where not determined.
        periods: (N,): how many returns, T; 0 in failed rows.
        blocks: (N, BLOCKS, 3): count, sum and sum of squares of the returns in each of BLOCKS equal
            blocks in order of time. A block has T // BLOCKS returns; the last T % BLOCKS returns
            are left out.
        failures: why a row has no numbers, by row: an error, or PRUNED.
    """

    metrics: dict[str, Floats]
    moments: Floats
    periods: npt.NDArray[np.int64]
    blocks: Floats
    failures: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.periods)

    @property
    def pruned(self) -> int:
        """How many rows were given up on a part of the bars."""
        return sum(reason.startswith(PRUNED) for reason in self.failures.values())


def concat(parts: Sequence[Outcomes]) -> Outcomes:
    """All rows in order; none for no parts."""
    if not parts:
        return _rows({name: [] for name in METRICS}, [])
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Outcomes(
        {name: np.concatenate([part.metrics[name] for part in parts]) for name in METRICS},
        np.concatenate([part.moments for part in parts]),
        np.concatenate([part.periods for part in parts]),
        np.concatenate([part.blocks for part in parts]),
        {
            int(start) + row: reason
            for start, part in zip(starts, parts, strict=False)
            for row, reason in part.failures.items()
        },
    )


def failed(reason: str) -> Outcomes:
    """The row of a set that could not be evaluated."""
    nothing = Statistics(np.full(4, np.nan), 0, np.zeros((BLOCKS, 3)))
    return _rows({name: [np.nan] for name in METRICS}, [nothing], {0: reason})


def of_run(equity: "pd.Series[float]", cash: float, trades: pd.DataFrame) -> Outcomes:
    """The row of a run in Cerebro.

    Args:
        equity: by aware UTC time of the periods' ends, as `analyzers.equity` gives it.
        cash: the starting capital.
        trades: as `analyzers.trades.Ledger` gives them.
    """
    told = summary(equity, cash, trades)
    measured = {
        "final_value": float(equity.iloc[-1]) if len(equity) else float(cash),
        "total_return": told["return"],
        "trades": len(trades),
        **{name: told[name] for name in _TOLD},
    }
    row = {name: [np.nan if (value := measured[name]) is None else value] for name in METRICS}
    return _rows(row, [from_returns(equity, cash)])


def from_returns(equity: "pd.Series[float]", cash: float) -> Statistics:
    """Moments, number and block sums of the returns of one equity curve."""
    return statistics_of(returns(np.asarray(equity, dtype=np.float64), cash))


def statistics_of(each: Floats) -> Statistics:
    """Moments, number and block sums of returns, oldest first."""
    return Statistics(_moments(each), len(each), block_sums(each))


def _moments(each: Floats) -> Floats:
    if not len(each):
        return np.full(4, np.nan)
    mean = each.mean()
    away = each - mean
    m2, m3, m4 = (np.mean(away**power) for power in (2, 3, 4))
    if len(each) < 2:
        return np.array([mean, np.nan, np.nan, np.nan])
    deviation = np.sqrt(m2 * len(each) / (len(each) - 1))
    if not deviation > ROUNDING:
        return np.array([mean, deviation, np.nan, np.nan])
    return np.array([mean, deviation, m3 / m2**1.5, m4 / m2**2])


def _rows(
    metrics: dict[str, list[float]],
    rows: Sequence[Statistics],
    failures: dict[int, str] | None = None,
) -> Outcomes:
    return Outcomes(
        {name: np.array(values, dtype=np.float64) for name, values in metrics.items()},
        np.array([row.moments for row in rows], dtype=np.float64).reshape(-1, 4),
        np.array([row.periods for row in rows], dtype=np.int64),
        np.array([row.blocks for row in rows], dtype=np.float64).reshape(-1, BLOCKS, 3),
        failures or {},
    )
