"""Many parameter sets through the kernel, chunk by chunk."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from math import nan
from threading import local
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from backtest.compiled import columns as col
from backtest.compiled.course import Course
from backtest.compiled.desk import Terms, new_desk
from backtest.compiled.kernel import kernel
from backtest.compiled.reading import Reader, Reading
from backtest.compiled.simulate import Room, Rows, Setting
from backtest.compiled.tape import BLOCK, Registers, Sets
from backtest.compiled.tracing import Program
from backtest.engine import execute
from backtest.outcomes import BLOCKS, METRICS, Outcomes, failed, of_run
from backtest.spec import RunSpec
from brokers.errors import SeawallError
from brokers.fills import Commission, Slippage

CHUNK_BYTES = 1 << 26
CHUNK_SETS = 4096
CHUNK_BARS = 200_000_000  # of all sets of a chunk: about a second's work
PIECE_BARS = 250_000  # of all sets that a thread takes at a time
ORDERS_AT_WORK = 64

Params = Mapping[str, Any]


def evaluate(
    spec: RunSpec,
    frames: Mapping[str, pd.DataFrame],
    sets: Sequence[Params],
    *,
    jobs: int = -1,
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[tuple[range, Outcomes]]:
    """Run every parameter set; see `reason_not_compilable` for what must hold.

    Args:
        spec: the run; a set's parameters go before its own.
        frames: the bars by symbol.
        sets: parameters by name.
        jobs: threads; -1 for one a processor.
        chunk_bytes: about how much memory indicators may take at a time.

    Yields:
        Chunks in order: which sets, and their outcomes. A set that fails has its reason there.

    Raises:
        DataError: a frame is no bar frame.
    """
    course = Course.of(frames)
    count = len(os.sched_getaffinity(0)) if jobs < 1 else jobs
    with ThreadPoolExecutor(count) if count > 1 else nullcontext() as pool:
        evaluation = Evaluation(spec, frames, course, chunk_bytes, pool)
        start = 0
        while start < len(sets):
            outcomes = evaluation.chunk(sets, start)
            yield range(start, start + len(outcomes)), outcomes
            start += len(outcomes)


def setting_of(spec: RunSpec, course: Course) -> Setting:
    """What the kernel must know of a run beside its parameters."""
    frac = spec.slippage_bps / 10_000
    strategy: Any = spec.strategy_class
    units = spec.size if isinstance(spec.size, int | float) else 1.0
    percent = spec.equity_percent
    terms = Terms(
        float(spec.cash),
        Commission(float(spec.commission), False),
        Slippage(float(frac), 0.0, bool(frac), True, True, False),
        nan if percent is not None else abs(float(units)),
        nan if percent is None else float(percent),
        strategy.unit == "weight",
        bool(strategy.through_zero),
    )
    return Setting(course.market, terms, float(course.year))


class Evaluation:
    """One strategy over one course, for as many sets as come."""

    def __init__(
        self,
        spec: RunSpec,
        frames: Mapping[str, pd.DataFrame],
        course: Course,
        chunk_bytes: int = CHUNK_BYTES,
        pool: Executor | None = None,
    ) -> None:
        self.kernel: SimpleNamespace = kernel()
        self.setting = setting_of(spec, course)
        self.reader = Reader(spec, course, self.kernel, chunk_bytes)
        self._spec, self._frames, self._pool = spec, frames, pool
        self._steps, self._feeds = len(course.index), len(course.names)
        bars = self._steps * self._feeds
        self._piece = min(max(PIECE_BARS // bars, 1), 256)
        self._most = min(max(CHUNK_BARS // bars, 16), CHUNK_SETS)
        self._rooms = local()

    def chunk(self, sets: Sequence[Params], start: int) -> Outcomes:
        """As many sets from `start` on as fit, at least one."""
        self.reader.clear()
        waiting: dict[Program, list[tuple[int, Reading]]] = {}
        sent: list[tuple[list[int], Any]] = []
        failures: dict[int, str] = {}
        place = start
        while place < min(start + self._most, len(sets)):
            if place > start and self.reader.is_full:
                break
            try:
                reading = self.reader.read(sets[place])
            except Exception as error:  # noqa: BLE001  a strategy may raise anything
                failures[place - start] = _reason(error)
            else:
                group = waiting.setdefault(reading.program, [])
                group.append((place - start, reading))
                if len(group) == self._piece:
                    sent.append(self._send(waiting.pop(reading.program)))
            place += 1
        sent += [self._send(group) for group in waiting.values()]
        return self._collected(sets[start:place], sent, failures)

    def room(self, readings: Sequence[Reading], orders: int = ORDERS_AT_WORK) -> Room:
        """A thread's room, with registers for what these readings have in common."""
        rooms: dict[int, Any] = self._rooms.__dict__.setdefault("by_orders", {})
        if orders not in rooms:
            steps, feeds = self._steps, self._feeds
            wishes = np.empty((steps + 1, col.OUTPUTS, feeds))
            wishes[-1] = nan
            desk = new_desk(feeds, steps, orders, 0)
            rooms[orders] = desk, wishes, np.empty(steps, np.int64), np.empty((2, steps + 1))
        desk, wishes, events, floats = rooms[orders]
        program = readings[0].program
        operations = len(program.code) // 4
        values = np.empty((program.numbers + operations, BLOCK))
        registers = Registers(values, np.empty((operations, 2)), wishes, events)
        return Room(desk, registers, floats[0], floats[1, :-1])

    def sets_of(self, readings: Sequence[Reading]) -> Sets:
        """Readings of one program in the kernel's arrays."""
        return Sets(
            np.array([reading.rows for reading in readings], np.int64).reshape(len(readings), -1),
            np.array([reading.numbers for reading in readings], np.float64).reshape(
                len(readings), -1
            ),
            self.reader.library.table,
        )

    def _send(self, group: list[tuple[int, Reading]]) -> tuple[list[int], Any]:
        readings = [reading for _, reading in group]
        places = [place for place, _ in group]
        if self._pool is None:
            return places, self._run(readings)
        return places, self._pool.submit(self._run, readings)

    def _run(self, readings: list[Reading], orders: int = ORDERS_AT_WORK) -> Rows:
        rows, count = rows_for(len(readings)), len(readings)
        room = self.room(readings, orders)
        tape = readings[0].program.tape()
        self.kernel.run_sets(self.setting, tape, self.sets_of(readings), 0, count, room, rows)
        return rows

    def _collected(
        self, sets: Sequence[Params], sent: list[tuple[list[int], Any]], failures: dict[int, str]
    ) -> Outcomes:
        rows = rows_for(len(sets))
        for places, running in sent:
            done = running.result() if isinstance(running, Future) else running
            for whole, part in zip(rows, done, strict=True):
                whole[places] = part
        periods = np.full(len(sets), self._steps, np.int64)
        periods[list(failures)] = 0
        metrics = {name: rows.metrics[:, k].copy() for k, name in enumerate(METRICS)}
        outcomes = Outcomes(metrics, rows.moments, periods, rows.blocks, failures)
        for row in np.flatnonzero(rows.faults).tolist():
            _replace(outcomes, row, self._in_cerebro(sets[row]))
        return outcomes

    def _in_cerebro(self, params: Params) -> Outcomes:
        """What the kernel cannot hold: the run itself, or why there is none."""
        run = replace(self._spec, params={**self._spec.params, **params})
        try:
            result = execute(run, self._frames)
        except Exception as error:  # noqa: BLE001  a strategy may raise anything
            return failed(_reason(error))
        return of_run(result.equity, float(self._spec.cash), result.trades)


def rows_for(count: int) -> Rows:
    """Rows of so many sets, nothing determined yet."""
    return Rows(
        np.full((count, len(METRICS)), nan),
        np.full((count, 4), nan),
        np.zeros((count, BLOCKS, 3)),
        np.zeros(count, np.int64),
    )


def _reason(error: Exception) -> str:
    """Our own errors speak for themselves."""
    return str(error) if isinstance(error, SeawallError) else f"{type(error).__name__}: {error}"


def _replace(outcomes: Outcomes, row: int, other: Outcomes) -> None:
    """Put the only row of `other` in the place of `row`."""
    for name, values in outcomes.metrics.items():
        values[row] = other.metrics[name][0]
    outcomes.moments[row], outcomes.blocks[row] = other.moments[0], other.blocks[0]
    outcomes.periods[row] = other.periods[0]
    if other.failures:
        outcomes.failures[row] = other.failures[0]
