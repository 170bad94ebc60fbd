"""The reports as a notebook shows them: what they say first, and where to read on."""

from zoneinfo import ZoneInfo

from analyzers import markup
from analyzers.both_times import both_times
from analyzers.outliers.report import OutlierReport
from analyzers.sectors.parts import Measures, SectorPart, SectorReport
from analyzers.study.ranking import RankingReport
from feeds import calendars

SHOWN = 12  # rows
RETURNS = ("1", "5", "21", "126")  # bars
UNKNOWN = "n/a"


def of_sectors(report: SectorReport) -> str:
    """Returns, beta and quadrant of each sector, the best rank first."""
    header = (
        "rank",
        "sector",
        *(f"{bars} bar{'s' * (bars != '1')}" for bars in RETURNS),
        "beta",
        "quadrant",
    )
    rows = [_sector(item) for item in sorted(report.sectors, key=_rank)]
    return markup.card(
        f"Sectors on {report.as_of} against {report.benchmark}",
        markup.table(header, rows, words=("sector", "quadrant")),
        notes=_missing(report.missing),
    )


def of_outliers(report: OutlierReport) -> str:
    """The candidates, the strongest first, and how many scores chance alone explains."""
    zone = ZoneInfo(calendars.zone(report.calendar))
    header = ("rank", "symbol", "sector", "hits", "discoveries", "strongest at", "reasons")
    rows = [
        (
            str(one.rank), one.symbol, one.sector or UNKNOWN, str(one.hits), str(one.discoveries),
            both_times(one.strongest_at, zone), ", ".join(one.reasons),
        )
        for one in report.candidates[:SHOWN]
    ]  # fmt: skip
    beyond = sum(day.chance.beyond for day in report.days)
    expected = sum(day.chance.expected for day in report.days)
    return markup.card(
        f"Outliers up to {report.as_of}: {len(report.candidates)} candidates of "
        f"{report.universe} symbols",
        markup.table(header, rows, words=("symbol", "sector", "strongest at", "reasons")),
        notes=[f"{beyond} scores beyond the limit, {expected:.1f} expected by chance alone"],
    )


def of_ranking(report: RankingReport) -> str:
    """The highest ranks with their factors, and what earlier ranks were worth."""
    factors = tuple(report.ranking[0].factors) if report.ranking else ()
    header = ("rank", "symbol", "sector", "score", *(name.replace("_", " ") for name in factors))
    rows = [
        (
            str(row.rank), row.symbol, row.sector or UNKNOWN, _ratio(row.score),
            *(_ratio(row.factors[name]) for name in factors),
        )
        for row in report.ranking
        if row.rank is not None
    ][:SHOWN]  # fmt: skip
    judged = [
        (f"{it.horizon}", _ratio(it.ic_mean, 3), _ratio(it.ic_t), _share(it.spread), f"{it.days}")
        for it in report.judged
    ]
    return markup.card(
        f"Ranking of {report.as_of}, {report.universe} symbols",
        markup.table(header, rows, words=("symbol", "sector")),
        markup.table(("bars ahead", "mean IC", "its t", "top less bottom", "days"), judged),
        notes=_missing(report.missing),
    )


def _missing(missing: dict[str, str]) -> list[str]:
    if not missing:
        return []
    first, *_ = missing
    return [f"{len(missing)} symbols are missing, such as {first}: {missing[first]}"]


def _rank(item: SectorPart) -> tuple[bool, int, str]:
    rank = item.equal.rank if item.equal else None
    return rank is None, rank or 0, item.name


def _sector(item: SectorPart) -> tuple[str, ...]:
    measured: Measures | None = item.equal or item.fund
    if measured is None:
        blank = (UNKNOWN,) * (len(RETURNS) + 1)
        return ("", item.name, *blank, next(iter(item.reasons.values()), UNKNOWN))
    return (
        "" if measured.rank is None else str(measured.rank),
        item.name,
        *(_share(measured.returns.get(bars)) for bars in RETURNS),
        _ratio(measured.beta),
        measured.quadrant or UNKNOWN,
    )


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+z.1%}"


def _ratio(value: float | None, digits: int = 2) -> str:
    return UNKNOWN if value is None else f"{value:z.{digits}f}"
