"""Any value as something that JSON can hold."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import isfinite
from numbers import Integral, Real
from pathlib import Path
from typing import Any


def plain(value: Any) -> Any:
    """Numbers, texts, lists and mappings of them; never a memory address.

    What JSON has no number for (NaN, infinity, more than 64 bits) becomes text, and so does the
    name of a class, a function or the class of an object.

    >>> plain({"size": float("inf"), "sizer": dict, "steps": (1, None)})
    {'size': 'inf', 'sizer': 'dict', 'steps': [1, None]}
    """
    if value is None or isinstance(value, str | bool | Decimal | date | Path):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Real):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, timedelta):
        return str(value)
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _number(value: Real) -> int | float | str:
    if isinstance(value, Integral):
        return int(value) if int(value).bit_length() < 64 else str(value)
    return float(value) if isfinite(value) else str(float(value))
