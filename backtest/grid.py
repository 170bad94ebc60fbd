"""The parameter sets of a sweep: every combination of some values of each parameter."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import backtrader as bt

from backtest.parameters import checked_values, parse_params
from brokers.errors import ConfigError
from strategies.base import Strategy

LONGEST = 1_000_000  # values of one axis


@dataclass(frozen=True)
class Grid:
    """All combinations of the axes' values; the last axis changes fastest.

    Args:
        axes: the values by parameter, each at least one.
    """

    axes: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, strategy: type[bt.Strategy], given: Mapping[str, Any]) -> "Grid":
        """The grid over parameters of `strategy`.

        Raises:
            ConfigError: no axis, an axis without values, an unknown parameter, or a value of the
                wrong type.
        """
        if not isinstance(given, Mapping) or not given:
            raise ConfigError(
                "grid: there are no parameters in it: give each its values, such as "
                "{'fast': range(5, 25)}"
            )
        axes = {}
        for name, values in given.items():
            if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
                raise ConfigError(
                    f"grid: {name}={values!r}: give several values, such as [5, 10] or "
                    "range(5, 25); a single one belongs to params"
                )
            axes[name] = checked_values(strategy, name, values)
            if not axes[name]:
                raise ConfigError(f"grid: {name} has no values: give at least one")
        return cls(axes)

    @cached_property
    def size(self) -> int:
        """How many combinations there are."""
        return prod(len(values) for values in self.axes.values())

    def all(self) -> Iterator[dict[str, Any]]:
        """Every combination, in order."""
        named = [[(name, value) for value in values] for name, values in self.axes.items()]
        return map(dict, product(*named))

    def at(self, number: int) -> dict[str, Any]:
        """The combination of that number, 0 the first."""
        chosen = {}
        for name, values in reversed(list(self.axes.items())):
            number, place = divmod(number, len(values))
            chosen[name] = values[place]
        return {name: chosen[name] for name in self.axes}


def parse_axis(strategy: type[bt.Strategy], name: str, text: str) -> tuple[Any, ...]:
    """The values of one axis as typed: ``5:25`` and ``5:25:5`` without the end, or ``5,10,20``.

    Raises:
        ConfigError: an unknown parameter, or a text that gives no values for it.
    """
    if ":" in text:
        return _range(name, text)
    items = [item.strip() for item in text.split(",") if item.strip()]
    return tuple(parse_params(strategy, {name: item})[name] for item in items)


def _range(name: str, text: str) -> tuple[int | float, ...]:
    """Counted in decimals, so that 0.1:0.4:0.1 is 0.1, 0.2, 0.3."""
    parts = text.split(":")
    try:
        start, end, *step = (Decimal(part) for part in parts)
        by = step[0] if step else Decimal(1)
        count = int((end - start) / by) if by > 0 else 0
        count += by > 0 and start + by * count < end
    except (ValueError, InvalidOperation, ArithmeticError):
        raise ConfigError(
            f"--grid {name}={text}: write a range as start:end or start:end:step, without the "
            "end, such as 5:25 or 0.1:0.5:0.1"
        ) from None
    if len(parts) > 3 or not 0 < count <= LONGEST:
        raise ConfigError(
            f"--grid {name}={text}: the range has no values: start below its end, with a step "
            "above 0"
        )
    values = [start + by * number for number in range(count)]
    whole = all("." not in part and "e" not in part.lower() for part in parts)
    return tuple(int(value) if whole else float(value) for value in values)


def contradicts(strategy: type[bt.Strategy], params: Mapping[str, Any]) -> bool:
    """Tell whether the strategy's own `Config` refuses the whole set."""
    if not issubclass(strategy, Strategy):
        return False
    try:
        strategy.Config(**params)
    except ValueError:
        return True
    return False


def unknown(word: str, value: object, known: Iterable[str]) -> ConfigError:
    """The error for a word that is none of the known ones."""
    choices = list(known)
    near = difflib.get_close_matches(str(value), choices, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(f"{word}={value!r}: {hint}choose one of {', '.join(choices)}")
