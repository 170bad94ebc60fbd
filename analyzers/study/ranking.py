"""Which of many symbols rank highest, and whether such ranks have foretold anything.

A score is the weighted mean of factors, each standardised across the symbols of a day. Only what
was known on a day ranks it: a symbol before its first bar or after its last has no rank, and stays
in the past days on which it had one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import nan
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.columns import Columns, Frames
from analyzers.document import Document, Number, Part
from analyzers.doubts import doubts
from analyzers.study import evaluation
from analyzers.study.factors import FACTORS, NEEDS_VOLUME, standardised
from brokers.errors import ConfigError, DataError
from strategies.arrays import rank

Floats = npt.NDArray[np.float64]

WEIGHTS = {
    "momentum_12_1": 1.0,
    "reversal": 0.25,
    "low_volatility": 0.5,
    "near_high": 0.5,
    "trend_quality": 0.5,
    "liquidity": 0.0,
}


@dataclass(frozen=True)
class RankingSettings:
    """What decides a ranking.

    Args:
        weights: of the factors by name; those left out count nothing.
        neutral: compare each symbol with its own sector only.
        limit: standardised factors are cut at plus and minus this.
        horizons: bars over which scores are judged.
        lag: bars from a score to the entry that it is judged by; 1 is the next close.
        every: bars from one judged day to the next.
        quantiles: groups of equal size.

    Raises:
        ConfigError: an unknown factor, no weight at all, or a number that makes no sense.
    """

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    neutral: bool = False
    limit: float = 3.0
    horizons: tuple[int, ...] = (5, 21, 63, 126)
    lag: int = 1
    every: int = 21
    quantiles: int = 5

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.weights) - set(FACTORS)):
            raise ConfigError(f"no factor {unknown[0]!r}: there are {', '.join(FACTORS)}")
        if not any(self.weights.values()):
            raise ConfigError("every weight is zero: give at least one factor a weight")
        least = {"lag": 0, "every": 1, "quantiles": 2}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ConfigError(f"{name}={getattr(self, name)}: at least {low}")
        if not self.horizons or min(self.horizons) < 1:
            raise ConfigError(f"horizons={self.horizons}: give at least one, in bars")


class Ranked(Part):
    """One symbol on the last day; no rank has a `reason`."""

    symbol: str
    sector: str | None
    rank: int | None
    score: Number
    factors: dict[str, Number]
    reason: str | None


class Judged(Part):
    """How scores and the returns of the `horizon` bars after them went together.

    Returns are simple and per horizon; the t statistic counts the overlap of neighbouring days.
    """

    horizon: int
    days: int
    mean_symbols: Number
    ic_mean: Number
    ic_deviation: Number
    ic_t: Number
    ic_positive: Number
    quantile_returns: tuple[Number, ...]
    spread: Number


class RankingReport(Document):
    """The ranking of the last day, and what earlier ones were worth."""

    VERSION: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "python -m analyzers ranking"

    as_of: date
    generated_at: datetime
    source: str
    adjustment: str
    universe: int
    missing: dict[str, str]
    doubts: dict[str, str]
    settings: dict[str, float | int | bool | tuple[int, ...] | dict[str, float]]
    ranking: tuple[Ranked, ...]
    judged: tuple[Judged, ...]
    turnover: Number
    rank_correlation: Number

    def _repr_html_(self) -> str:
        from analyzers.report_cards import of_ranking  # noqa: PLC0415  it imports this module

        return of_ranking(self)


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of every day.

    Args:
        score: (T, N); NaN where a factor with a weight is not known.
        rank: (T, N), 1 the highest.
        factors: as they are, not standardised, by name, (T, N).
    """

    bars: Columns
    score: Floats
    rank: Floats
    factors: Mapping[str, Floats]

    def table(self) -> pd.DataFrame:
        """A row a day and symbol that have a score: time, symbol, score, rank, factors."""
        rows, columns = np.nonzero(~np.isnan(self.score))
        return pd.DataFrame(
            {
                "time": self.bars.index[rows],
                "symbol": np.array(self.bars.symbols, dtype=object)[columns],
                "score": self.score[rows, columns],
                "rank": self.rank[rows, columns].astype(np.int64),
                **{name: values[rows, columns] for name, values in self.factors.items()},
            }
        )


def scores(
    bars: Columns, settings: RankingSettings, sectors: Mapping[str, str] | None = None
) -> Scores:
    """Score every symbol on every day.

    Args:
        bars: daily.
        sectors: of the symbols; one without a sector has no score where `neutral`.

    Raises:
        ConfigError: `neutral` without any sector.
    """
    groups = _groups(bars, sectors) if settings.neutral else None
    filled = bars.shown_last()
    weights = {name: weight for name, weight in settings.weights.items() if weight}
    total = np.zeros(bars.shape)
    factors = {}
    for name in FACTORS:
        known = bars.has_volume or name not in NEEDS_VOLUME
        factors[name] = FACTORS[name](filled) if known else np.full(bars.shape, nan)
        factors[name][np.isnan(bars.close)] = nan
        if name in weights:
            total += weights[name] * standardised(factors[name], groups, settings.limit)
    score = total / sum(abs(weight) for weight in weights.values())
    if groups is not None:
        score[:, groups < 0] = nan
    return Scores(bars, score, rank(score), factors)


