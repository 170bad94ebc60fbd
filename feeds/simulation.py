"""The daily path of the synthetic market: one market factor, eleven sector factors, sixty names.

Every factor and name has its own variance, a GJR-GARCH(1,1), which rises more after a fall
(Glosten, Jagannathan and Runkle 1993), and its own jumps; names gap on their earnings as well.
A fund's open and close are those of the basket of its members at fixed share counts; its high
and low are drawn, as a name's are.

Same seed, same bytes: past the random words there are only sums, products, quotients and square
roots of float64, which IEEE 754 rounds alike everywhere, taken element by element or one after
the other (no exp, log or power, no BLAS, no pairwise sum). Prices are then rounded to whole
cents and volumes to whole shares.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from feeds.bridge import Whole, peak, skewed, whole
from feeds.dice import Floats, normals, uniforms
from feeds.universe import MARKET, SECTORS, Traits, names, sectors, traits

MARKET_DEVIATION = 0.0095  # of a day's return: 15 % a year
SECTOR_DEVIATION = 0.0070
DRIFT = 0.0004  # a day: 10 % a year
NIGHT, DAY = sqrt(0.25), sqrt(0.75)  # a quarter of the variance comes overnight
SHOCK, FALL, MEMORY = 0.06, 0.10, 0.87  # GJR-GARCH, persistence 0.98
JUMP_CHANCE, JUMP = 0.008, 3.0  # a day; its size in deviations
EARNINGS = 0.05  # deviation of the gap on an earnings day
FLOOR = 100  # cents, below which no open and no close falls


@dataclass(frozen=True)
class Sessions:
    """What the simulation must know of each session; arrays are (sessions,)."""

    in_quarter: Whole  # 0 for the first session of its quarter
    length: Floats  # 1 for a whole session, less for a short one


@dataclass(frozen=True)
class Daily:
    """Prices in cents and volume in shares of one symbol; arrays are (sessions,)."""

    open: Whole
    high: Whole
    low: Whole
    close: Whole
    volume: Whole


@dataclass(frozen=True)
class _Returns:
    """Simple returns of one symbol, overnight and in the day, and the day's deviation."""

    night: Floats
    day: Floats
    deviation: Floats

    def times(self, loading: float) -> "_Returns":
        return _Returns(loading * self.night, loading * self.day, loading * self.deviation)

    def plus(self, other: "_Returns") -> "_Returns":
        variance = self.deviation * self.deviation + other.deviation * other.deviation
        return _Returns(self.night + other.night, self.day + other.day, np.sqrt(variance))


@dataclass(frozen=True)
class _Draw:
    """The random numbers of one symbol, by what they are for, (sessions,)."""

    seed: int
    symbol: str
    count: int

    def normals(self, use: str, each: int = 1) -> Floats:
        return normals(each * self.count, self.seed, self.symbol, use)

    def chances(self, use: str) -> Floats:
        return uniforms(self.count, self.seed, self.symbol, use)


def simulate(seed: int, sessions: Sessions) -> dict[str, Daily]:
    """All 72 symbols; a longer simulation begins with the shorter one."""
    known = traits(seed)
    draws = {symbol: _Draw(seed, symbol, len(sessions.length)) for symbol in names()}
    daily: dict[str, Daily] = {}
    for symbol, returns in _loaded(known, _own_returns(known, draws)).items():
        draw, trait = draws[symbol], known[symbol]
        ends = (
            _walk(draw, trait, returns, sessions)
            if symbol in sectors()
            else _basket(symbol, known, daily)
        )
        daily[symbol] = _finish(draw, trait, returns, ends, sessions)
    return daily


def earnings_sessions(trait: Traits, sessions: Sessions) -> npt.NDArray[np.bool_]:
    """True where a session opens with the name's earnings, (sessions,)."""
    opens: npt.NDArray[np.bool_] = sessions.in_quarter == trait.earnings
    return opens


