"""The arrays that one simulated run lives in; what numba compiles reads and writes nothing else.

Orders stand in the order in which BackBroker would try them:
those at work, then those submitted on this bar. NaN is a price or a wish that is not there.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backtest.compiled import columns as col
from brokers.fills import Commission, Slippage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Market(NamedTuple):
    """Bars by step, (N feeds, S steps); a step is a time at which some feed has a bar.

    Args:
        bar: the number of each feed's current bar; -1 before its first.
        since: the step at which that bar came.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    bar: Ints
    since: Ints


class Terms(NamedTuple):
    """What is the same for all parameter sets.

    Args:
        stake: units; NaN: `percent` of equity.
        percent: 0..100.
        is_weight: targets are shares of equity, not stakes.
        through_zero: see strategies.base.
    """

    cash: float
    commission: Commission
    slippage: Slippage
    stake: float
    percent: float
    is_weight: bool
    through_zero: bool


class Asked(NamedTuple):
    """An order as it is submitted; see the columns of `Desk.orders`."""

    kind: int
    size: float
    price: float
    role: float
    family: float
    group: float


class Desk(NamedTuple):
    """One run's state; see the columns above."""

    orders: Floats
    feeds: Floats
    queues: Ints
    counts: Ints
    money: Floats
    held_changes: Ints  # of the number of open round trips, by step
    fills: Floats


def clear(desk: Desk, cash: float) -> None:
    """Begin a run."""
    desk.feeds[:] = 0.0
    desk.feeds[:, col.TERMS : col.TERMS + col.OUTPUTS] = np.nan
    desk.feeds[:, col.EXIT_TERMS : col.EXIT_TERMS + 2] = np.nan
    desk.counts[:] = 0
    desk.held_changes[:] = 0
    desk.money[:] = cash
