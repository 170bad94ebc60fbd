"""One synthetic market: its sessions, its daily path, and its minutes when they are asked for."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from feeds import bridge, calendars
from feeds.bridge import Chance, Day, Whole
from feeds.dice import normals, uniforms
from feeds.ranges import midnights
from feeds.simulation import MARKET_DEVIATION, SECTOR_DEVIATION, Sessions, simulate
from feeds.universe import home, traits

CALENDAR, ZONE = "XNYS", "America/New_York"
FIRST, LAST = "2016-01-04", "2025-12-31"
_MINUTES = 390  # of a whole session
_MINUTE = pd.Timedelta(minutes=1)


@dataclass(frozen=True)
class Market:
    """What one seed makes of every session.

    Args:
        dates: of the sessions, naive.
        opens: of the sessions, in UTC.
        lengths: of the sessions, in minutes.
        days: symbol -> open, high, low, close in cents and volume in shares, (5, sessions).
    """

    seed: int
    dates: pd.DatetimeIndex
    opens: pd.DatetimeIndex
    lengths: Whole
    days: dict[str, Whole]

    @property
    def midnights(self) -> pd.DatetimeIndex:
        """When the dates begin in New York, in UTC."""
        return midnights(self.dates, ZONE)

    @property
    def closes(self) -> pd.DatetimeIndex:
        """The ends of the sessions, in UTC."""
        return self.opens + pd.to_timedelta(self.lengths, unit="min")

    def minutes(self, symbol: str, session: int) -> Whole:
        """The minutes of one session, (5, minutes), with rows as in `days`."""
        day = Day(*self.days[symbol][:, session].tolist())
        return bridge.minutes(day, self._chance(symbol, session))

    def _chance(self, symbol: str, session: int) -> Chance:
        """Random numbers of symbol and date; the steps share what moves market and sector."""
        seed, count = self.seed, int(self.lengths[session])
        date, trait = f"{self.dates[session]:%Y-%m-%d}", traits(self.seed)[symbol]
        weights = np.array(
            [trait.beta * MARKET_DEVIATION, trait.loading * SECTOR_DEVIATION, trait.deviation]
        )
        weights /= np.sqrt(np.add.accumulate(weights * weights)[-1])
        return Chance(
            steps=weights[0] * normals(count, seed, "market", date)
            + weights[1] * normals(count, seed, home(symbol), "sector", date)
            + weights[2] * normals(count, seed, symbol, date, "steps"),
            above=normals(2 * count, seed, symbol, date, "above"),
            below=normals(2 * count, seed, symbol, date, "below"),
            volume=normals(count, seed, symbol, date, "volume"),
            extremes=uniforms(2, seed, symbol, date, "extremes"),
        )


@lru_cache(maxsize=2)
def market(seed: int) -> Market:
    """The market of one seed over all its sessions."""
    dates = calendars.sessions(CALENDAR, FIRST, LAST)
    opens = calendars.session_open(CALENDAR, dates)
    lengths = ((calendars.session_close(CALENDAR, dates) - opens) // _MINUTE).to_numpy(np.int64)
    quarter = dates.to_period("Q").asi8
    in_quarter = np.arange(len(dates)) - np.searchsorted(quarter, quarter)
    daily = simulate(seed, Sessions(in_quarter, lengths / _MINUTES))
    days = {
        symbol: np.stack((day.open, day.high, day.low, day.close, day.volume))
        for symbol, day in daily.items()
    }
    return Market(seed, dates, opens, lengths, days)


def merged(bars: Whole, firsts: Whole) -> Whole:
    """Longer bars, (5, len(firsts)), each from one of `firsts` up to the next."""
    lasts = np.append(firsts[1:], bars.shape[1]) - 1
    return np.stack(
        (
            bars[0, firsts],
            np.maximum.reduceat(bars[1], firsts),
            np.minimum.reduceat(bars[2], firsts),
            bars[3, lasts],
            np.add.reduceat(bars[4], firsts),
        )
    )
