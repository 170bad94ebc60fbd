"""One tracing for all parameter sets that differ in nothing but numbers it need not see.

A strategy is traced with symbols for numeric parameters. What it computes with them, and what it
asks of strategies.arrays, is done again for each set, but not the strategy's own code. Parameters
that it looks at, such as one in an `if`, are no symbols from then on: sets share a tracing where
those are equal.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from typing import Any

from backtest.compiled.library import Library
from backtest.compiled.symbols import Seen, Symbol, Values
from backtest.compiled.tracing import EXACT, Program, Reading, Readings, Series, Untraceable

Trace = Callable[[Any], Reading]
MOST = 256  # tracings; a strategy that needs more looks at everything

ODD = (Untraceable, Seen, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What stands for a tracing that did not work; the set is then read by itself."""


class Template:
    """A tracing with symbols.

    Args:
        program, rows, numbers: as in `Reading`; a row below -1 is that of call -2 - row.
        calls: of strategies.arrays with symbols, in order.
        is_unready: some result without symbols has no value in its last row.
    """

    def __init__(
        self,
        program: Program,
        rows: tuple[int, ...],
        numbers: Sequence[Any],
        calls: Sequence["Call"],
        is_unready: bool,
    ) -> None:
        self._program, self._rows, self._calls = program, rows, calls
        self._numbers = [item if type(item) is Symbol else None for item in numbers]
        self._plain = [0.0 if type(item) is Symbol else item for item in numbers]
        self._is_unready = is_unready

    def reading(self, values: Values, library: Library) -> Reading:
        """That of one set."""
        several = self.readings([values], library)
        return Reading(self._program, tuple(several.rows), tuple(several.numbers))

    def readings(self, sets: Sequence[Values], library: Library) -> Readings:
        """Those of several sets; the library is unready if it is for one of them."""
        made: list[Sequence[int]] = []
        is_unready = self._is_unready
        for call in self._calls:
            rows, is_short = call.rows(sets, made, library)
            made.append(rows)
            is_unready |= is_short
        library.is_unready = is_unready
        columns: list[Iterable[int]] = [
            repeat(row, len(sets)) if row >= 0 else made[-2 - row] for row in self._rows
        ]
        numbers = [
            repeat(plain, len(sets)) if symbol is None else map(_exact, map(symbol.of, sets))
            for symbol, plain in zip(self._numbers, self._plain, strict=True)
        ]
        return Readings(self._program, _set_by_set(columns), _set_by_set(numbers))


