"""The ranking: who is first, by which factors, and what such scores foretold."""

import pandas as pd
import streamlit as st

from analyzers.study.ranking import Judged, Ranked, RankingReport
from dashboard import report_page, reports
from dashboard.desk import Desk
from dashboard.look import cards, charts, foretold, tables
from dashboard.look.cards import Card
from dashboard.look.tables import Cell
from dashboard.report_page import number

FILE = "ranking.json"
DRAWN = 15  # scores
SHOWN = (25, 100, 1_000)


def show(desk: Desk) -> None:
    """Show it."""
    path = desk.options.data / FILE
    if not path.exists():
        report_page.none_yet("Ranking", "ranking", RankingReport.COMMAND)
        return
    report = reports.read(RankingReport.load, path)
    ranked = [row for row in report.ranking if row.rank is not None]
    within = ", each against its own sector" if report.settings["neutral"] else ""
    cards.heading(
        "Ranking",
        f"{report.as_of}, {len(ranked)} of {report.universe} symbols{within} · {report.source}, "
        f"adjustment {report.adjustment} · {report_page.made(report.generated_at)}",
    )
    cards.cards(_figures(report))
    if ranked:
        cards.section("Highest scores")
        top = pd.DataFrame({"symbol": [row.symbol for row in ranked[:DRAWN]],
                            "score": [row.score for row in ranked[:DRAWN]]})  # fmt: skip
        charts.draw(charts.bars(top, "symbol", "score", unit="score", layout=".2f"), "scores")
    _draw_worth(report)
    _listed(report)
    report_page.notes("Doubted prices", report.doubts)
    report_page.notes("Missing", report.missing)


def _figures(report: RankingReport) -> list[Card]:
    return [
        *(
            Card(f"IC, {item.horizon} bars ahead", number(item.ic_mean, "+.3f"), _certainty(item))
            for item in report.judged[:4]
        ),
        Card("Turnover", number(report.turnover, ".0%"),
             f"of the highest group in {report.settings['every']} bars"),
        Card("Rank correlation", number(report.rank_correlation), "with the scores before"),
    ]  # fmt: skip


def _certainty(item: Judged) -> str:
    return f"t {number(item.ic_t, '.1f')}, {item.days} days"


def _draw_worth(report: RankingReport) -> None:
    known = [
        {
            "horizon": item.horizon,
            "ic": item.ic_mean,
            "low": item.ic_mean - 2 * abs(item.ic_mean / item.ic_t),
            "high": item.ic_mean + 2 * abs(item.ic_mean / item.ic_t),
        }
        for item in report.judged
        if item.ic_mean is not None and item.ic_t
    ]
    if known:
        cards.section("Information coefficient, with two standard errors")
        charts.draw(foretold.coefficients(pd.DataFrame(known)), "coefficients")
    returns = [
        {"horizon": item.horizon, "quantile": place, "returned": value}
        for item in report.judged
        for place, value in enumerate(item.quantile_returns, 1)
        if value is not None
    ]
    if returns:
        cards.section("Returns after the score, by quantile")
        charts.draw(foretold.quantiles(pd.DataFrame(returns)), "quantiles")


def _listed(report: RankingReport) -> None:
    cards.section("All symbols")
    wanted, most = _filtered(report)
    names = list(report.ranking[0].factors) if report.ranking else []
    factors = [_words(name) for name in names]
    rows: list[list[Cell]] = [
        [
            number(row.rank, "d"),
            row.symbol,
            row.sector or "",
            number(row.score, "+.3f"),
            *(number(row.factors[name], "+.3f") for name in names),
            row.reason or "",
        ]
        for row in wanted[:most]
    ]
    columns = ("rank", "symbol", "sector", "score", *factors, "remark")
    tables.table(columns, rows, numbers=("rank", "score", *factors))
    weights = report.settings["weights"]
    told = weights.items() if isinstance(weights, dict) else ()
    used = ", ".join(f"{_words(name)} {weight:g}" for name, weight in told if weight)
    cards.remark(f"score: weighted mean of standardised factors; weights: {used}.")
    _offer(pd.DataFrame([row.model_dump() | row.factors for row in wanted]))


def _filtered(report: RankingReport) -> tuple[list[Ranked], int]:
    """The rows that are asked for, and how many of them to show."""
    with st.expander("Filters", icon=":material/filter_list:"):
        symbols = st.multiselect(
            "Symbols", sorted(row.symbol for row in report.ranking), placeholder="All"
        )
        sectors = st.multiselect(
            "Sectors", sorted({row.sector for row in report.ranking if row.sector}),
            placeholder="All",
        )  # fmt: skip
        most = st.segmented_control("Rows shown", SHOWN, default=SHOWN[0], required=True)
    wanted = [
        row
        for row in report.ranking
        if (not symbols or row.symbol in symbols) and (not sectors or row.sector in sectors)
    ]
    return wanted, int(most)


def _offer(table: pd.DataFrame) -> None:
    st.download_button(
        "Download these rows",
        table.drop(columns="factors", errors="ignore").to_csv(index=False).encode(),
        file_name="ranking.filtered.csv",
        mime="text/csv",
        icon=":material/download:",
        disabled=table.empty,
        on_click="ignore",
    )


def _words(factor: str) -> str:
    return factor.replace("12_1", "12-1").replace("_", " ")
