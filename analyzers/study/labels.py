"""What a model is to foretell: labels, when each is known, and how much of it is its own.

Prices have the shape (T, N), oldest first, gaps filled, NaN before a symbol's first bar and after
its last.

Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapters 3 and 4.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

UNKNOWN: Final = -1
"""The end of a label that is not known."""


@dataclass(frozen=True, eq=False)
class Labels:
    """A label for each row and symbol.

    Args:
        value: (T, N); NaN where it is not known.
        end: (T, N), the row at whose close the label is known; UNKNOWN where it never is.
        outcome: (T, N), simple return from the row's close to the end.
    """

    value: Floats
    end: Rows
    outcome: Floats

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where there is a label."""
        known: npt.NDArray[np.bool_] = self.end != UNKNOWN
        return known


def forward_return(close: Floats, horizon: int) -> Labels:
    """The return over the next `horizon` bars; not known where the symbol ends before.

    Raises:
        ValueError: the horizon is below one bar.
    """
    if horizon < 1:
        raise ValueError(f"a horizon of {horizon} bars: use one or more")
    rows = np.arange(len(close))[:, None]
    outcome = np.full(close.shape, np.nan)
    outcome[:-horizon] = close[horizon:] / close[:-horizon] - 1.0
    end = np.where(np.isnan(outcome), UNKNOWN, rows + horizon)
    return Labels(outcome.copy(), end, outcome)


def triple_barrier(
    high: Floats,
    low: Floats,
    close: Floats,
    width: Floats,
    *,
    take_profit: float = 1.0,
    stop_loss: float = 1.0,
    horizon: int = 20,
) -> Labels:
    """Which comes first: a gain (1), a loss (-1), or the end of the time (0).

    A bar that touches both counts as a loss, as a bracket whose stop is queued first. The outcome
    is the barrier's return, not a gap beyond it; at the end of the time it is the close's.

    Args:
        width: size of one unit of the horizontal barriers as a fraction, such as a volatility;
            NaN or not positive gives no label.
        take_profit, stop_loss: distances in units of `width`; 0 for no such barrier.
        horizon: bars until the time is over.

    Raises:
        ValueError: the horizon is below one bar, or a distance is negative.
    """
    if horizon < 1 or take_profit < 0 or stop_loss < 0:
        raise ValueError("barriers need a horizon of one bar or more and distances of 0 or more")
    value = np.full(close.shape, np.nan)
    outcome, end = value.copy(), np.full(close.shape, UNKNOWN, dtype=np.int64)
    reach = {
        1.0: close * (1 + take_profit * width) if take_profit else np.full(close.shape, np.inf),
        -1.0: close * (1 - stop_loss * width) if stop_loss else np.full(close.shape, -np.inf),
    }
    rows = np.arange(len(close))[:, None] + np.zeros_like(end)
    is_open = (width > 0) & ~np.isnan(close)
    for step in range(1, min(horizon, len(close) - 1) + 1):
        waiting = is_open[:-step]
        falls = waiting & (low[step:] <= reach[-1.0][:-step])
        rises = waiting & ~falls & (high[step:] >= reach[1.0][:-step])
        over = waiting & ~falls & ~rises & (step == horizon) & ~np.isnan(close[step:])
        moves = {-1.0: -stop_loss * width, 1.0: take_profit * width}
        for sign, hit in ((-1.0, falls), (1.0, rises)):
            value[:-step][hit], outcome[:-step][hit] = sign, moves[sign][:-step][hit]
        value[:-step][over] = 0.0
        outcome[:-step][over] = (close[step:] / close[:-step] - 1.0)[over]
        done = falls | rises | over
        end[:-step][done] = (rows[:-step] + step)[done]
        waiting &= ~done
    return Labels(value, end, outcome)


def meta_labels(side: Floats, primary: Labels) -> Labels:
    """Whether the side that another model took was right: 1 where it gained, else 0.

    Args:
        side: (T, N), 1 for long, -1 for short, 0 or NaN for none, which gives no label.
    """
    taken = primary.known & (np.abs(np.nan_to_num(side)) > 0)
    outcome = np.where(taken, np.sign(side) * primary.outcome, np.nan)
    value = np.where(taken, (outcome > 0).astype(np.float64), np.nan)
    return Labels(value, np.where(taken, primary.end, UNKNOWN), outcome)


def uniqueness(labels: Labels) -> Floats:
    """Sample weights, (T, N): the mean over a label's life of 1 / the labels alive, in 0..1.

    A label is alive on the bars whose returns it spans, after its row up to its end. NaN where
    there is none.
    """
    rows, columns = np.nonzero(labels.known)
    ends = labels.end[rows, columns]
    steps = np.zeros((len(labels.end) + 2, labels.end.shape[1]))
    np.add.at(steps, (rows + 1, columns), 1.0)
    np.add.at(steps, (ends + 1, columns), -1.0)
    alive = np.cumsum(steps, axis=0)
    share = np.divide(1.0, alive, out=np.zeros_like(alive), where=alive > 0.5)
    running = np.concatenate([np.zeros((1, share.shape[1])), np.cumsum(share, axis=0)])
    weights = np.full(labels.end.shape, np.nan)
    weights[rows, columns] = (running[ends + 1, columns] - running[rows + 1, columns]) / (
        ends - rows
    )
    return weights
