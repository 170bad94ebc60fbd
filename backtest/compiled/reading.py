"""From parameters to what the kernel runs: a tape, its shared arrays and its numbers."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from backtest.compiled import columns as col
from backtest.compiled.course import Course
from backtest.compiled.desk import Floats, Ints
from backtest.compiled.library import Library
from backtest.compiled.rewired import Scope
from backtest.compiled.tape import Sets
from backtest.compiled.templates import ODD, Templates
from backtest.compiled.tracing import Reading, Readings, Series, Untraceable
from backtest.parameters import checked_params, checked_values
from backtest.spec import RunSpec
from backtest.warmup import bars_needed
from brokers.errors import ConfigError, DataError
from strategies.panel import FIELDS, Bars
from strategies.signals import Signals

TOGETHER = 256  # sets that are read at once
ROWS_A_SET = 64  # room for new shared arrays that a set finds; who needs more is not traced

Params = Mapping[str, Any]
Found = Reading | Readings | Exception


class Group:
    """Parameter sets of one program, in flat arrays: many small objects would keep Python busy."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._rows, self._numbers = array("q"), array("d")

    def add(self, places: Sequence[int], reading: Reading | Readings) -> None:
        """More sets, each known by its place."""
        self._places.extend(places)
        self._rows.extend(reading.rows)
        self._numbers.extend(reading.numbers)

    def sets(self, table: Floats) -> tuple[Ints, Sets]:
        """All of them in the kernel's arrays, in the order of their places, after those."""
        places, count = np.array(self._places, np.int64), len(self._places)
        order = np.argsort(places)
        rows = np.array(self._rows, np.int64).reshape(count, -1)[order]
        numbers = np.array(self._numbers, np.float64).reshape(count, -1)[order]
        return places[order], Sets(rows, numbers, table)


