"""What makes one doubt bars: moves like a split that nobody has adjusted for."""

import numpy as np

from analyzers.columns import Columns

JUMP = 1.8  # a split of 2 for 1, less an ordinary day's move
ADJUSTED = frozenset({"split", "total", "all"})


def doubts(bars: Columns) -> dict[str, str]:
    """Symbol -> the last such move, where no passport says that splits are adjusted for.

    Nothing is changed: a move may be real.
    """
    close = bars.shown_last().close
    ratio = np.full(close.shape, np.nan)
    np.divide(close[1:], close[:-1], out=ratio[1:], where=close[:-1] > 0)
    moved = (ratio >= JUMP) | (ratio <= 1 / JUMP)
    told: dict[str, str] = {}
    for column in np.flatnonzero(moved.any(axis=0)).tolist():
        symbol = bars.symbols[column]
        passport = bars.passports.get(symbol)
        if passport is not None and passport.adjustment in ADJUSTED:
            continue
        row = int(np.flatnonzero(moved[:, column])[-1])
        told[symbol] = (
            f"its close of {bars.index[row]:%Y-%m-%d} is {ratio[row, column]:.3g} times the one "
            "before, like a split, and its source does not say that splits are adjusted for"
        )
    return told
