"""Bar frames as the steps that Cerebro makes of them, in arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analyzers.equity import instants
from analyzers.metrics import periods_per_year
from backtest.compiled.desk import Floats, Ints, Market
from brokers.errors import DataError
from feeds.bars import check_bars
from feeds.frames import bar_ends, to_num
from feeds.passport import KEY, passport_of
from strategies.panel import Bars


@dataclass(frozen=True)
class Course:
    """What all parameter sets run over.

    Args:
        names: of the feeds, in Cerebro's order.
        market: bars by step.
        own: each feed's own bars, as `strategies.panel` shows them to one feed's signals.
        steps: the step at which each of these bars comes.
        index: ends of the steps, aware UTC.
    """

    names: tuple[str, ...]
    market: Market
    own: tuple[Bars, ...]
    steps: tuple[Ints, ...]
    index: pd.DatetimeIndex

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame]) -> "Course":
        """The course of these frames.

        Raises:
            DataError: a frame is no bar frame, or two steps are too close to tell apart.
        """
        own, times = [], []
        for name, frame in frames.items():
            columns, ends = _columns_and_ends(frame, name)
            own.append(columns)
            times.append(to_num(ends))
        all_times = times[0] if len(times) == 1 else np.unique(np.concatenate(times))
        index = instants(all_times)
        if not index.is_unique or any((np.diff(stamps) <= 0).any() for stamps in times):
            raise DataError("bars: some end less than 20 us apart: merge them into longer ones")
        market, steps = _alone(own[0]) if len(own) == 1 else _merged(own, times, all_times)
        return cls(tuple(frames), market, tuple(own), steps, index)

    @property
    def year(self) -> float:
        """Periods a year; NaN for fewer than two."""
        return periods_per_year(self.index)

    @property
    def is_common(self) -> bool:
        """Whether all feeds have a bar at every step."""
        return all(len(steps) == len(self.index) for steps in self.steps)

    @property
    def together(self) -> Bars:
        """All feeds' bars by step, (S, N), as `strategies.panel` shows several; (S,) for one."""
        if len(self.own) == 1:
            return self.own[0]
        columns = zip(*self.own, strict=True)
        return Bars(*(_shown(list(each), self.market.bar).T.copy() for each in columns))


def _columns_and_ends(frame: pd.DataFrame, name: str) -> tuple[Bars, pd.DatetimeIndex]:
    bars = check_bars(frame, name)
    passport = bars.attrs.get(KEY) or passport_of(bars, name)
    return Bars(*np.array(bars.to_numpy().T, order="C")), bar_ends(bars, passport)


def _alone(bars: Bars) -> tuple[Market, tuple[Ints, ...]]:
    """One feed: its bars are the steps."""
    bar = np.arange(len(bars.close))
    opened, high, low, close, _ = (column[None] for column in bars)
    return Market(opened, high, low, close, bar[None], bar[None]), (bar,)


def _merged(
    own: list[Bars], times: list[Floats], all_times: Floats
) -> tuple[Market, tuple[Ints, ...]]:
    """Several feeds: a step wherever one of them has a bar."""
    counts = [np.searchsorted(stamps, all_times, side="right") for stamps in times]
    bar = np.stack(counts) - 1
    opened, high, low, close, _ = (_shown(list(columns), bar) for columns in zip(*own, strict=True))
    moved = np.diff(bar, axis=1, prepend=-1) != 0
    since = np.maximum.accumulate(np.where(moved, np.arange(bar.shape[1]), 0), axis=1)
    steps = tuple(np.searchsorted(all_times, stamps) for stamps in times)
    return Market(opened, high, low, close, bar, since), steps


def _shown(columns: list[Any], bar: Ints) -> Floats:
    """(N, S): each feed's last value at every step, NaN before its first."""
    padded = (np.concatenate((column, [np.nan])) for column in columns)
    return np.stack([values[places] for values, places in zip(padded, bar, strict=True)])
