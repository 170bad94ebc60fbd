"""What is typed on a command line, as values."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from brokers.errors import ConfigError
from brokers.risk import RiskLimits

_WORDS = {"true": True, "false": False, "none": None}


def pairs(option: str, texts: Iterable[str] | None) -> dict[str, str]:
    """``["fast=5"]`` as ``{"fast": "5"}``.

    Raises:
        ConfigError: one is not name=value, or a name comes twice.
    """
    named: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ConfigError(f"{option} {text}: write it as name=value, such as fast=5")
        if name in named:
            raise ConfigError(f"{option} {name} is given twice: keep one of them")
        named[name] = value
    return named


def limits(texts: Iterable[str] | None) -> RiskLimits | None:
    """``["max_order_notional=50000"]`` as limits; None when there are none.

    Raises:
        ConfigError: an unknown limit, or one that is no positive number.
    """
    named: dict[str, Any] = dict(pairs("--risk", texts))
    known = [item.name for item in fields(RiskLimits)]
    for name, text in named.items():
        if name not in known:
            raise ConfigError(f"--risk {name}: there is no such limit: use {', '.join(known)}")
        named[name] = tuple(text.split(",")) if name == "restricted_symbols" else number(text)
    return RiskLimits(**named) if named else None


def options(texts: Iterable[str] | None) -> dict[str, Any]:
    """``["adjust=true", "stamped=end"]`` as values: true, false and none, numbers, else texts."""
    given = pairs("--option", texts)
    return {name: _WORDS.get(text.lower(), number(text)) for name, text in given.items()}


def number(text: str) -> int | float | str:
    """A whole number, else any number, else the text as it is, for others to refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def size(text: str | None) -> float | str | None:
    """A number of units; ``"95%"`` and what is wrong stay texts, for others to read or refuse."""
    return None if text is None else number(text)


def symbols(text: str) -> tuple[str, ...]:
    """``"A,B"`` as its parts."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
