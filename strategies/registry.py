"""Strategies by name: a file in this folder, an entry point, "module:Class" or "path.py:Class"."""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, get_type_hints

import backtrader as bt

from strategies.base import Strategy

FOUNDATION = frozenset(
    {
        "arrays",
        "base",
        "context",
        "panel",
        "pickling",
        "registry",
        "signals",
        "sizing",
        "target",
    }
)
GROUP = "seawall.strategies"
PACKAGE = __name__.rpartition(".")[0]


class UnknownStrategy(ValueError):
    """No strategy answers to a name; the text says what would."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a strategy.

    Args:
        name: as in ``addstrategy(cls, name=...)``.
        default: its value when it is not given.
        type: the annotation in `Config`; for a plain strategy the type of the default.
        doc: from the Args of `Config`, with the unit; empty for a plain strategy.
    """

    name: str
    default: Any
    type: Any
    doc: str = ""


def names() -> list[str]:
    """Every strategy that `find` knows by a bare name, sorted; nothing is imported."""
    folders = sys.modules[PACKAGE].__path__
    files = {module.name for module in pkgutil.iter_modules(folders)} - FOUNDATION
    return sorted({name for name in files if not name.startswith("_")} | _installed().keys())


def find(strategy: str | type[bt.Strategy]) -> type[bt.Strategy]:
    """The strategy's class.

    Args:
        strategy: a name from `names()`, "module:Class", "path.py:Class" ("module:" and "path.py"
            do when the file has one strategy), or the class itself.

    Raises:
        UnknownStrategy: nothing answers to it, or what does is not a strategy.
    """
    if not isinstance(strategy, str):
        return _checked(strategy, repr(strategy))
    place, colon, name = strategy.rpartition(":")
    if not colon and not strategy.endswith(".py"):
        return _by_name(strategy)
    place, name = (place, name) if colon and not name.endswith(".py") else (strategy, "")
    module = _from_file(Path(place)) if place.endswith(".py") else _imported(place)
    if not name:
        return _only_strategy(module, strategy)
    if not hasattr(module, name):
        raise UnknownStrategy(f"{place} has no {name}{_nearest(name, vars(module))}")
    return _checked(getattr(module, name), strategy)


def parameters(strategy: type[bt.Strategy]) -> list[Parameter]:
    """What can be set, in order of declaration."""
    # Backtrader has no public way to the defaults of a class.
    defaults = dict(strategy.params._getitems())  # noqa: SLF001
    if not issubclass(strategy, Strategy):
        return [Parameter(name, d, type(d)) for name, d in defaults.items() if name[0] != "_"]
    types, docs = get_type_hints(strategy.Config), _argument_docs(strategy.Config)
    return [
        Parameter(f.name, defaults[f.name], types[f.name], docs.get(f.name, ""))
        for f in fields(strategy.Config)
    ]


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _by_name(name: str) -> type[bt.Strategy]:
    known = names()
    if name not in known:
        hint = _nearest(name, known)
        choice = f"there are {', '.join(known)}"
        raise UnknownStrategy(f"no strategy is called {name!r}{hint or ':'} {choice}")
    if point := _installed().get(name):
        return _checked(_loaded(point), f"entry point {name}")
    return _only_strategy(_imported(f"{PACKAGE}.{name}"), name)


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, SyntaxError, AttributeError) as error:
        package = point.dist.name if point.dist else "some package"
        raise UnknownStrategy(
            f"strategy {point.name} of {package} cannot be imported: {error}; mend or uninstall it"
        ) from error


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (ImportError, SyntaxError) as error:
        raise UnknownStrategy(f"the module {name} cannot be imported: {error}") from error


def _from_file(path: Path) -> ModuleType:
    """Run a file as a module; the same content is run once."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise UnknownStrategy(f"{path} cannot be read: {error.strerror}; check the path") from error
    # Backtrader looks the module up by its name, so it must have one of its own.
    name = f"{path.stem}_{digest}"
    spec = importlib.util.spec_from_loader(name, _FromText(name, str(path)))
    if name in sys.modules or spec is None or spec.loader is None:
        return sys.modules[name]
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError) as error:
        del sys.modules[name]
        raise UnknownStrategy(f"{path} cannot be imported: {error}") from error
    return module


class _FromText(SourceFileLoader):
    """Compiles anew: bytecode of another text, as long and of the same second, would pass."""

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002
        return self.source_to_code(self.get_data(self.path), self.path)


def _only_strategy(module: ModuleType, name: str) -> type[bt.Strategy]:
    """The strategy that a module defines itself."""
    own = [
        item
        for item in vars(module).values()
        if inspect.isclass(item)
        and issubclass(item, bt.Strategy)
        and item.__module__ == module.__name__
    ]
    if len(own) == 1:
        return own[0]
    if not own:
        raise UnknownStrategy(f"{name} defines no Backtrader strategy")
    classes = ", ".join(item.__name__ for item in own)
    raise UnknownStrategy(f"{name} defines several strategies, name one of {classes} after a colon")


def _checked(found: Any, name: str) -> type[bt.Strategy]:
    if not (inspect.isclass(found) and issubclass(found, bt.Strategy)):
        raise UnknownStrategy(f"{name} is not a Backtrader strategy class")
    return found


def _argument_docs(config: type[Any]) -> dict[str, str]:
    """The Args of a docstring, by name, each on one line."""
    _, _, text = (inspect.getdoc(config) or "").partition("Args:\n")
    entries = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", text, flags=re.MULTILINE)
    return {name: " ".join(doc.split()) for name, doc in entries}
