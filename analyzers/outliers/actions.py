"""Splits and dividends: what earlier prices and volumes are in the shares of the screened day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import DataError
from feeds.actions import Action

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Factors:
    """What to multiply with, (D, N): prices by `price`, volumes by `share`."""

    price: Floats
    share: Floats


def factors(
    actions: Iterable[Action],
    day: date,
    dates: pd.DatetimeIndex,
    close: Floats,
    names: tuple[Sequence[str], Sequence[str]],
) -> Factors:
    """Bring bars before `day` into its shares, as far as their source has not done so.

    Args:
        dates: naive, of the rows, before `day`.
        close: (D, N), as they came.
        names: the symbols, and the adjustment of each (split and total know their splits, total
            its dividends too).

    Raises:
        DataError: a dividend is as large as the price.
    """
    symbols, adjustments = names
    price, share = np.ones(close.shape), np.ones(close.shape)
    place = {symbol: number for number, symbol in enumerate(symbols)}
    for action in sorted(actions, key=lambda one: (one.symbol, one.ex_date)):
        number = place.get(action.symbol)
        if number is None or action.ex_date > day:
            continue
        before = slice(0, int(dates.searchsorted(pd.Timestamp(action.ex_date))))
        if adjustments[number] not in {"split", "total"}:
            price[before, number] /= action.split
            share[before, number] *= action.split
        if action.dividend and adjustments[number] != "total":
            price[before, number] *= _less(action, close[before, number])
    return Factors(price, share)


def _less(action: Action, closes: Floats) -> float:
    known = closes[~np.isnan(closes)]
    if not len(known):
        return 1.0
    if action.dividend >= known[-1]:
        raise DataError(
            f"{action.symbol}: the dividend of {action.dividend:g} on {action.ex_date} is no "
            f"smaller than the close of {known[-1]:g} before it: mend one of them"
        )
    return float(1.0 - action.dividend / known[-1])
