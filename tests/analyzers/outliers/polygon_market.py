"""A local Polygon that trades what a stage does."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from tests.analyzers.outliers.stage import Stage
from tests.feeds.servers import Reply, Request

TOO_MANY = Reply.of({"status": "ERROR", "error": "too many"}, 429)


class Market:
    """Polygon's aggregates and reference data of a stage; it can fall silent after some calls."""

    def __init__(self, stage: Stage) -> None:
        self._rows = {
            (symbol, unit): _aggregates(frame, unit)
            for unit, frames in (("minute", stage.bars), ("day", stage.daily))
            for symbol, frame in frames.items()
        }
        self.actions: dict[str, list[dict[str, Any]]] = {"splits": [], "dividends": []}
        self.fails_after: int | None = None
        self.failure = TOO_MANY
        self.calls = 0

    def __call__(self, request: Request) -> Reply:
        self.calls += 1
        if self.fails_after is not None and self.calls > self.fails_after:
            return self.failure
        parts = request.path.strip("/").split("/")
        if parts[2] == "grouped":
            return Reply.of({"status": "OK", "results": self._grouped(parts[-1])})
        if parts[0] == "v3":
            return Reply.of({"status": "OK", "results": self.actions[parts[-1]]})
        rows = self._rows.get((parts[3], parts[6]), [])
        return Reply.of({"status": "OK", "results": rows} if rows else {"status": "OK"})

    def add(self, symbols: Sequence[str]) -> None:
        """More symbols, which trade as SPY does in the last two sessions."""
        for symbol in symbols:
            self._rows[symbol, "minute"] = self._rows["SPY", "minute"][-20:]

    def _grouped(self, day: str) -> list[dict[str, Any]]:
        """The day of every symbol."""
        opened = pd.Timestamp(day, tz="America/New_York").timestamp() * 1000
        return [
            {"T": symbol, **row}
            for (symbol, unit), rows in self._rows.items()
            for row in rows
            if unit == "day" and row["t"] == opened
        ]


def _aggregates(frame: pd.DataFrame, unit: str) -> list[dict[str, Any]]:
    starts = pd.DatetimeIndex(frame.index)
    if unit == "day":
        starts = starts.tz_localize(None).tz_localize("America/New_York").tz_convert("UTC")
    times = starts.as_unit("ms").asi8.tolist()
    return [
        {"t": time, **dict(zip("ohlcv", row, strict=True))}
        for time, row in zip(times, frame.to_numpy().tolist(), strict=True)
    ]
