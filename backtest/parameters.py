"""A strategy's parameters: read from text, checked against what the strategy declares."""

import ast
import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin

import backtrader as bt
import numpy as np

import strategies
from brokers.errors import ConfigError
from strategies.base import Strategy
from strategies.registry import Parameter, UnknownStrategy

_LENIENT: dict[type, Any] = {
    int: float | None,
    float: float | None,
    str: str | None,
    bool: bool | None,
}
_KINDS: dict[Any, type] = {int: Integral, float: Real}  # NumPy's own numbers too
_NAMES: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    type(None): "none",
}
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "none": None}


def checked_params(cls: type[bt.Strategy], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of `cls`, the given ones in place of their defaults.

    A plain Backtrader strategy declares no types: there any number may replace a number, None
    may replace anything, and anything may replace what is neither number, text nor bool.

    Raises:
        ConfigError: an unknown parameter, one of the wrong type, or values that contradict each
            other.
    """
    declared = _declared(cls)
    for name, value in given.items():
        _check_type(_find(cls, declared, name), value)
    params = {name: given.get(name, parameter.default) for name, parameter in declared.items()}
    if issubclass(cls, Strategy):
        try:
            cls.Config(**params)
        except ValueError as error:
            raise ConfigError(f"{cls.__name__}: {error}") from error
    return params


def checked_values(cls: type[bt.Strategy], name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    """Values for one parameter, each once, in plain Python types and in the given order.

    Raises:
        ConfigError: an unknown parameter, or a value of the wrong type.
    """
    parameter = _find(cls, _declared(cls), name)
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in plain:
        _check_type(parameter, value)
    if parameter.type is float:
        plain = [float(value) for value in plain]
    return tuple(value for at, value in enumerate(plain) if value not in plain[:at])


def found(strategy: str | type[bt.Strategy]) -> type[bt.Strategy]:
    """The class that `strategy` names.

    Raises:
        ConfigError: there is none; the text suggests the nearest.
    """
    try:
        return strategies.find(strategy)
    except UnknownStrategy as error:
        raise ConfigError(str(error)) from error


def parse_params(cls: type[bt.Strategy], texts: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as typed on a command line, such as ``{"fast": "5"}``, in their own types.

    Raises:
        ConfigError: an unknown parameter, or a text that is not of the parameter's type.
    """
    declared = _declared(cls)
    return {name: _parse(_find(cls, declared, name), text) for name, text in texts.items()}


def _declared(cls: Any) -> dict[str, Parameter]:
    return _read_once(cls)


@cache
def _read_once(cls: type[bt.Strategy]) -> dict[str, Parameter]:
    declared = strategies.parameters(cls)
    if not issubclass(cls, Strategy):
        declared = [replace(item, type=_LENIENT.get(item.type, Any)) for item in declared]
    return {parameter.name: parameter for parameter in declared}


def _find(cls: type[bt.Strategy], declared: Mapping[str, Parameter], name: str) -> Parameter:
    if name in declared:
        return declared[name]
    nearest = difflib.get_close_matches(name, declared, 1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    known = ", ".join(declared) or "none"
    raise ConfigError(f"{cls.__name__}: unknown parameter {name!r}: {hint}it has {known}")


def _check_type(parameter: Parameter, value: Any) -> None:
    wanted = _types(parameter)
    fits = Any in wanted or any(_is_a(value, kind) for kind in wanted)
    if not fits:
        raise ConfigError(
            f"{parameter.name}={value!r}: give {_named(wanted)}, such as {parameter.default!r}"
        )


def _types(parameter: Parameter) -> tuple[Any, ...]:
    kind: Any = parameter.type
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_a(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, _KINDS.get(kind) or get_origin(kind) or kind)


def _named(kinds: tuple[Any, ...]) -> str:
    names = [
        " or ".join(map(repr, get_args(kind)))
        if get_origin(kind) is Literal
        else _NAMES.get(kind, str(kind))
        for kind in kinds
    ]
    return " or ".join(names)


def _parse(parameter: Parameter, text: str) -> Any:
    if str in _types(parameter):
        return text
    if text.lower() in _WORDS:
        value: Any = _WORDS[text.lower()]
    else:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
    _check_type(parameter, value)
    return value
