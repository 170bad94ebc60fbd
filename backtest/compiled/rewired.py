"""A strategy's own functions, finding shared results where they look for strategies.arrays."""

from types import FunctionType
from typing import Any

import numpy as np

from backtest.compiled.kernel import rebuilt
from backtest.compiled.tracing import TracingNumpy
from strategies import arrays
from strategies.signals import SignalStrategy


class Rewired:
    """Stands for a class or module; its functions find `functions` instead of strategies.arrays.

    The functions' code is the same and the class is not touched: only the names that the copies
    find differ. What a function closes over stays as it is.
    """

    def __init__(self, original: Any, scope: "Scope") -> None:
        self._original, self._scope = original, scope

    def __getattr__(self, name: str) -> Any:
        item = getattr(self._original, name)
        if isinstance(item, FunctionType):
            item = self._scope.copy(item)
        setattr(self, name, item)
        return item


class Scope:
    """The names that copied functions find, one table for each module of theirs."""

    def __init__(self, functions: dict[str, Any]) -> None:
        self._shared = {id(getattr(arrays, name)): item for name, item in functions.items()}
        self._numpy = TracingNumpy()
        self._tables: dict[int, dict[str, Any]] = {}

    def strategy(self, cls: type[SignalStrategy]) -> Any:
        """The strategy's class with copied functions."""
        return Rewired(cls, self)

    def copy(self, function: FunctionType) -> Any:
        """The function, or what is shared in its place."""
        shared = self._shared.get(id(function))
        return rebuilt(function, self._table(function.__globals__)) if shared is None else shared

    def _table(self, names: dict[str, Any]) -> dict[str, Any]:
        table = self._tables.get(id(names))
        if table is None:
            table = self._tables[id(names)] = dict(names)
            table.update({name: self._replaced(item, names) for name, item in names.items()})
        return table

    def _replaced(self, item: Any, names: dict[str, Any]) -> Any:
        if item is np:
            return self._numpy
        if item is arrays:
            return Rewired(item, self)
        is_own = getattr(item, "__module__", None) == names.get("__name__")
        if isinstance(item, type) and is_own and issubclass(item, SignalStrategy):
            return Rewired(item, self)
        is_function = isinstance(item, FunctionType)
        return self.copy(item) if is_function and (is_own or id(item) in self._shared) else item
