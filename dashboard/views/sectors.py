"""The sector report: returns as a heatmap, rotation, ranks by date, and every measure."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import streamlit as st

from analyzers.sector_map import SECTORS
from analyzers.sectors import history
from analyzers.sectors.parts import Measures, SectorPart, SectorReport
from brokers.errors import DataError
from dashboard import report_page, reports
from dashboard.desk import Desk
from dashboard.look import cards, charts, foretold, rotation, tables
from dashboard.look.cards import Card
from dashboard.look.tables import Cell
from dashboard.report_page import number

FILE = "sector_report.json"
FORMS = {"equal": "Members, equally weighted", "fund": "Sector funds"}
SHORT = {sector.name: sector.etf for sector in SECTORS}
LOOKED_BACK = 24  # kept reports whose ranks are drawn
NUMBERS = ("rank", "won", "members", "momentum 12-1", "beta", "volatility", "drawdown",
           "above 50-day mean", "correlation", "dispersion", "volume ratio")  # fmt: skip


def show(desk: Desk) -> None:
    """Show it."""
    last = desk.options.data / FILE
    kept = reports.within(last.with_suffix(""), "[0-9]*.json") or [last]
    if not last.exists():
        report_page.none_yet("Sectors", "sector report", SectorReport.COMMAND)
        return
    top = st.container()
    with st.expander("Which report", icon=":material/tune:"):
        file = report_page.chosen("Date", kept, [path.stem for path in kept], "sector-date")
        form = str(
            st.radio("Lines of prices", list(FORMS), format_func=FORMS.__getitem__, key="form")
        )
        is_excess = st.toggle("Returns less those of the benchmark", key="excess")
    report = reports.read(SectorReport.load, file)
    with top:
        cards.heading(
            "Sectors",
            f"{report.as_of}, {FORMS[form].lower()}, against {report.benchmark} · "
            f"{report.source}, {report.feed} · {report_page.made(report.generated_at)}",
        )
    cards.cards(_figures(report))
    held = list(_held(report, form))
    if held:
        _draw(report, held, is_excess=is_excess)
    _draw_ranks(last, form, len(kept))
    _measures(report, form)
    report_page.notes("Doubted prices", report.doubts)
    report_page.notes("Missing", report.missing)


def _held(report: SectorReport, form: str) -> Iterator[tuple[SectorPart, Measures]]:
    """The sectors that have this form, by rank."""
    known = [(item, form_of(item, form)) for item in report.sectors]
    found = [(item, measures) for item, measures in known if measures is not None]
    yield from sorted(found, key=lambda it: (it[1].rank is None, it[1].rank or 0, it[0].name))


def form_of(item: SectorPart, form: str) -> Measures | None:
    """A sector's members or its fund."""
    return item.equal if form == "equal" else item.fund


def _figures(report: SectorReport) -> list[Card]:
    market, returns = report.market, report.market.benchmark_returns
    return [
        *(
            Card(f"{report.benchmark}, {bars} bars", number(returns.get(bars), "+.2%"))
            for bars in ("1", "21", "252")
        ),
        Card("Sectors above 50-day mean", number(market.above_50, ".0%")),
        Card("Risk-on", number(market.risk_on), f"XLY over XLP, "
             f"{number(market.risk_on_change, '+.2%')} in 21 bars"),
        Card("Spread of sectors", number(market.dispersion.get("21"), ".2%"),
             "deviation of their 21-bar returns"),
    ]  # fmt: skip


def _draw(
    report: SectorReport, held: list[tuple[SectorPart, Measures]], *, is_excess: bool
) -> None:
    names = [item.name for item, _ in held]
    cells = [
        {"sector": item.name, "bars": int(bars), "return": 100 * value}
        for item, measures in held
        for bars, value in (measures.excess if is_excess else measures.returns).items()
        if bars.isdecimal() and value is not None
    ]
    if cells:
        cards.section("Returns by sector and look-back")
        unit = f"return less {report.benchmark}'s (%)" if is_excess else "simple return (%)"
        charts.draw(
            charts.heatmap(
                pd.DataFrame(cells), "bars", "sector", "return",
                unit=unit, layout="+.1f", middle=0.0, order=names,
            ),
            "sector-returns",
        )  # fmt: skip
    turning = [
        {"name": item.name, "short": item.etf, "quadrant": measures.quadrant,
         "strength": 100 * (measures.rotation_strength or 0.0),
         "momentum": 100 * (measures.rotation_momentum or 0.0)}
        for item, measures in held
        if measures.quadrant is not None
    ]  # fmt: skip
    if turning:
        cards.section("Rotation")
        charts.draw(rotation.rotation(pd.DataFrame(turning)), "rotation")


def _draw_ranks(last: Path, form: str, count: int) -> None:
    if count < 2:
        return
    try:
        ranks = history.ranks(last, form, LOOKED_BACK)
    except DataError as error:
        cards.banner(str(error), "watch")
        return
    rows = [
        {"date": date, "name": name, "short": SHORT.get(name, name), "rank": place}
        for date, places in ranks.items()
        for name, place in places.items()
        if place is not None
    ]
    if rows:
        cards.section("Ranks of the kept reports")
        charts.draw(foretold.places(pd.DataFrame(rows)), "ranks")


def _measures(report: SectorReport, form: str) -> None:
    cards.section("Measures")
    columns = (*NUMBERS[:2], "sector", "fund", *NUMBERS[2:], "best", "worst")
    held = [item for item, _ in _held(report, form)]
    rows = [_row(item, measures) for item, measures in _held(report, form)]
    tables.table(columns, rows, numbers=NUMBERS)
    cards.remark(
        f"rank: by the return of {report.parameters['rank']} bars; won: places since "
        f"{report.parameters['rank_back']} bars before. volatility: a year. best, worst: members "
        f"by the return of {report.parameters['spread']} bars. A dash: the bars do not tell."
    )
    report_page.notes(
        "Sectors without such a line",
        {item.name: next(iter(item.reasons.values()), "") for item in report.sectors
         if item not in held},
    )  # fmt: skip


def _row(item: SectorPart, measures: Measures) -> list[Cell]:
    breadth = item.breadth
    return [
        number(measures.rank, "d"),
        _won(measures.rank_change),
        item.name,
        item.etf,
        f"{item.members_used}/{item.members_total}",
        number(measures.momentum_12_1, "+.1%"),
        number(measures.beta),
        number(measures.volatility, ".1%"),
        number(measures.drawdown, ".1%"),
        number(None if breadth is None else breadth.above_50, ".0%"),
        number(item.correlation),
        number(item.dispersion, ".1%"),
        number(measures.volume_ratio),
        ", ".join(f"{it.symbol} {number(it.returned, '+.1%')}" for it in item.best),
        ", ".join(f"{it.symbol} {number(it.returned, '+.1%')}" for it in item.worst),
    ]


def _won(places: int | None) -> Cell:
    if not places:
        return number(places, "d")
    return f"{places:+d}", "gain" if places > 0 else "loss"
