"""One tracing for all parameter sets that differ in nothing but numbers it need not see.

A strategy is traced with symbols for numeric parameters. What it computes with them, and what it
asks of strategies.arrays, is done again for each set, but not the strategy's own code. Parameters
that it looks at, such as one in an `if`, are no symbols from then on: sets share a tracing where
those are equal.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any

from backtest.compiled.library import Library
from backtest.compiled.symbols import Seen, Symbol, Values
from backtest.compiled.tracing import EXACT, Program, Reading, Series, Untraceable

Trace = Callable[[Any], Reading]
MOST = 256  # tracings; a strategy that needs more looks at everything

_ODD = (Untraceable, Seen, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
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
        made: list[int] = []
        is_unready = self._is_unready
        for call in self._calls:
            row, is_short = call.row(values, made, library)
            made.append(row)
            is_unready |= is_short
        library.is_unready = is_unready
        rows = tuple([row if row >= 0 else made[-2 - row] for row in self._rows])
        numbers = [
            plain if symbol is None else _exact(symbol.of(values))
            for symbol, plain in zip(self._numbers, self._plain, strict=True)
        ]
        return Reading(self._program, rows, tuple(numbers))


class Call:
    """A function of strategies.arrays with symbols among its arguments."""

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self._name, self._args = name, args
        self._symbols = [item.of for item in args if type(item) is Symbol]
        self._earlier = [-2 - it.row for it in args if type(it) is Series and it.row < -1]
        self._known: dict[Values, tuple[int, bool]] = {}

    def row(self, values: Values, made: Sequence[int], library: Library) -> tuple[int, bool]:
        """The row of its result, and whether that has no value in the end.

        Args:
            made: rows of the calls before.
        """
        key = (*[of(values) for of in self._symbols], *[made[place] for place in self._earlier])
        found = self._known.get(key)
        if found is None:
            library.is_unready = False
            args = [_resolved(item, values, made) for item in self._args]
            row = library.functions[self._name](*args).row
            found = self._known[key] = row, library.is_unready
        return found


class Templates:
    """Reads sets of one strategy from as few tracings as it allows.

    Args:
        trace: reads a set, whose parameters may be symbols.
    """

    def __init__(
        self, config: type[Any], library: Library, trace: Callable[[Any], Reading]
    ) -> None:
        self._library, self._trace = library, trace
        self._names = [field.name for field in fields(config)]
        self._is_on = bool(self._names)
        self._values_of: Any = attrgetter(*self._names) if self._is_on else None
        self._shown: list[int] = []  # places of parameters that are no symbols
        self._held: dict[Any, Template] = {}

    def clear(self) -> None:
        """Forget the tracings: the library was cleared."""
        self._held = {}

    def reading(self, config: Any) -> Reading | None:
        """That of a set; None: it has to be read by itself.

        Raises:
            Exception: whatever the strategy raises.
        """
        if not self._is_on:
            return None
        values = self._values_of(config)
        if len(self._names) == 1:
            values = (values,)
        try:
            template = self._held.get(self._key(values))
            if template is not None:
                return template.reading(values, self._library)
        except _ODD:
            self._library.is_unready = False
            return None
        return self._first(config, values)

    def _first(self, config: Any, values: Values) -> Reading | None:
        """A set unlike those before: read by itself, and if that works, traced for others."""
        self._is_on = len(self._held) < MOST and self._is_plain(config)
        alone = self._trace(config)
        is_unready = self._library.is_unready
        while self._is_on:
            try:
                template = self._traced(type(config), values)
                if _spelled(template.reading(values, self._library)) == _spelled(alone):
                    self._held[self._key(values)] = template
                    break
            except Seen as seen:
                self._show(seen.names)
            except _ODD:
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

    def _key(self, values: Values) -> Any:
        return (*map(type, values), *[values[place] for place in self._fixed(values)])

    def _fixed(self, values: Values) -> list[int]:
        others = range(len(values))
        return [at for at in others if at in self._shown or type(values[at]) not in (int, float)]

    def _traced(self, kind: type[Any], values: Values) -> Template:
        shadow, fixed = object.__new__(kind), self._fixed(values)
        if len(fixed) == len(values):
            raise Untraceable
        for place, (name, value) in enumerate(zip(self._names, values, strict=True)):
            known = place in fixed
            symbol = value if known else Symbol(frozenset({name}), value, itemgetter(place))
            object.__setattr__(shadow, name, symbol)
        self._library.is_unready = False
        calls: list[Call] = []
        with self._library.postponing(lambda *call: calls.append(Call(*call))):
            program, rows, numbers = self._trace(shadow)
        return Template(program, rows, numbers, calls, self._library.is_unready)


def _resolved(item: Any, values: Values, made: Sequence[int]) -> Any:
    if type(item) is Symbol:
        return item.of(values)
    if type(item) is Series and item.row < -1:
        return Series(item.recorder, row=made[-2 - item.row])
    return item


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
