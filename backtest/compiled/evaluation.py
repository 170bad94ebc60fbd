"""Many parameter sets through the kernel, chunk by chunk."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from math import nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from backtest.compiled.course import Course
from backtest.compiled.desk import Terms
from backtest.compiled.kernel import kernel
from backtest.compiled.reading import Group, Reader, rows_wanted
from backtest.compiled.rooms import SPARES, Rooms, registers_for, rows_for
from backtest.compiled.simulate import Room, Rows, Setting
from backtest.compiled.tape import Sets, Tape
from backtest.compiled.tracing import Program, Reading
from backtest.engine import execute
from backtest.outcomes import METRICS, Outcomes, failed, of_run
from backtest.spec import RunSpec
from brokers.errors import SeawallError
from brokers.fills import Commission, Slippage

CHUNK_BYTES = 1 << 25
CHUNK_SETS = 4096
CHUNK_BARS = 200_000_000  # of all sets of a chunk: about a second's work
PIECES_A_THREAD = 2

Params = Mapping[str, Any]
_Piece = tuple[list[int], Rows, Future[None] | None]


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
    threads = len(os.sched_getaffinity(0)) if jobs < 1 else jobs
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        evaluation = Evaluation(spec, frames, chunk_bytes=chunk_bytes, pool=pool, threads=threads)
        try:
            start = 0
            while start < len(sets):
                outcomes = evaluation.chunk(sets, start)
                yield range(start, start + len(outcomes)), outcomes
                start += len(outcomes)
        finally:
            evaluation.close()


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
    """One strategy over one course, for as many sets as come; close it in the end.

    Args:
        pool: of threads; None: the caller's own.
        functions: the kernel's, compiled if None.
    """

    def __init__(
        self,
        spec: RunSpec,
        frames: Mapping[str, pd.DataFrame],
        *,
        chunk_bytes: int = CHUNK_BYTES,
        pool: ThreadPoolExecutor | None = None,
        threads: int = 1,
        functions: SimpleNamespace | None = None,
    ) -> None:
        self.course = course = Course.of(frames)
        self.kernel = functions or kernel()
        self.setting = setting_of(spec, course)
        steps, feeds = len(course.index), len(course.names)
        table = SPARES.take((rows_wanted(course, chunk_bytes), steps))
        self.reader = Reader(spec, course, self.kernel, table, chunk_bytes)
        self.rooms = Rooms(feeds, steps, threads)
        self._spec, self._frames = spec, frames
        self._pool, self._threads = pool, threads
        self._most = min(max(CHUNK_BARS // (steps * feeds), 16), CHUNK_SETS)

    def close(self) -> None:
        """Keep the memory for others."""
        self.rooms.close()
        SPARES.give(self.reader.library.table)

    def chunk(self, sets: Sequence[Params], start: int) -> Outcomes:
        """As many sets from `start` on as fit, at least one."""
        self.reader.clear()
        groups: defaultdict[Program, Group] = defaultdict(Group)
        failures: dict[int, str] = {}
        count = 0
        for places, found in self.reader.read_all(sets[start : start + self._most]):
            if isinstance(found, Exception):
                failures |= dict.fromkeys(places, _reason(found))
            else:
                groups[found.program].add(places, found)
            count += len(places)
        # Not before all are read: a thread that needs the interpreter waits for who has it.
        sent = [piece for each in groups.items() for piece in self._send(*each)]
        return self._collected(sets[start : start + count], sent, failures)

    def sets_of(self, reading: Reading) -> Sets:
        """One reading in the kernel's arrays."""
        group = Group()
        group.add([0], reading)
        return group.sets(self.reader.library.table)

    def room_for(self, room: Room, tape: Tape) -> Room:
        """The room with registers enough."""
        count, held = tape.numbers + len(tape.code), room.registers
        if count <= len(held.values):
            return room
        return room._replace(registers=registers_for(count, held.wishes, held.events))

    def _send(self, program: Program, group: Group) -> Iterator[_Piece]:
        tape, places = program.tape(), group.places
        sets = group.sets(self.reader.library.table)
        size = -(-len(places) // (self._threads * PIECES_A_THREAD))
        for first in range(0, len(places), size):
            last = min(first + size, len(places))
            piece = places[first:last], rows_for(last - first)
            work = tape, Sets(sets.shared[first:last], sets.numbers[first:last], sets.table)
            if self._pool is None:
                self._run(*work, piece[1])
                yield *piece, None
            else:
                yield *piece, self._pool.submit(self._run, *work, piece[1])

    def _run(self, tape: Tape, sets: Sets, rows: Rows) -> None:
        room = self.rooms.take()
        try:
            enough = self.room_for(room, tape)
            self.kernel.run_sets(self.setting, tape, sets, 0, len(rows.faults), enough, rows)
        finally:
            self.rooms.give(room)

    def _collected(
        self, sets: Sequence[Params], sent: list[_Piece], failures: dict[int, str]
    ) -> Outcomes:
        rows = rows_for(len(sets))
        for places, done, running in sent:
            if running is not None:
                running.result()
            for whole, part in zip(rows, done, strict=True):
                whole[places] = part
        periods = np.full(len(sets), len(self.course.index), np.int64)
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