def _groups(bars: Columns, sectors: Mapping[str, str] | None) -> npt.NDArray[np.intp]:
    if not sectors:
        raise ConfigError("neutral compares symbols within their sectors: give the sectors")
    names = sorted(set(sectors.values()))
    places = [names.index(sectors[name]) if name in sectors else -1 for name in bars.symbols]
    return np.array(places, dtype=np.intp)


def ranking(
    frames: Frames,
    *,
    generated_at: datetime,
    settings: RankingSettings | None = None,
    sectors: Mapping[str, str] | None = None,
    missing: Mapping[str, str] | None = None,
) -> RankingReport:
    """Rank the symbols on the last day that any of them has a bar.

    Args:
        frames: daily bars by symbol, those that have ended too.
        generated_at: goes into the report.
        missing: symbols of the universe that have no bars, with the reason.

    Raises:
        ConfigError: the settings contradict the data.
        DataError: there are no bars.
    """
    used = settings or RankingSettings()
    scored = scores(Columns.of(frames), used, sectors)
    return report(scored, used, generated_at, sectors or {}, missing or {})


def report(
    scored: Scores,
    settings: RankingSettings,
    generated_at: datetime,
    sectors: Mapping[str, str],
    missing: Mapping[str, str],
) -> RankingReport:
    """See `ranking`."""
    bars = scored.bars
    if not len(bars.index):
        raise DataError("ranking: there are no bars: ask for a longer period")
    days = np.arange(len(bars.index) - 1, -1, -settings.every)[::-1]
    groups = evaluation.quantiles(scored.score[days], settings.quantiles)
    passports = list(bars.passports.values())
    return RankingReport(
        schema_version=RankingReport.VERSION,
        as_of=bars.index[-1].date(),
        generated_at=generated_at,
        source=", ".join(sorted({passport.source for passport in passports})) or "frame",
        adjustment=", ".join(sorted({passport.adjustment for passport in passports})) or "unknown",
        universe=len(bars.symbols) + len(missing),
        missing=dict(sorted(missing.items())),
        doubts=doubts(bars),
        settings={
            "weights": dict(settings.weights), "neutral": settings.neutral,
            "limit": settings.limit, "horizons": settings.horizons, "lag": settings.lag,
            "every": settings.every, "quantiles": settings.quantiles,
        },
        ranking=_last_day(scored, settings, sectors),
        judged=tuple(_judged(scored, settings, days, groups, it) for it in settings.horizons),
        turnover=_mean(evaluation.turnover(groups, settings.quantiles - 1)),
        rank_correlation=_mean(
            evaluation.information_coefficients(scored.score[days][:-1], scored.score[days][1:])
        ),
    )  # fmt: skip


def _last_day(
    scored: Scores, settings: RankingSettings, sectors: Mapping[str, str]
) -> tuple[Ranked, ...]:
    """Ranked symbols first, then the others by name with the reason."""
    bars = scored.bars
    rows = [
        Ranked(
            symbol=symbol,
            sector=sectors.get(symbol),
            rank=None if np.isnan(scored.rank[-1, place]) else int(scored.rank[-1, place]),
            score=float(scored.score[-1, place]),
            factors={name: float(table[-1, place]) for name, table in scored.factors.items()},
            reason=_reason(scored, settings, place, sectors),
        )
        for place, symbol in enumerate(bars.symbols)
    ]
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank, row.symbol)))


def _reason(
    scored: Scores, settings: RankingSettings, place: int, sectors: Mapping[str, str]
) -> str | None:
    bars, symbol = scored.bars, scored.bars.symbols[place]
    if not np.isnan(scored.score[-1, place]):
        return None
    have = np.flatnonzero(~np.isnan(bars.close[:, place]))
    if have[-1] < len(bars.index) - 1:
        return f"its last bar is of {bars.index[have[-1]]:%Y-%m-%d}"
    used = [name for name, weight in settings.weights.items() if weight]
    unknown = [name for name in used if np.isnan(scored.factors[name][-1, place])]
    if unknown:
        return f"{len(have)} bars do not determine {', '.join(unknown)}"
    return "it has no sector" if symbol not in sectors else "a factor is not known"


def _judged(
    scored: Scores,
    settings: RankingSettings,
    days: npt.NDArray[np.intp],
    groups: npt.NDArray[np.int64],
    horizon: int,
) -> Judged:
    close = scored.bars.shown_last().close
    ahead = evaluation.forward_returns(close, horizon, settings.lag)[days]
    score = scored.score[days]
    found = evaluation.information_coefficients(score, ahead)
    known = found[~np.isnan(found)]
    returns = evaluation.quantile_returns(groups, ahead, settings.quantiles)
    means = [_mean(returns[:, group]) for group in range(settings.quantiles)]
    both = ~(np.isnan(score) | np.isnan(ahead))
    lags = -(-horizon // settings.every) - 1
    return Judged(
        horizon=horizon,
        days=len(known),
        mean_symbols=_mean(both.sum(axis=1)[~np.isnan(found)].astype(np.float64)),
        ic_mean=_mean(known),
        ic_deviation=float(np.std(known, ddof=1)) if len(known) > 1 else nan,
        ic_t=evaluation.newey_west_t(known, lags),
        ic_positive=_mean((known > 0).astype(np.float64)),
        quantile_returns=tuple(means),
        spread=means[-1] - means[0],
    )


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else nan
