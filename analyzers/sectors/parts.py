"""The sector report as typed values; what the data do not determine is null, with the reason."""

from datetime import date, datetime
from typing import ClassVar, Literal

from analyzers.document import Document, Number, Part

Quadrant = Literal["leading", "weakening", "lagging", "improving"]
Reasons = dict[str, str]


class Measures(Part):
    """What one line of prices has done: a sector's fund, or its members in equal shares.

    Returns are simple, 0.1 for ten per cent, by bars: "1", "5", ..., "252", and "ytd". Of members
    they are the mean of the members' own over that time; everything from `strength_level` on but
    volatility and volume is of the line that holds equal shares anew each day. Volatility and
    volume of members are the mean of the members' own.

    Args:
        excess: returns less those of the benchmark.
        rank: 1 the highest of the ranked return.
        rank_change: places won since then; negative where lost.
        strength_level: line over benchmark, 100 a year (252 bars) ago.
        strength_slope: of its logarithm by least squares, a year.
        strength_percentile: share (0..1) of the year's levels that are not above the last.
        beta: of 252 daily returns towards the benchmark.
        residual_return: sum of what beta leaves of those 252.
        volatility: a year, Yang and Zhang.
        drawdown: from the highest close of 252 bars, 0 or below.
        volume_ratio: volume over its mean.
        rotation_strength: relative strength over its mean, less 1.
        rotation_momentum: the change of that.
        quadrant: of the last two: leading (both at least 0), weakening, lagging, improving.
    """

    returns: dict[str, Number]
    excess: dict[str, Number]
    rank: int | None
    rank_change: int | None
    momentum_12_1: Number
    strength_level: Number
    strength_slope: Number
    strength_percentile: Number
    beta: Number
    residual_return: Number
    volatility: Number
    drawdown: Number
    volume_ratio: Number
    rotation_strength: Number
    rotation_momentum: Number
    quadrant: Quadrant | None
    reasons: Reasons


class Breadth(Part):
    """How many members go with the sector; shares are 0..1 of those that have enough bars.

    A new high is a close above those of the 251 bars before it.
    """

    above_20: Number
    above_50: Number
    above_200: Number
    advancers: int | None
    decliners: int | None
    new_highs: int | None
    new_lows: int | None
    net_new_highs: int | None


class Contributor(Part):
    """A member, its return, and its part of the mean of the members' returns."""

    symbol: str
    returned: Number
    contribution: Number


class SectorPart(Part):
    """One sector; without `equal` or `fund` the `reasons` say why."""

    name: str
    etf: str
    members_total: int
    members_used: int
    equal: Measures | None
    fund: Measures | None
    breadth: Breadth | None
    dispersion: Number
    correlation: Number
    best: tuple[Contributor, ...]
    worst: tuple[Contributor, ...]
    reasons: Reasons


class MarketPart(Part):
    """The market as a whole.

    Args:
        dispersion: deviation (ddof 1) of the sectors' returns, by bars.
        above_50: share (0..1) of sector lines above their 50-day mean.
        risk_on: price of XLY over price of XLP.
        risk_on_change: of that in the last 21 bars, 0.1 for ten per cent.
    """

    benchmark_returns: dict[str, Number]
    dispersion: dict[str, Number]
    above_50: Number
    risk_on: Number
    risk_on_change: Number
    reasons: Reasons


class Member(Part):
    """Where a symbol was counted, by which rule; no sector has the reason as its rule."""

    symbol: str
    sector: str | None
    rule: str


class SectorReport(Document):
    """The sectors on the last day of the benchmark.

    Args:
        as_of: date at the exchange.
        universe: how many symbols were asked for, benchmark and funds included.
        missing: those of them without a bar on the day, with the reason.
        doubts: those whose prices look as if a split were in them.
        sector_map: its version.
        parameters: windows in bars; see `SectorSettings`.
    """

    VERSION: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "python -m analyzers sector"

    as_of: date
    generated_at: datetime
    benchmark: str
    source: str
    feed: str
    adjustment: str
    universe: int
    missing: dict[str, str]
    doubts: dict[str, str]
    sector_map: str
    parameters: dict[str, int | str]
    market: MarketPart
    sectors: tuple[SectorPart, ...]
    members: tuple[Member, ...]

    def _repr_html_(self) -> str:
        from analyzers.report_cards import of_sectors  # noqa: PLC0415  it imports this module

        return of_sectors(self)
