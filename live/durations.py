"""Spans of time as one types them."""

import re

from brokers.errors import ConfigError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def seconds(text: str) -> float:
    """Read a span such as 60s, 5m, 1.5h or 2d.

    Raises:
        ConfigError: it is none, or not above zero.

    >>> seconds("1.5h")
    5400.0
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ConfigError(f"{text!r} is no span of time: write 60s, 5m, 1.5h or 2d")
    return float(found[1]) * _UNITS[found[2]]


def speed(text: str) -> float:
    """Read an acceleration such as 60x.

    Raises:
        ConfigError: it is none, or not above zero.

    >>> speed("60x")
    60.0
    """
    number = text.strip().removesuffix("x")
    if number == text.strip() or not re.fullmatch(r"\d+(\.\d+)?", number) or not float(number):
        raise ConfigError(f"{text!r} is no speed: write 60x, or 1x for real time")
    return float(number)