class Reader:
    """Reads parameter sets of one strategy over one course.

    A strategy that shows its operations (see `tracing`) is read so; any other computes its arrays,
    with what strategies.arrays gives shared between the sets.

    Args:
        table: for shared arrays, (rows, S); see `rows_wanted`.
        chunk_bytes: how much to hold before `is_full`.
    """

    def __init__(
        self,
        spec: RunSpec,
        course: Course,
        kernel: SimpleNamespace,
        table: Floats,
        chunk_bytes: int,
    ) -> None:
        self._cls: Any = spec.strategy_class
        self._params = dict(spec.params)
        self._course = course
        feeds = len(course.names)
        self._margin = _margin(feeds)
        self._bytes = chunk_bytes
        self.library = Library(kernel, table)
        self._strategy = Scope(self.library.functions).strategy(self._cls)
        self._together = self._cls.across and feeds > 1
        self._is_traced = course.is_common and not self._together
        self._bars = (course.together,) if self._together else course.own
        self._good: set[Any] = set()
        self._series: list[Bars] = []
        self._templates = Templates(self._cls.Config, self.library)

    @property
    def is_full(self) -> bool:
        """Whether the next set may find no room."""
        return self.library.room < self._margin or self.library.held_bytes > self._bytes

    def clear(self) -> None:
        """Make room; readings of before are void."""
        self.library.clear()
        self._templates.clear()
        self._series = []

    def read(self, params: Params) -> Reading:
        """What the kernel is to run for these parameters.

        Raises:
            Exception: whatever the strategy raises; ConfigError and DataError as `run` does.
        """
        config = self._config(params)
        self.library.is_unready = False
        reading = None
        if self._is_traced:
            try:
                reading = self._templates.reading(config, self._trace) or self._trace(config)
            except (Untraceable, TypeError):  # TypeError: an operator that no series has
                self._is_traced = False
        if reading is None:
            reading = self._compute(config)
        if self.library.is_unready:
            self._check_bars(config)
        return reading

    def read_all(self, sets: Sequence[Params]) -> Iterator[tuple[Sequence[int], Found]]:
        """The same for set after set, with their places, as far as there is room; at least one.

        Sets that are like some before are read together; an error stands for the set that has it.
        """
        place, alone = 0, 1  # sets before `alone` are read by themselves
        while place < len(sets) and not (place and self.is_full):
            alike = self._read_alike(sets[place : place + TOGETHER]) if place >= alone else []
            for places, readings in alike:
                yield [place + at for at in places], readings
            if alike:
                place += TOGETHER
                continue
            alone = alone if place < alone else place + TOGETHER
            yield [place], self._read_or_error(sets[place])
            place += 1

    def _read_alike(self, sets: Sequence[Params]) -> list[tuple[list[int], Readings]]:
        """Nothing where one has to be read by itself, for its own sake or for its error."""
        if not self._is_traced:
            return []
        self.library.is_unready = False
        try:
            with self.library.reserving(self._margin):
                alike = self._templates.readings(self._configs(sets))
        except (*ODD, Exception):  # noqa: BLE001  it is raised again when the set is read
            return []
        return [] if self.library.is_unready else alike

    def _read_or_error(self, params: Params) -> Reading | Exception:
        try:
            return self.read(params)
        except Exception as error:  # noqa: BLE001  a strategy may raise anything
            return error

    def _config(self, params: Params) -> Any:
        return self._configs([params])[0]

    def _configs(self, sets: Sequence[Params]) -> list[Any]:
        merged = [{**self._params, **params} for params in sets] if self._params else sets
        try:
            given = {(name, type(item), item) for params in sets for name, item in params.items()}
            for name, _, value in given - self._good:
                checked_values(self._cls, name, [value])
            self._good |= given
        except TypeError:  # something that has no hash
            for params in merged:
                checked_params(self._cls, params)
        try:
            return [self._cls.Config(**params) for params in merged]
        except ValueError as error:
            raise ConfigError(f"{self._cls.__name__}: {error}") from error

    def _check_bars(self, config: Any) -> None:
        held, needed = max(map(len, self._course.steps)), bars_needed(self._cls, config)
        if held < needed:
            longest = max(zip(self._course.steps, self._course.names, strict=True), key=_length)[1]
            raise DataError(
                f"{longest}: {held} bars are too few: {self._cls.__name__} needs at least "
                f"{needed} before its first decision: start earlier, or choose shorter periods"
            )

    def _trace(self, config: Any) -> Reading:
        recorder = self.library.recorder
        recorder.begin()
        if not self._series:
            self._series = [self._as_series(feed, bars) for feed, bars in enumerate(self._bars)]
        outputs: list[Any] = []
        for bars in self._series:
            answer = self._strategy.signals(config, bars)
            outputs += answer if type(answer) is Signals else Signals(answer)
        program = recorder.program(outputs)
        return Reading(program, recorder.rows, tuple(recorder.numbers))

    def _as_series(self, feed: int, bars: Bars) -> Bars:
        shelve: Any = self.library.series
        return Bars(*(shelve((feed, name), values) for name, values in bars._asdict().items()))

    def _compute(self, config: Any) -> Reading:
        rows: list[int] = []
        outputs: list[int | None] = []
        for feed, bars in enumerate(self._bars):
            for column in bars:
                self.library.know(column)
            tables = self._tables(config, bars)
            for table in tables:
                outputs += self._put(feed, table, rows)
        if self._together:  # feed after feed, as in the other case
            count = len(self._course.names)
            outputs = [
                outputs[count * k + feed] for feed in range(count) for k in range(col.OUTPUTS)
            ]
        recorder = self.library.recorder
        recorder.begin()
        series = [None if place is None else Series(recorder, rows[place]) for place in outputs]
        return Reading(recorder.program(series), recorder.rows, ())

    def _put(self, feed: int, table: np.ndarray | None, rows: list[int]) -> list[int | None]:
        """Shelve a table's columns; the places of their rows among `rows`."""
        if table is None:
            return [None] * (len(self._course.names) if self._together else 1)
        columns = list(table.T) if self._together else [self._by_step(feed, table)]
        rows += [self.library.put(column) for column in columns]
        return list(range(len(rows) - len(columns), len(rows)))

    def _tables(self, config: Any, bars: Bars) -> list[np.ndarray | None]:
        try:
            answer = self._strategy.signals(config, bars)
        except ValueError:  # perhaps it writes to a shared result
            answer = self._cls.signals(config, bars)
        given = answer if isinstance(answer, Signals) else Signals(answer)
        for name, table in given._asdict().items():
            if table is not None and np.shape(table) != np.shape(bars.close):
                raise ValueError(
                    f"{self._cls.__name__}.signals gave {name} of shape {np.shape(table)} for "
                    f"bars of shape {np.shape(bars.close)}"
                )
        return [None if table is None else np.asarray(table, np.float64) for table in given]

    def _by_step(self, feed: int, values: np.ndarray) -> np.ndarray:
        if self._course.is_common:
            return values
        out = np.full(len(self._course.index), np.nan)
        out[self._course.steps[feed]] = values
        return out


def rows_wanted(course: Course, chunk_bytes: int) -> int:
    """How many rows of shared arrays a reader should have; untouched ones take no memory."""
    return int(max(chunk_bytes // (8 * len(course.index)), 2 * _margin(len(course.names))))


def _margin(feeds: int) -> int:
    return ROWS_A_SET + (len(FIELDS) + col.OUTPUTS) * feeds


def _length(named: tuple[Any, str]) -> int:
    return len(named[0])
