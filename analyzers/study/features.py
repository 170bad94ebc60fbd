"""What a model may know: columnar features of daily bars, each with the bars that it looks back on.

A feature is NaN until its look-back is full, and depends on nothing before it.

Source: the estimators are those of `analyzers.volatility` and `analyzers.study.factors`; Cutler's
form of the relative strength index; Amihud (2002) for illiquidity.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers import volatility
from analyzers.columns import Columns
from analyzers.rolling import mean
from analyzers.study import factors
from analyzers.study.factors import MONTH, QUARTER, YEAR
from analyzers.study.ranks import mean_ranks
from strategies.arrays import highest, lowest, momentum, shift

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """What features are made of.

    Args:
        given: as they are, gaps and all.
        sectors: of the symbols; empty where they are not known.
    """

    given: Columns
    sectors: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def bars(self) -> Columns:
        """With gaps filled."""
        return self.given.shown_last()

    @cached_property
    def there(self) -> npt.NDArray[np.bool_]:
        """(T, N): who has a bar. Only they are compared: that a gap will end is not known in it."""
        return ~np.isnan(self.given.close)


@dataclass(frozen=True)
class Feature:
    """One column of a set.

    Args:
        lookback: bars that a value depends on, its own included.
        of: gives (T, N).
        needs: range, volume or sectors; without it the feature is NaN throughout.
    """

    name: str
    lookback: int
    of: Callable[[Known], Floats]
    needs: str = ""

    def values(self, known: Known) -> Floats:
        """(T, N); NaN where it is not determined."""
        has = {
            "": True,
            "range": known.bars.has_range,
            "volume": known.bars.has_volume,
            "sectors": bool(known.sectors),
        }
        if not has[self.needs]:
            return np.full(known.bars.shape, np.nan)
        return self.of(known)


def _growth(period: int, known: Known) -> Floats:
    return momentum(known.bars.close, period)


def _factor(name: str, known: Known) -> Floats:
    return factors.FACTORS[name](known.bars)


def _close_volatility(window: int, known: Known) -> Floats:
    return volatility.close_to_close(known.bars.close, window, YEAR)


def _range_volatility(name: str, known: Known) -> Floats:
    bars = known.bars
    if name == "parkinson":
        return volatility.parkinson(bars.high, bars.low, MONTH, YEAR)
    estimate: Callable[..., Floats] = getattr(volatility, name)
    return estimate(bars.open, bars.high, bars.low, bars.close, MONTH, YEAR)


def _volatility_ratio(known: Known) -> Floats:
    return _quotient(_close_volatility(MONTH, known), _close_volatility(QUARTER, known))


def _distance(window: int, known: Known) -> Floats:
    return _quotient(known.bars.close, mean(known.bars.close, window)) - 1.0


def _strength(known: Known) -> Floats:
    """Cutler's RSI, 0..100, over 14 changes; 50 where nothing moved."""
    change = known.bars.close - shift(known.bars.close, 1)
    up, down = mean(np.maximum(change, 0.0), 14), mean(np.maximum(-change, 0.0), 14)
    return np.where((up + down) == 0.0, 50.0, 100.0 * _quotient(up, up + down))


def _place(window: int, known: Known) -> Floats:
    """Where the close stands between lowest and highest close, 0..1; 0.5 in a flat range."""
    close = known.bars.close
    low = lowest(close, window)
    width = highest(close, window) - low
    return np.where(width == 0.0, 0.5, _quotient(close - low, width))


def _gap(known: Known) -> Floats:
    return _quotient(known.bars.open, shift(known.bars.close, 1)) - 1.0


def _body(known: Known) -> Floats:
    return _quotient(known.bars.close, known.bars.open) - 1.0


def _range(known: Known) -> Floats:
    return _quotient(known.bars.high - known.bars.low, known.bars.close)


def _volume_ratio(short: int, long: int, known: Known) -> Floats:
    volume = known.bars.volume
    return _quotient(mean(volume, short), mean(volume, long))


def _illiquidity(known: Known) -> Floats:
    """Mean of |return| over the money traded in millions, over 21 bars."""
    bars = known.bars
    return mean(_quotient(np.abs(momentum(bars.close, 1)), bars.close * bars.volume / 1e6), MONTH)