def _own_returns(known: dict[str, Traits], draws: dict[str, _Draw]) -> dict[str, _Returns]:
    """What each factor (under its fund's symbol) and each name adds of its own."""
    deviations = {symbol: trait.deviation for symbol, trait in known.items()}
    deviations |= {sector.etf: SECTOR_DEVIATION for sector in SECTORS}
    deviations[MARKET] = MARKET_DEVIATION
    night = {symbol: draw.normals("night") for symbol, draw in draws.items()}
    day = {symbol: draw.normals("day") for symbol, draw in draws.items()}
    shocks = [NIGHT * night[symbol] + DAY * day[symbol] for symbol in draws]
    own = {}
    for symbol, clustered in zip(draws, _clustered(np.stack(shocks)), strict=True):
        deviation = deviations[symbol] * clustered
        jumps = JUMP * deviations[symbol] * _jumps(draws[symbol])
        own[symbol] = _Returns(
            NIGHT * deviation * night[symbol] + jumps,
            DAY * deviation * day[symbol],
            DAY * deviation,
        )
    return own


def _clustered(shocks: Floats) -> Floats:
    """Deviation of each day, 1 in the mean square, after standard shocks; both (sources, days)."""
    variance = np.ones(len(shocks))
    steady = 1.0 - SHOCK - FALL / 2.0 - MEMORY
    deviations = np.empty_like(shocks)
    for day, shock in enumerate(shocks.T):
        deviations[:, day] = np.sqrt(variance)
        news = (SHOCK + FALL * (shock < 0.0)) * (shock * shock)
        variance = steady + (news + MEMORY) * variance
    return deviations


def _jumps(draw: _Draw) -> Floats:
    return (draw.chances("jump") < JUMP_CHANCE) * draw.normals("jump size")


def _loaded(known: dict[str, Traits], own: dict[str, _Returns]) -> dict[str, _Returns]:
    """Returns of the names, then of the sector funds, then of the market fund.

    Of a fund only the deviation counts: its open and close are its basket's.
    """
    loaded = {}
    for sector in SECTORS:
        for symbol in sector.members:
            trait = known[symbol]
            factors = own[MARKET].times(trait.beta).plus(own[sector.etf].times(trait.loading))
            loaded[symbol] = factors.plus(own[symbol])
    for sector in SECTORS:
        market = own[MARKET].times(known[sector.etf].beta)
        loaded[sector.etf] = market.plus(own[sector.etf])
    return loaded | {MARKET: own[MARKET].times(known[MARKET].beta)}


def _walk(draw: _Draw, trait: Traits, returns: _Returns, sessions: Sessions) -> tuple[Whole, Whole]:
    """Opens and closes of a name, in cents."""
    gaps = EARNINGS * draw.normals("earnings") * earnings_sessions(trait, sessions)
    steps = np.empty(2 * draw.count)
    steps[0::2] = 1.0 + np.clip(returns.night + gaps, -0.5, 1.0)
    steps[1::2] = 1.0 + np.clip(returns.day + DRIFT, -0.5, 1.0)
    steps[0] = 100.0 * trait.price
    prices = np.maximum(whole(np.multiply.accumulate(steps)), FLOOR)
    return prices[0::2], prices[1::2]


def _basket(symbol: str, known: dict[str, Traits], drawn: dict[str, Daily]) -> tuple[Whole, Whole]:
    """Opens and closes of a fund, in cents: its members' worth over a fixed divisor."""
    everyone = tuple(sectors())
    members = next((sector.members for sector in SECTORS if sector.etf == symbol), everyone)
    shares = np.array([[known[name].shares] for name in members])
    opened = (shares * np.stack([drawn[name].open for name in members])).sum(axis=0)
    closed = (shares * np.stack([drawn[name].close for name in members])).sum(axis=0)
    unit = 100.0 * known[symbol].price / opened[0]
    return np.maximum(whole(opened * unit), FLOOR), np.maximum(whole(closed * unit), FLOOR)


def _finish(
    draw: _Draw, trait: Traits, returns: _Returns, ends: tuple[Whole, Whole], sessions: Sessions
) -> Daily:
    """Range and volume round a symbol's opens and closes."""
    opened, closed = ends
    reach = opened * returns.deviation
    high = whole(peak(opened, closed, reach, draw.normals("above", 2)))
    low = whole(-peak(-opened, -closed, reach, draw.normals("below", 2)))
    moved = np.abs(closed - opened) / (opened * (trait.deviation + MARKET_DEVIATION))
    busy = (0.7 + 0.5 * moved) * skewed(draw.normals("volume")) * sessions.length
    volume = np.maximum(whole(trait.turnover * busy), 1000)
    return Daily(opened, high, np.maximum(low, 1), closed, volume)
