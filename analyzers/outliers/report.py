"""The report of an outlier screen: a document of version 1."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from analyzers.document import Document, Number, Part


class Score(Part):
    """One signal of a hit: its value and inputs, or why there is none.

    Fractions are fractions (0.05 is 5 %), prices and ATRs in the currency of the bars.
    """

    value: Number
    inputs: dict[str, Number]
    reason: str | None = None


class Hit(Part):
    """One symbol at the bar at which a reason was confirmed that had not been before.

    Args:
        at: end of the bar, UTC.
        minute: of session at the bar's end: 1 is the first bar of one minute.
        rank: 1 for the symbol whose scores exceed their limits most, among those with this bar.
        strength: the largest of its scores, each divided by its limit.
        bars_in_a_row: for each signal beyond its limit.
        q_value: the p-value of its z-scores, adjusted for all symbols of the minute.
        is_discovery: `q_value` is at most the parameter `fdr`.
    """

    symbol: str
    at: datetime
    minute: int
    sector: str | None
    price: float
    rank: int
    strength: float
    reasons: tuple[str, ...]
    bars_in_a_row: dict[str, int]
    q_value: Number
    is_discovery: bool
    flags: tuple[str, ...]
    scores: dict[str, Score]


class Chance(Part):
    """How many scores would be beyond the limit if nothing were the matter.

    Args:
        tests: z-scores of bars.
        beyond: of these beyond the limit `z`.
        expected: that many of as many independent normal values.
    """

    tests: int
    beyond: int
    expected: float
    note: str


class Null(Part):
    """Symbols that at the end of the session had no value of a signal, for one reason."""

    signal: str
    reason: str
    count: int
    symbols: tuple[str, ...]


class ScreenedDay(Part):
    """One session: its hits in order of time, then rank."""

    date: date
    bars: int
    symbols: int
    hits: tuple[Hit, ...]
    chance: Chance
    nulls: tuple[Null, ...]
    missing: dict[str, str]


class Candidate(Part):
    """One symbol over the sessions of the report.

    Args:
        days: sessions with a hit.
        discoveries: hits that are discoveries.
        strongest: the hit of the largest strength.
    """

    symbol: str
    sector: str | None
    rank: int
    days: int
    hits: int
    discoveries: int
    strength: float
    strongest_at: datetime
    reasons: tuple[str, ...]
    flags: tuple[str, ...]


class OutlierReport(Document):
    """What was out of line, when, by how much and why one may doubt it."""

    VERSION: ClassVar[int] = 1
    COMMAND: ClassVar[str] = "python fetch_polygon_intraday_data.py"

    generated_at: datetime
    as_of: date
    source: str
    feed: str
    adjustment: str
    calendar: str
    bar_minutes: int
    benchmark: str
    universe: int
    parameters: Mapping[str, float]
    days: tuple[ScreenedDay, ...]
    candidates: tuple[Candidate, ...]

    def _repr_html_(self) -> str:
        from analyzers.report_cards import of_outliers  # noqa: PLC0415  it imports this module

        return of_outliers(self)