def _standing(of: Callable[[Known], Floats], known: Known) -> Floats:
    """Share of the symbols with a smaller value on that day, ties counting half, 0..1."""
    values = of(known)
    there = ~np.isnan(values) & known.there
    count = there.sum(axis=1, keepdims=True)
    ranks = mean_ranks(np.where(there, values, np.nan))
    share: Floats = np.divide(ranks - 0.5, count, out=np.full(values.shape, np.nan), where=there)
    return share


def _against_sector(period: int, known: Known) -> Floats:
    """Return less the mean return of the sector's symbols; NaN without a sector."""
    values = np.where(known.there, momentum(known.bars.close, period), np.nan)
    sectors = [known.sectors.get(symbol) for symbol in known.bars.symbols]
    out = np.full(values.shape, np.nan)
    for sector in sorted({name for name in sectors if name is not None}):
        members = np.array([name == sector for name in sectors])
        there = ~np.isnan(values[:, members])
        count = np.maximum(there.sum(axis=1, keepdims=True), 1)
        total = np.where(there, values[:, members], 0.0).sum(axis=1, keepdims=True)
        out[:, members] = values[:, members] - total / count
    return out


def _calendar(of: Callable[[pd.DatetimeIndex], Floats], known: Known) -> Floats:
    column = of(known.bars.index)[:, None]
    return np.where(np.isnan(known.bars.close), np.nan, column)


def _weekday(index: pd.DatetimeIndex) -> Floats:
    return np.asarray(index.day_of_week, dtype=np.float64)


def _month(index: pd.DatetimeIndex) -> Floats:
    return np.asarray(index.month, dtype=np.float64)


def _month_progress(index: pd.DatetimeIndex) -> Floats:
    """Day of the month over its length: both are known in advance."""
    length = np.asarray(index.days_in_month, dtype=np.float64)
    return np.asarray(index.day, dtype=np.float64) / length


def _quotient(over: Floats, under: Floats) -> Floats:
    """NaN where the divisor is zero."""
    out = np.full(over.shape, np.nan)
    np.divide(over, under, out=out, where=under != 0)
    return out


_RANGE_ESTIMATES = {"parkinson": 21, "garman_klass": 21, "rogers_satchell": 21, "yang_zhang": 22}

FEATURES: Final[tuple[Feature, ...]] = (
    *(Feature(f"return_{n}", n + 1, partial(_growth, n)) for n in (1, 2, 5, 10, 21, 63, 126, 252)),
    Feature("momentum_12_1", YEAR + 1, partial(_factor, "momentum_12_1")),
    Feature("near_high", YEAR, partial(_factor, "near_high")),
    Feature("trend_quality", factors.TREND, partial(_factor, "trend_quality")),
    *(Feature(f"volatility_{n}", n + 1, partial(_close_volatility, n)) for n in (21, 63)),
    *(
        Feature(name, lookback, partial(_range_volatility, name), "range")
        for name, lookback in _RANGE_ESTIMATES.items()
    ),
    Feature("volatility_ratio", QUARTER + 1, _volatility_ratio),
    *(Feature(f"above_mean_{n}", n, partial(_distance, n)) for n in (20, 50, 200)),
    Feature("strength_14", 15, _strength),
    *(Feature(f"range_place_{n}", n, partial(_place, n)) for n in (20, 252)),
    Feature("gap", 2, _gap, "range"),
    Feature("body", 1, _body, "range"),
    Feature("range", 1, _range, "range"),
    Feature("volume_ratio", 20, partial(_volume_ratio, 1, 20), "volume"),
    Feature("volume_trend", 63, partial(_volume_ratio, 5, 63), "volume"),
    Feature("liquidity", QUARTER, partial(_factor, "liquidity"), "volume"),
    Feature("illiquidity", MONTH + 1, _illiquidity, "volume"),
    *(
        Feature(f"standing_return_{n}", n + 1, partial(_standing, partial(_growth, n)))
        for n in (5, 21, 63, 252)
    ),
    Feature("standing_volatility", 22, partial(_standing, partial(_close_volatility, MONTH))),
    *(
        Feature(f"against_sector_{n}", n + 1, partial(_against_sector, n), "sectors")
        for n in (5, 21, 63)
    ),
    Feature("weekday", 1, partial(_calendar, _weekday)),
    Feature("month", 1, partial(_calendar, _month)),
    Feature("month_progress", 1, partial(_calendar, _month_progress)),
)  # fmt: skip
"""All features, in the order of a set's columns."""
