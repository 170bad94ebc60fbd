"""What makes two trials the same: the strategy's source, its parameters, the run and the bars."""

import hashlib
import importlib.metadata
import inspect
import json
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

import backtrader as bt
import orjson

from backtest.spec import BARS_IDENTITY, RunSpec
from feeds.passport import Passport

LIBRARIES = tuple(
    Path(folder).resolve()
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")}
)


def set_key(params: Mapping[str, Any]) -> str:
    """All parameters of one set as canonical JSON; what JSON lacks is told by its name."""
    how = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(params, default=_name, option=how).decode()


def settings_key(spec: RunSpec, axes: Mapping[str, Iterable[Any]] = MappingProxyType({})) -> str:
    """The run beside its parameters and its bars, and the versions of what computed it.

    Parameters that name files are told by what is in these.

    Args:
        axes: values that are tried of parameters.
    """
    run, files = spec.as_dict(), getattr(spec.strategy_class, "file_params", ())
    tried = [(name, value) for name in files for value in axes.get(name, ())]
    each = [replace(spec, params={**spec.params, name: value}) for name, value in tried]
    hashes = [it.get("files") for it in (run, *(other.as_dict() for other in each))]
    told = {name: run[name] for name in ("cash", "commission", "slippage_bps", "size")}
    told |= {"files": hashes} if any(hashes) else {}
    return json.dumps(told | _versions(), sort_keys=True)


def bars_key(passports: Mapping[str, Passport | None]) -> str:
    """SHA-256 over what the bars are, in the order of the feeds."""
    told = [
        [name, passport and {key: getattr(passport, key) for key in BARS_IDENTITY}]
        for name, passport in passports.items()
    ]
    return _sha256(json.dumps(told, sort_keys=True))


def source_key(strategy: type[bt.Strategy]) -> str:
    """SHA-256 over the source of a strategy and of all that it names in its own modules.

    Functions, classes and constants of the modules of the strategy and its bases are followed
    wherever the code names them; installed libraries are not, and neither is what a name leads to
    through another module.
    """
    digest = hashlib.sha256()
    for text in _sources(strategy, set()):
        digest.update(text.encode())
    return digest.hexdigest()


def _sources(item: Any, seen: set[int]) -> Iterator[str]:
    if id(item) in seen or _is_library(item):
        return
    seen.add(id(item))
    yield _source(item)
    if isinstance(item, type):
        for base in item.__mro__[1:]:
            yield from _sources(base, seen)
    for function in _functions(item):
        for name in _names(function.__code__):
            found = function.__globals__.get(name)
            if found is None:  # an attribute or a builtin, as most are
                continue
            if isinstance(found, type | FunctionType):
                yield from _sources(found, seen)
            elif isinstance(found, bool | int | float | str | tuple):
                yield f"{name}={found!r}"


def _functions(item: Any) -> Iterator[FunctionType]:
    members = vars(item).values() if isinstance(item, type) else [item]
    for member in members:
        function = getattr(member, "__func__", getattr(member, "func", member))
        if isinstance(function, FunctionType):
            yield inspect.unwrap(function)
        elif isinstance(member, property) and isinstance(member.fget, FunctionType):
            yield member.fget


def _names(code: CodeType) -> Iterator[str]:
    yield from sorted(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@lru_cache
def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("seawall", "backtrader")}


@lru_cache(maxsize=1024)
def _source(item: Any) -> str:
    """Its text; where no file has it, as in an interactive session, its compiled code."""
    try:
        return inspect.getsource(item)
    except (OSError, TypeError):
        codes = [_code(function.__code__) for function in _functions(item)]
        return f"{item.__qualname__}{codes}"


def _code(code: CodeType) -> str:
    parts = [_code(it) if isinstance(it, CodeType) else repr(it) for it in code.co_consts]
    return f"{code.co_code.hex()}{code.co_names}{code.co_varnames}{parts}"


def _is_library(item: Any) -> bool:
    module = sys.modules.get(item.__module__)
    if not isinstance(module, ModuleType) or item.__module__ == "__main__":
        return False
    return _is_installed(getattr(module, "__file__", None))


@lru_cache(maxsize=1024)
def _is_installed(file: str | None) -> bool:
    return file is None or any(Path(file).resolve().is_relative_to(place) for place in LIBRARIES)


def _name(value: Any) -> str:
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", None)
    return f"{module}:{name}" if name else repr(value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
