"""How the members of one sector stand to each other: breadth, dispersion, correlation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analyzers.sectors.parts import Breadth, Contributor
from analyzers.sectors.settings import YEAR, SectorSettings
from strategies.arrays import momentum, sma

Floats = npt.NDArray[np.float64]

NAMED = 3  # best and worst
MEANS = (20, 50, 200)
STILL = 1e-12  # a difference of returns that is rounding alone
_EDGES = ((np.max, -np.inf), (np.min, np.inf))


@dataclass(frozen=True, eq=False)
class Members:
    """The members of all sectors, on the last day.

    Args:
        above: by bars of the mean, 1 above it, 0 not, NaN unknown.
        daily: the last return.
        spread: the return that dispersion and contributors look at.
        high, low: 1 at a new one of the year, 0 not, NaN unknown.
        recent: (rows, N), the daily returns that are correlated.
    """

    symbols: tuple[str, ...]
    above: dict[int, Floats]
    daily: Floats
    spread: Floats
    high: Floats
    low: Floats
    recent: Floats

    @staticmethod
    def of(symbols: tuple[str, ...], close: Floats, raw: Floats, used: SectorSettings) -> "Members":
        """Measure all members at once.

        Args:
            close: (T, N), gaps shown by the last close.
            raw: the same, gaps as they are.
        """
        before, now = close[-YEAR:-1], close[-1]
        known = ~np.isnan(before).any(axis=0) & (len(before) == YEAR - 1)
        top, bottom = (edge(before, axis=0, initial=start) for edge, start in _EDGES)
        means = {bars: sma(close, bars)[-1] for bars in MEANS}
        return Members(
            symbols=symbols,
            above={bars: _flag(now > mean, mean) for bars, mean in means.items()},
            daily=momentum(close, 1)[-1],
            spread=momentum(close, used.spread)[-1],
            high=np.where(known, now > top, np.nan),
            low=np.where(known, now < bottom, np.nan),
            recent=momentum(raw, 1)[-used.correlation :],
        )

    def breadth(self, own: npt.NDArray[np.bool_], least: int) -> Breadth:
        """Of the members marked in `own`; nothing where fewer than `least` are known."""
        high, low = (_count(flags[own], least) for flags in (self.high, self.low))
        above = {bars: _share(flags[own], least) for bars, flags in self.above.items()}
        daily = self.daily[own]
        return Breadth(
            above_20=above[20],
            above_50=above[50],
            above_200=above[200],
            advancers=_count(_flag(daily > 0, daily), least),
            decliners=_count(_flag(daily < 0, daily), least),
            new_highs=high,
            new_lows=low,
            net_new_highs=None if high is None or low is None else high - low,
        )

    def dispersion(self, own: npt.NDArray[np.bool_], least: int) -> float:
        """Deviation (ddof 1) of the members' returns; NaN of fewer than two."""
        known = _known(self.spread[own])
        return float(known.std(ddof=1)) if len(known) >= max(least, 2) else np.nan

    def correlation(self, own: npt.NDArray[np.bool_], least: int, rows: int) -> float:
        """Mean of all pairs of members that have every return and do not stand still."""
        table = self.recent[:, own]
        moving = ~np.isnan(table).any(axis=0) & (table.max(axis=0) - table.min(axis=0) > STILL)
        count = int(moving.sum())
        if count < max(least, 2) or len(table) < rows:
            return np.nan
        matrix = np.corrcoef(table[:, moving], rowvar=False)
        return float((matrix.sum() - np.trace(matrix)) / (count * (count - 1)))

    def contributors(
        self, own: npt.NDArray[np.bool_], least: int
    ) -> tuple[tuple[Contributor, ...], tuple[Contributor, ...]]:
        """The best and the worst, each from the utmost inwards; symbols break ties."""
        places = [int(place) for place in np.flatnonzero(own & ~np.isnan(self.spread))]
        if len(places) < least:
            return (), ()
        told = [
            Contributor(
                symbol=self.symbols[place],
                returned=float(self.spread[place]),
                contribution=float(self.spread[place]) / len(places),
            )
            for place in sorted(places, key=lambda place: (-self.spread[place], place))
        ]
        return tuple(told[:NAMED]), tuple(told[-NAMED:][::-1])


def _flag(holds: npt.NDArray[np.bool_], of: Floats) -> Floats:
    return np.where(np.isnan(of), np.nan, holds)


def _known(values: Floats) -> Floats:
    known: Floats = values[~np.isnan(values)]
    return known


def _share(flags: Floats, least: int) -> float:
    known = _known(flags)
    return float(known.mean()) if len(known) >= max(least, 1) else np.nan


def _count(flags: Floats, least: int) -> int | None:
    known = _known(flags)
    return int(known.sum()) if len(known) >= max(least, 1) else None
