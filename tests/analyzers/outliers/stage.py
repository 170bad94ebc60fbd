"""Small markets of minutes and days whose outliers are planted."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd

from analyzers.outlier import Limits, OutlierReport, outliers
from feeds import calendars
from feeds.passport import stamp

NOW = datetime(2024, 3, 1, tzinfo=UTC)
DAY = date(2024, 2, 7)  # a Wednesday
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "SPY")
SECTORS = dict.fromkeys(SYMBOLS[:6], "Energy")
COLUMNS = ("open", "high", "low", "close", "volume")


def bars(rows: Sequence[Sequence[float]], index: pd.DatetimeIndex) -> pd.DataFrame:
    """A bar frame of rows open, high, low, close, volume."""
    return pd.DataFrame(rows, columns=list(COLUMNS), index=index.rename("time"), dtype="float64")


def session(day: str, count: int = 10, step: int = 1) -> pd.DatetimeIndex:
    """Starts of the first bars of a session."""
    opened = calendars.session_open("XNYS", pd.DatetimeIndex([day]))[0]
    return pd.date_range(opened, periods=count, freq=f"{step}min")


def flat(index: pd.DatetimeIndex, price: float = 100.0, volume: float = 1000.0) -> pd.DataFrame:
    """Bars of one price, a dollar wide to either side."""
    return bars([[price, price + 1, price - 1, price, volume]] * len(index), index)


def walk(index: pd.DatetimeIndex, seed: int, deviation: float, start: float = 100.0) -> Any:
    """Bars of a seeded random walk."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0.0, deviation, len(index))))
    opened = np.concatenate(([start], close[:-1]))
    wide = np.maximum(opened, close) * 0.001
    rows = np.column_stack(
        (opened, np.maximum(opened, close) + wide, np.minimum(opened, close) - wide, close,
         rng.integers(500, 1500, len(index)).astype(float))
    )  # fmt: skip
    return bars(rows, index)


class Stage:
    """A market of quiet symbols: 20 sessions of ten minutes before DAY, and 80 days.

    Args:
        symbols: who trades.
        minutes: of each session.
    """

    def __init__(self, symbols: Sequence[str] = SYMBOLS, minutes: int = 10) -> None:
        self.dates = calendars.sessions("XNYS", "2023-10-02", DAY)
        self.daily: dict[str, pd.DataFrame] = {}
        self.bars: dict[str, pd.DataFrame] = {}
        for number, symbol in enumerate(sorted(symbols)):
            days = self.dates[:-1].tz_localize("UTC")
            self.daily[symbol] = walk(days, 100 + number, 0.01)
            close = self.daily[symbol]["close"].to_numpy()
            parts = [
                walk(session(str(day.date()), minutes), 1000 * number + place, 0.0005, close[place])
                for place, day in zip(
                    range(len(close) - 21, len(close)), self.dates[-21:], strict=True
                )
            ]
            self.bars[symbol] = pd.concat(parts)

    def stamped(self, symbol: str, **facts: Any) -> None:
        """Give the minutes of a symbol a passport."""
        frame = self.bars[symbol]
        self.bars[symbol] = stamp(frame, symbol=symbol, source="files", timeframe="1m", **facts)

    def today(self, symbol: str) -> pd.DataFrame:
        """The bars of DAY."""
        return self.bars[symbol][self.bars[symbol].index >= pd.Timestamp(DAY, tz="UTC")]

    def set(self, symbol: str, rows: slice, column: str, value: Any) -> None:
        """Change bars of DAY; high and low follow."""
        frame = self.bars[symbol]
        places = np.arange(len(frame))[frame.index >= pd.Timestamp(DAY, tz="UTC")][rows]
        frame = frame.copy()
        frame.iloc[places, COLUMNS.index(column)] = value
        frame["high"] = frame[["open", "high", "low", "close"]].max(axis=1)
        frame["low"] = frame[["open", "high", "low", "close"]].min(axis=1)
        self.bars[symbol] = frame

    def scale(self, symbol: str, factor: float) -> None:
        """Multiply the prices of DAY."""
        frame = self.bars[symbol].copy()
        today = frame.index >= pd.Timestamp(DAY, tz="UTC")
        frame.loc[today, ["open", "high", "low", "close"]] *= factor
        self.bars[symbol] = frame

    def drop(self, symbol: str, rows: slice) -> None:
        """Take bars of DAY away."""
        today = self.today(symbol).index[rows]
        self.bars[symbol] = self.bars[symbol].drop(today)

    def report(self, **options: Any) -> OutlierReport:
        """The screen of DAY."""
        options = {"sectors": SECTORS, "generated_at": NOW, **options}
        return outliers(self.bars, self.daily, [DAY], **options)

    def hits(self, symbol: str, **options: Any) -> list[Any]:
        """The hits of one symbol."""
        return [hit for hit in self.report(**options).days[0].hits if hit.symbol == symbol]

    def nulls(self, **options: Any) -> dict[str, Mapping[str, tuple[str, ...]]]:
        """Signal -> reason -> symbols."""
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for one in self.report(**options).days[0].nulls:
            found.setdefault(one.signal, {})[one.reason] = one.symbols
        return found


EASY = Limits(least_sessions=2, least_residual_days=5, residual_days=20)
