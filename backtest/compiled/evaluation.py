"""Many parameter sets through the kernel, chunk by chunk."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from math import nan
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from backtest.compiled.course import Course
from backtest.compiled.desk import Ints, Terms
from backtest.compiled.kernel import kernel
from backtest.compiled.reading import Group, Reader, rows_wanted
from backtest.compiled.rooms import SPARES, Rooms, part_of, registers_for, rows_for
from backtest.compiled.simulate import Room, Rows, Setting
from backtest.compiled.tape import Sets, Tape
from backtest.compiled.threads import processors, threads
from backtest.compiled.tracing import Program, Reading
from backtest.engine import execute
from backtest.outcomes import METRICS, Outcomes, failed, of_run
from backtest.spec import RunSpec
from brokers.errors import SeawallError
from brokers.fills import Commission, Slippage

CHUNK_BYTES = 1 << 25
CHUNK_SETS = 4096
CHUNK_BARS = 200_000_000  # of all sets of a chunk: about a second's work
PORTIONS = 4  # of a chunk
LEAST = 8  # sets of a portion for each thread

Params = Mapping[str, Any]


class _Portion(NamedTuple):
    """Sets that are under way, program by program: places among all of the portion, and rows.

    Args:
        ends: wait until some of the rows are there.
    """

    places: Ints
    rows: Rows
    ends: list[Callable[[], None]]


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
    count = len(processors()) if jobs < 1 else jobs
    pool = threads(count) if count > 1 else None
    evaluation = Evaluation(spec, frames, chunk_bytes=chunk_bytes, pool=pool, threads=count)
    try:
        start = 0
        while start < len(sets):
            for outcomes in evaluation.chunk(sets, start):
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
        self._running: list[Future[None]] = []
        self._most = min(max(CHUNK_BARS // (steps * feeds), 16), CHUNK_SETS)

    def close(self) -> None:
        """Keep the memory for others; what was not begun is let go."""
        for each in self._running:
            each.cancel()
        self.rooms.close()
        self.reader.clear()
        SPARES.give(self.reader.library.table)

    def chunk(self, sets: Sequence[Params], start: int) -> Iterator[Outcomes]:
        """As many sets from `start` on as fit, at least one, portion by portion in their order.

        A portion can be looked after while the threads are at the next one.
        """
        self.reader.clear()
        self._running.clear()
        groups: defaultdict[Program, Group] = defaultdict(Group)
        failures: dict[int, str] = {}
        count = 0
        for places, found in self.reader.read_all(sets[start : start + self._most]):
            if isinstance(found, Exception):
                failures |= dict.fromkeys(places, _reason(found))
            else:
                groups[found.program].add(places, found)
            count += len(places)
        work = [
            (program.tape(), *group.sets(self.reader.library.table))
            for program, group in groups.items()
        ]
        size = max(-(-count // PORTIONS), self._threads * LEAST)
        portions = [range(first, min(first + size, count)) for first in range(0, count, size)]
        # Not before all are read: a thread that needs the interpreter waits for who has it.
        sent = [self._send(work, portion) for portion in portions]
        for portion, underway in zip(portions, sent, strict=True):
            chosen = [sets[start + place] for place in portion]
            reasons = {at: failures[it] for at, it in enumerate(portion) if it in failures}
            yield self._collected(chosen, underway, reasons)

    def sets_of(self, reading: Reading) -> Sets:
        """One reading in the kernel's arrays."""
        group = Group()
        group.add([0], reading)
        return group.sets(self.reader.library.table)[1]

    def room_for(self, room: Room, tape: Tape) -> Room:
        """The room with registers enough."""
        count, held = tape.numbers + len(tape.code), room.registers
        if count <= len(held.values):
            return room
        return room._replace(registers=registers_for(count, held.wishes, held.events))

    def _send(self, work: Sequence[tuple[Tape, Ints, Sets]], portion: range) -> _Portion:
        cuts = [np.searchsorted(at, (portion.start, portion.stop)).tolist() for _, at, _ in work]
        rows = rows_for(sum(end - begin for begin, end in cuts))
        ends, done = [], 0
        for (tape, _, sets), (begin, end) in zip(work, cuts, strict=True):
            size = max(-(-(end - begin) // self._threads), 1)
            for first in range(begin, end, size):
                last = min(first + size, end)
                chosen = Sets(sets.shared[first:last], sets.numbers[first:last], sets.table)
                own = part_of(rows, done, done + last - first)
                ends.append(self._begun(partial(self._run, tape, chosen, own)))
                done += last - first
        none = np.empty(0, np.int64)  # every set may have failed
        places = [at[begin:end] for (_, at, _), (begin, end) in zip(work, cuts, strict=True)]
        return _Portion(np.concatenate([none, *places]) - portion.start, rows, ends)

    def _begun(self, work: Callable[[], None]) -> Callable[[], None]:
        """What waits for the end of some work, or does it where there are no threads."""
        if self._pool is None:
            return work
        future = self._pool.submit(work)
        self._running.append(future)
        return future.result

    def _run(self, tape: Tape, sets: Sets, rows: Rows) -> None:
        room = self.rooms.take()
        try:
            enough = self.room_for(room, tape)
            self.kernel.run_sets(self.setting, tape, sets, 0, len(rows.faults), enough, rows)
        finally:
            self.rooms.give(room)

    def _collected(
        self, sets: Sequence[Params], underway: _Portion, failures: dict[int, str]
    ) -> Outcomes:
        for end in underway.ends:
            end()
        rows = _in_order(underway, len(sets))
        periods = np.full(len(sets), len(self.course.index), np.int64)
        periods[list(failures)] = 0
        metrics = {name: rows.metrics[:, k] for k, name in enumerate(METRICS)}
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


def _in_order(underway: _Portion, count: int) -> Rows:
    """Rows of so many sets by their places."""
    if np.array_equal(underway.places, np.arange(count)):
        return underway.rows
    rows = rows_for(count)
    for whole, part in zip(rows, underway.rows, strict=True):
        whole[underway.places] = part
    return rows


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
