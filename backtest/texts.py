"""What is typed on a command line of a run, as values."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from analyzers.texts import number, options, pairs, symbols
from brokers.errors import ConfigError
from brokers.risk import RiskLimits

__all__ = ["limits", "number", "options", "pairs", "size", "symbols"]


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


def size(text: str | None) -> float | str | None:
    """A number of units; ``"95%"`` and what is wrong stay texts, for others to read or refuse."""
    return None if text is None else number(text)
