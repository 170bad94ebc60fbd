"""Strategies that no module holds, such as those of a notebook cell, on their way to a worker."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import backtrader as bt
from backtrader.lineseries import Lines
from backtrader.metabase import AutoInfoClass


@contextmanager
def by_value(strategy: type[bt.Strategy]) -> Iterator[None]:
    """While it lasts, cloudpickle takes along all that a strategy from a notebook consists of.

    Backtrader's metaclass derives classes (params, lines, plotinfo) for every strategy and enters
    them in its own modules, so that cloudpickle sends their names; another process does not know
    these. In here the names are gone, those of the notebook's indicators too, and cloudpickle sends
    the classes themselves::

        with by_value(Mine):
            parcel = cloudpickle.dumps(Mine)
    """
    notebook = [item for item in vars(sys.modules["__main__"]).values() if inspect.isclass(item)]
    kin = {cls for item in (strategy, *notebook) for cls in inspect.getmro(item)}
    parts = {part for cls in kin if not _is_importable(cls) for part in _derived(cls)}
    parts -= {part for cls in kin if _is_importable(cls) for part in _derived(cls)}
    entered = [
        part for part in parts if getattr(sys.modules[part.__module__], part.__name__, None) is part
    ]
    for part in entered:
        delattr(sys.modules[part.__module__], part.__name__)
    try:
        yield
    finally:
        for part in entered:
            setattr(sys.modules[part.__module__], part.__name__, part)


def _is_importable(cls: type) -> bool:
    """Tell whether another process finds the class under its module and name."""
    if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
        return False
    return getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is cls


def _derived(cls: type) -> set[type]:
    """What Backtrader's metaclass has made for a class, with the steps on the way."""
    made = [part for part in vars(cls).values() if inspect.isclass(part)]
    made = [part for part in made if issubclass(part, AutoInfoClass | Lines)]
    return {step for part in made for step in part.__mro__ if step is not object}
