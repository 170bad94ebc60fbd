"""The outlier screen: candidates, each hit with its reasons, and what chance would have flagged."""

from pathlib import Path

import pandas as pd
import streamlit as st

from analyzers.outliers.report import Candidate, Hit, OutlierReport
from dashboard import report_page, reports
from dashboard.desk import Desk
from dashboard.look import cards, charts, found, tables
from dashboard.look.cards import Card
from dashboard.look.found import Find
from dashboard.look.tables import Cell
from dashboard.report_page import number
from feeds import calendars

FOLDER = "outliers"
SHOWN = (25, 100, 1_000)
CANDIDATES = 20


def show(desk: Desk) -> None:
    """Show it."""
    files = reports.within(desk.options.data / FOLDER, "*.json")
    if not files:
        report_page.none_yet("Outliers", "outlier report", "python -m analyzers outliers")
        return
    top = st.container()
    file = report_page.chosen("Report", files, [path.stem for path in files], "outliers")
    report = reports.read(OutlierReport.load, file)
    zone = calendars.zone(report.calendar)
    first = f"{report.days[0].date} to " if len(report.days) > 1 else ""
    source = ", ".join(filter(None, (report.source, report.feed)))
    with top:
        cards.heading(
            "Outliers",
            f"{first}{report.as_of}, bars of {report.bar_minutes} min, {report.universe} symbols "
            f"against {report.benchmark} · {source} · "
            f"{report_page.made(report.generated_at, zone)}",
        )
    cards.cards(_figures(report))
    if not any(day.hits for day in report.days):
        cards.banner("Nothing was out of line.")
    else:
        _candidates(report, file, zone)
        _hits(report, zone)
    report_page.notes(
        "Missing", {name: why for day in report.days for name, why in day.missing.items()}
    )
    report_page.notes(
        "Signals that could not be measured",
        {f"{null.signal}, {day.date}": f"{null.reason}: {null.count} symbols"
         for day in report.days for null in day.nulls},
    )  # fmt: skip


def _figures(report: OutlierReport) -> list[Card]:
    hits = [hit for day in report.days for hit in day.hits]
    beyond = sum(day.chance.beyond for day in report.days)
    expected = sum(day.chance.expected for day in report.days)
    return [
        Card("Sessions", f"{len(report.days)}", f"{sum(day.bars for day in report.days):,} bars"),
        Card("Hits", f"{len(hits):,}", f"of {len({hit.symbol for hit in hits})} symbols"),
        Card("Discoveries", f"{sum(hit.is_discovery for hit in hits):,}",
             f"false rate at most {report.parameters['fdr']:.0%}"),
        Card("Z-scores beyond limit", f"{beyond:,}",
             f"{expected:,.1f} if all were normal and independent"),
    ]  # fmt: skip


def _candidates(report: OutlierReport, file: Path, zone: str) -> None:
    cards.section("Candidates")
    columns = ("rank", "symbol", "sessions", "hits", "discoveries", "strength",
               "strongest at", "sector", "doubts", "reasons")  # fmt: skip
    tables.table(
        columns,
        [_candidate(one, zone) for one in report.candidates[:CANDIDATES]],
        numbers=("rank", "sessions", "hits", "discoveries", "strength"),
    )
    cards.remark("strength: the largest score over its limit; doubts: flags of the data.")
    drawn = {
        one.symbol: path
        for one in report.candidates
        if (path := file.with_name(f"{file.stem}-{one.symbol.replace('/', '_')}.png")).exists()
    }
    if drawn:
        with st.expander(f"Pictures ({len(drawn)})", icon=":material/image:"):
            symbol = st.selectbox("Candidate", list(drawn), key="picture")
            st.image(drawn[str(symbol)].read_bytes(), width="stretch")


def _candidate(one: Candidate, zone: str) -> list[Cell]:
    return [
        f"{one.rank}", one.symbol, f"{one.days}", f"{one.hits}", f"{one.discoveries}",
        f"{one.strength:.2f}", report_page.minute(one.strongest_at, zone), one.sector or "",
        ", ".join(one.flags), ", ".join(one.reasons),
    ]  # fmt: skip


def _hits(report: OutlierReport, zone: str) -> None:
    hits = [hit for day in report.days for hit in day.hits]
    with st.expander("Filters", icon=":material/filter_list:"):
        symbols = st.multiselect("Symbols", sorted({it.symbol for it in hits}), placeholder="All")
        sure = st.toggle("Discoveries alone", key="discoveries")
        most = st.segmented_control("Hits shown", SHOWN, default=SHOWN[0], required=True)
    wanted = [
        hit
        for hit in hits
        if (not symbols or hit.symbol in symbols) and (hit.is_discovery or not sure)
    ]
    cards.section(f"Hits ({len(wanted):,})")
    if len(wanted) > 1:
        frame = pd.DataFrame({"time": [hit.at for hit in wanted],
                              "value": [hit.strength for hit in wanted],
                              "series": [_kind(hit) for hit in wanted]})  # fmt: skip
        charts.draw(charts.points(frame, "strength", zone, layout=".1f", is_signed=False), "hits")
    strongest = sorted(wanted, key=lambda hit: (-hit.strength, hit.symbol, hit.at))[: int(most)]
    found.found(_find(hit, zone) for hit in strongest)
    cards.remark(
        "strength: the largest score over its limit. q: the p-value of the z-scores, adjusted for "
        "all symbols of the minute; a rank, not a probability, since returns are neither normal "
        "nor independent."
    )
    st.download_button(
        "Download these hits",
        lambda: ("".join(f"{hit.model_dump_json()}\n" for hit in wanted)).encode(),
        file_name=f"outliers-{report.as_of}.filtered.jsonl",
        mime="application/x-ndjson",
        icon=":material/download:",
        disabled=not wanted,
        on_click="ignore",
    )


def _kind(hit: Hit) -> str:
    return "discovery" if hit.is_discovery else "other hit"


def _find(hit: Hit, zone: str) -> Find:
    known = (
        ("strength", f"{hit.strength:.2f}"),
        ("q", number(hit.q_value, ".2g")),
        ("sector", hit.sector or ""),
        ("doubts", ", ".join(hit.flags)),
        ("", "discovery" if hit.is_discovery else ""),
    )
    what, at = f"{hit.symbol} at {hit.price:,.2f}", report_page.minute(hit.at, zone)
    return Find(what, at, hit.reasons, known, "good" if hit.is_discovery else "")
