"""What is typed on a command line, as values."""

from collections.abc import Iterable
from typing import Any

from brokers.errors import ConfigError

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


def symbols(text: str) -> tuple[str, ...]:
    """``"A,B"`` as its parts."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