class Call:
    """A function of strategies.arrays with symbols among its arguments."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self._name, self._args = name, args
        self._symbols = [item.of for item in args if type(item) is Symbol]
        self._earlier = [-2 - it.row for it in args if type(it) is Series and it.row < -1]
        self._known: dict[Values, int] = {}
        self._short: set[Values] = set()

    def rows(
        self, sets: Sequence[Values], made: Sequence[Sequence[int]], library: Library
    ) -> tuple[list[int], bool]:
        """The rows of its results, and whether one of them has no value in the end.

        Args:
            made: rows of the calls before.
        """
        given = [map(of, sets) for of in self._symbols]
        keys = list(zip(*given, *[made[place] for place in self._earlier], strict=True))
        places = dict(zip(keys, range(len(keys)), strict=True))
        for key, place in places.items():
            if key not in self._known:
                self._make(key, sets[place], [rows[place] for rows in made], library)
        return [self._known[key] for key in keys], not self._short.isdisjoint(places)

    def _make(self, key: Values, values: Values, made: Sequence[int], library: Library) -> None:
        library.is_unready = False
        args = [_resolved(item, values, made) for item in self._args]
        self._known[key] = library.functions[self._name](*args).row
        if library.is_unready:
            self._short.add(key)


class Templates:
    """Reads sets of one strategy from as few tracings as it allows."""

    def __init__(self, config: type[Any], library: Library) -> None:
        self._library = library
        self._names = [field.name for field in fields(config)]
        self._is_on = bool(self._names)
        self._shown: list[int] = []  # places of parameters that are no symbols
        self._held: dict[Any, Template] = {}

    def clear(self) -> None:
        """Forget the tracings: the library was cleared."""
        self._held = {}

    def reading(self, config: Any, trace: Trace) -> Reading | None:
        """That of a set; None: it has to be read by itself.

        Args:
            trace: reads a set, whose parameters may be symbols.

        Raises:
            Exception: whatever the strategy raises.
        """
        if not self._is_on:
            return None
        [values] = self._values_of([config])
        try:
            [key] = self._keys([values])
            template = self._held.get(key)
            if template is not None:
                return template.reading(values, self._library)
        except ODD:
            self._library.is_unready = False
            return None
        return self._first(config, values, trace)

    def readings(self, configs: Sequence[Any]) -> list[tuple[list[int], Readings]]:
        """Those of several sets, with their places, from the tracings that are there.

        The library is unready if it is for one of them.

        Raises:
            Exception: one of the sets has to be read by itself.
        """
        sets = self._values_of(configs)
        places: dict[Any, list[int]] = {}
        for place, key in enumerate(self._keys(sets)):
            places.setdefault(key, []).append(place)
        found, is_unready = [], False
        for key, chosen in places.items():
            alike = self._held[key].readings([sets[at] for at in chosen], self._library)
            found.append((chosen, alike))
            is_unready |= self._library.is_unready
        self._library.is_unready = is_unready
        return found

    def _values_of(self, configs: Sequence[Any]) -> list[Values]:
        return list(zip(*[map(attrgetter(name), configs) for name in self._names], strict=True))

    def _first(self, config: Any, values: Values, trace: Trace) -> Reading | None:
        """A set unlike those before: read by itself, and if that works, traced for others."""
        self._is_on = len(self._held) < MOST and self._is_plain(config)
        alone = trace(config)
        is_unready = self._library.is_unready
        while self._is_on:
            try:
                template = self._traced(type(config), values, trace)
                if _spelled(template.reading(values, self._library)) == _spelled(alone):
                    [key] = self._keys([values])
                    self._held[key] = template
                    break
            except Seen as seen:
                self._show(seen.names)
            except ODD:
                self._is_on = False
            else:
                self._is_on = False
        self._library.is_unready = is_unready
        return alone

    def _is_plain(self, config: Any) -> bool:
        """Whether it holds its fields and nothing that follows from them."""
        return vars(config).keys() == set(self._names) if hasattr(config, "__dict__") else True

    def _show(self, names: frozenset[str]) -> None:
        self._held = {}
        self._shown += [place for place, name in enumerate(self._names) if name in names]

    def _keys(self, sets: Sequence[Values]) -> Iterator[Any]:
        """What sets have to share to be read from one tracing: types, and values that it saw."""
        columns = enumerate(zip(*sets, strict=True))
        parts = [(map(type, column), self._seen(place, column)) for place, column in columns]
        return zip(*chain.from_iterable(parts), strict=True)

    def _seen(self, place: int, column: Values) -> Values:
        """The values of a parameter, None for those that need not be seen."""
        if place in self._shown:
            return column
        return tuple([None if type(value) in (int, float) else value for value in column])

    def _traced(self, kind: type[Any], values: Values, trace: Trace) -> Template:
        shadow = object.__new__(kind)
        seen = [self._seen(place, (value,)) != (None,) for place, value in enumerate(values)]
        if all(seen):
            raise Untraceable
        named = zip(self._names, values, seen, strict=True)
        for place, (name, value, is_seen) in enumerate(named):
            symbol = value if is_seen else Symbol(frozenset({name}), value, itemgetter(place))
            object.__setattr__(shadow, name, symbol)
        self._library.is_unready = False
        calls: list[Call] = []
        with self._library.postponing(lambda *call: calls.append(Call(*call))):
            program, rows, numbers = trace(shadow)
        return Template(program, rows, numbers, calls, self._library.is_unready)


def _resolved(item: Any, values: Values, made: Sequence[int]) -> Any:
    if type(item) is Symbol:
        return item.of(values)
    if type(item) is Series and item.row < -1:
        return Series(item.recorder, row=made[-2 - item.row])
    return item


def _set_by_set(columns: Sequence[Iterable[Any]]) -> list[Any]:
    """All values of the first set, then those of the second, and so on."""
    return list(chain.from_iterable(zip(*columns, strict=True)))


def _exact(number: Any) -> float:
    if isinstance(number, int) and not -EXACT <= number <= EXACT:
        raise Untraceable
    return float(number)


def _spelled(reading: Reading) -> Any:
    """A reading in which equal rows look alike, whatever slots they are in."""
    program, rows, numbers = reading
    code, outputs = (
        [("row", rows[-1 - it]) if -len(rows) <= it < 0 else it for it in operands]
        for operands in (program.code, program.outputs)
    )
    return code, outputs, [repr(number) for number in numbers]
