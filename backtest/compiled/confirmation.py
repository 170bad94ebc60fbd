"""One set through the kernel with its fills, and held against Cerebro."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import isclose, isnan
from typing import Any

import numpy as np
import pandas as pd

from backtest.compiled import columns as col
from backtest.compiled.course import Course
from backtest.compiled.desk import Floats, Ints
from backtest.compiled.evaluation import Evaluation
from backtest.compiled.rooms import ORDERS_AT_WORK
from backtest.engine import execute
from backtest.outcomes import METRICS, Outcomes, of_run
from backtest.result import RunResult
from backtest.spec import RunSpec
from brokers.errors import DataError

TOLERANCE = 1e-9
NOISE = 1e-12
"""What a metric whose true value is zero may differ by."""


@dataclass(frozen=True)
class Fills:
    """Every fill of one run, in order.

    Args:
        bar: number of the feed's own bar.
        at: its end, aware UTC.
        symbol: the feed's name.
        size: signed units.
        price, commission: in the bars' currency.
        final_value: of the account.
    """

    bar: Ints
    at: pd.DatetimeIndex
    symbol: tuple[str, ...]
    size: Floats
    price: Floats
    commission: Floats
    final_value: float

    def __len__(self) -> int:
        return len(self.bar)


@dataclass(frozen=True)
class Confirmation:
    """A parameter set whose run in Cerebro was the same.

    Args:
        params: the set.
        fills: how many fills were compared.
        final_value: of both.
    """

    params: Mapping[str, Any]
    fills: int
    final_value: float


def fills_of(spec: RunSpec, frames: Mapping[str, pd.DataFrame], params: Mapping[str, Any]) -> Fills:
    """The fills of one parameter set, by the kernel.

    Raises:
        DataError: the kernel cannot hold this run.
        Exception: whatever the strategy raises.
    """
    with closing(Evaluation(spec, frames)) as evaluation:
        fills = noted_fills(evaluation, params)
    if isinstance(fills, str):
        raise DataError(f"{_told(params)}: {fills}: run it in Cerebro")
    return fills


def confirm(
    spec: RunSpec,
    frames: Mapping[str, pd.DataFrame],
    params_list: Sequence[Mapping[str, Any]],
) -> tuple[Confirmation, ...]:
    """Replay parameter sets in Cerebro, behind the guard.

    Fills and final value must be the same to the last bit, metrics within 1e-9 of each other
    (relative; 1e-12 about zero).

    Raises:
        DataError: one differs; the text names the set, the bar and both values.
    """
    with closing(Evaluation(spec, frames)) as evaluation:
        return tuple(_confirmed(evaluation, spec, frames, params) for params in params_list)


def _confirmed(
    evaluation: Evaluation,
    spec: RunSpec,
    frames: Mapping[str, pd.DataFrame],
    params: Mapping[str, Any],
) -> Confirmation:
    result = execute(replace(spec, params={**spec.params, **params}), frames)
    [outcomes] = evaluation.chunk([params], 0)
    if outcomes.failures:
        raise _differs(params, f"Cerebro runs it, the kernel says: {outcomes.failures[0]}")
    ours = noted_fills(evaluation, params)
    if isinstance(ours, Fills):  # else `chunk` has run it in Cerebro as well
        _compare_fills(params, ours, result.fills)
    _compare_metrics(params, outcomes, result, float(spec.cash))
    return Confirmation(dict(params), len(result.fills), result.final_value)


def noted_fills(evaluation: Evaluation, params: Mapping[str, Any]) -> Fills | str:
    """The kernel's fills, or why it has none."""
    evaluation.reader.clear()
    reading = evaluation.reader.read(params)
    tape, sets = reading.program.tape(), evaluation.sets_of(reading)
    room, count = evaluation.rooms.take(), 0
    try:
        for _ in range(2):  # to count the fills, then to note them
            noted = room.desk._replace(fills=np.zeros((count, col.FILL_COLUMNS)))
            enough = evaluation.room_for(room._replace(desk=noted), tape)
            evaluation.kernel.run_set(evaluation.setting, tape, sets, 0, enough)
            if fault := int(noted.counts[col.FAULT]):
                return FAULTS[fault]
            count = int(noted.counts[col.FILLS])
        return _as_fills(evaluation.course, noted.fills, float(room.equity[-1]))
    finally:
        evaluation.rooms.give(room)


FAULTS = {
    col.FULL: f"it has more than {ORDERS_AT_WORK} orders at work at a time",
    col.NOT_FINITE: "a target or a price is infinite",
    col.INEXACT: "a reversal of fractional units is not exact in floats",
    col.TOO_LARGE: "a position beyond 2 ** 53 units is not exact in floats",
}


def _as_fills(course: Course, table: Floats, final_value: float) -> Fills:
    bars, feeds = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    steps = np.array([course.steps[f][b] for f, b in zip(feeds, bars, strict=True)], np.int64)
    size, price, commission = (table[:, column].copy() for column in (2, 3, 4))
    symbols = tuple(course.names[feed] for feed in feeds)
    return Fills(bars, course.index[steps], symbols, size, price, commission, final_value)


def _compare_fills(params: Mapping[str, Any], ours: Fills, theirs: pd.DataFrame) -> None:
    columns = (theirs["at"], theirs["symbol"], theirs["quantity"], theirs["price"],
               theirs["commission"])  # fmt: skip
    expected = list(zip(*columns, strict=True))
    found = list(zip(ours.at, ours.symbol, ours.size, ours.price, ours.commission, strict=True))
    for number, (one, other) in enumerate(zip_longest(found, expected), 1):
        if one != other:
            told = f"the kernel has {_fill(one)}, Cerebro {_fill(other)}"
            raise _differs(params, f"fill {number}: {told}")


def _compare_metrics(
    params: Mapping[str, Any], outcomes: Outcomes, result: RunResult, cash: float
) -> None:
    theirs = of_run(result.equity, cash, result.trades)
    for name in METRICS:
        one, other = float(outcomes.metrics[name][0]), float(theirs.metrics[name][0])
        is_exact = name == "final_value"
        same = one == other if is_exact else isclose(one, other, rel_tol=TOLERANCE, abs_tol=NOISE)
        if not (same or (isnan(one) and isnan(other))):
            told = f"the kernel has {one!r}, Cerebro {other!r}"
            raise _differs(params, f"{name} at the last bar, {result.equity.index[-1]}: {told}")


def _fill(fill: tuple[Any, ...] | None) -> str:
    if fill is None:
        return "none"
    at, symbol, size, price, commission = fill
    return f"{size!r} {symbol} at {price!r} (commission {commission!r}) on the bar to {at}"


def _told(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in params.items()) or "no parameters"


def _differs(params: Mapping[str, Any], how: str) -> DataError:
    return DataError(
        f"{_told(params)}: the compiled run differs from Cerebro: {how}: please report it, and "
        "sweep with engine='cerebro'"
    )
