"""Which bars are wanted, as a value that can be written down and asked for again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from feeds.sources import history
from feeds.timeframe import Timeframe

_ASKED = ("source", "symbols", "start", "end", "timeframe")


@dataclass(frozen=True)
class BarsSpec:
    """Which bars `feeds.history` is to bring.

    Args:
        source: a feed by name, such as ``files``.
        symbols: empty for all that the source has.
        start: first date, ``YYYY-MM-DD``; None for the earliest bar.
        end: last date, inclusive; None for the latest bar.
        timeframe: such as ``5m``; None for the source's own, 1d where it has several.
        options: the source's own options, such as ``path``.

    Raises:
        ConfigError: an unknown timeframe.
    """

    source: str = "synthetic"
    symbols: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    timeframe: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.timeframe is not None:
            Timeframe.parse(self.timeframe)

    def as_dict(self) -> dict[str, Any]:
        """What was asked for, without keys and objects among the options."""
        told = {
            name: value if isinstance(value, bool | int | float) else str(value)
            for name, value in self.options.items()
            if isinstance(value, bool | int | float | str | Path) and "key" not in name
        }
        return {**{name: getattr(self, name) for name in _ASKED}, "options": told}

    def fetch(self) -> dict[str, pd.DataFrame]:
        """The bars by symbol; errors as of `feeds.history`."""
        return history(
            self.source, self.symbols, self.start, self.end, self.timeframe, **self.options
        )
