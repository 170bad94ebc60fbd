"""Sweeps: the objective over two parameters, and beside every Sharpe ratio what chance explains."""

from math import isfinite
from pathlib import Path
from typing import Any

import streamlit as st

from analyzers.overfit import deflated_sharpe
from backtest.sweep_archive import SUMMARY, load
from backtest.sweep_cards import title
from backtest.sweep_result import SweepResult
from dashboard import report_page, reports
from dashboard.desk import Desk
from dashboard.look import cards, charts, tables
from dashboard.look.cards import Card
from dashboard.look.tables import Cell

SHOWN = (10, 50, 500)
MOST_CELLS = 2_500  # of a heatmap; more cannot be told apart
COMMAND = (
    "python -m backtest sweep sma_cross --grid fast=5:25:5 --grid slow=30:120:15 --out out/sweep"
)
LAYOUTS = {"total_return": "+.2%", "max_drawdown": ".2%", "cagr": "+.2%", "win_rate": ".1%",
           "exposure": ".1%", "trades": ".0f", "final_value": ",.2f"}  # fmt: skip
METRICS = ("total_return", "max_drawdown", "trades")


def show(desk: Desk) -> None:
    """Show it."""
    files = reports.below(desk.options.out, SUMMARY)
    if not files:
        report_page.none_yet("Sweeps", f"saved sweep in {desk.options.out}", COMMAND)
        return
    names = [f"{file.parent.relative_to(desk.options.out)}" for file in files]
    top = st.container()
    sweep = reports.read(_sweep, report_page.chosen("Sweep", files, names, "sweep"))
    with top:
        cards.heading("Sweeps", f"{title(sweep)} · {len(sweep):,} sets · {sweep.engine}")
    if sweep.ranked().empty:
        cards.banner(f"No set has a {_words(sweep.objective)}: none traded enough.", "watch")
        return
    cards.cards(_figures(sweep))
    _say(sweep)
    _draw(sweep)
    _best(sweep)


def _sweep(summary: Path) -> SweepResult:
    return load(summary.parent)


def _figures(sweep: SweepResult) -> list[Card]:
    best, chance = sweep.best(), sweep.overfit
    return [
        Card("Sharpe of the best", _number("sharpe", best["sharpe"]), _set(sweep, best)),
        Card("DSR", _share(chance.dsr), f"left after {chance.trials:,} trials"),
        Card("PBO", _share(chance.pbo), "that the best is below the median afterwards"),
        Card("PSR", _share(chance.psr), "had it been the only trial"),
        Card("Track record needed", _periods(chance.min_track_record),
             f"periods; there are {int(sweep.outcomes.periods.max()):,}"),
        Card("Sets", f"{len(sweep):,}", f"{sweep.failures:,} failed, "
             f"{sweep.outcomes.pruned:,} pruned, {len(sweep.confirmed)} confirmed"),
    ]  # fmt: skip


def _say(sweep: SweepResult) -> None:
    if sweep.partial:
        cards.banner("This sweep was interrupted: what follows is of the finished sets.", "watch")
    chance = sweep.overfit
    if chance.dsr < 0.95 or chance.pbo > 0.5:
        cards.banner(
            f"Chance explains much of this: the best of {chance.trials:,} trials without skill "
            "would do nearly as well.",
            "watch",
        )


def _draw(sweep: SweepResult) -> None:
    cards.section("The objective over two parameters")
    names = list(sweep.names)
    with st.expander("Axes", icon=":material/tune:"):
        across = str(st.selectbox("Across", names, 0, key="across"))
        down = str(st.selectbox("Down", names, min(1, len(names) - 1), key="down"))
        metrics = [sweep.objective, *(it for it in ("sharpe", *METRICS) if it != sweep.objective)]
        metric = str(st.selectbox("Metric", metrics, format_func=_words, key="metric"))
    keys = list(dict.fromkeys((down, across)))
    known = sweep.table[sweep.table[metric].notna()]
    cells = known.groupby(keys)[metric].max().reset_index().head(MOST_CELLS)
    if len(keys) == 1:
        down = "all sets"
        cells = cells.assign(**{down: "best"})
    layout = LAYOUTS.get(metric, ".2f")
    order = sorted(cells[down].unique(), reverse=True)
    unit = _words(metric)
    field = charts.heatmap(cells, across, down, metric, unit=unit, layout=layout, order=order)
    charts.draw(field, "sweep")
    others = [name for name in names if name not in (across, down)]
    if others:
        cards.remark(f"A cell is the best over {', '.join(others)}.")


def _best(sweep: SweepResult) -> None:
    cards.section(f"The best sets by {_words(sweep.objective)}")
    most = st.segmented_control("Sets shown", SHOWN, default=SHOWN[0], required=True)
    metrics = [name for name in dict.fromkeys((sweep.objective, *METRICS)) if name != "sharpe"]
    columns = (
        *sweep.names,
        "sharpe",
        "DSR",
        "PBO of the sweep",
        *map(_words, metrics),
        "confirmed",
    )
    pbo = _share(sweep.overfit.pbo)
    rows: list[list[Cell]] = []
    for number, row in sweep.ranked().head(int(most)).iterrows():
        place = int(str(number))
        rows.append(
            [
                *(f"{row[name]}" for name in sweep.names),
                _number("sharpe", row["sharpe"]),
                _share(deflated(sweep, place)),
                pbo,
                *(_number(name, row[name]) for name in metrics),
                ("yes", "good") if place in sweep.confirmed else "",
            ]
        )
    tables.table(columns, rows, numbers=columns[:-1])
    cards.remark(
        "DSR: probability that the true Sharpe ratio is above what chance gives the best of "
        f"{sweep.trials:,} trials. PBO: probability that the best in one half of the time is below "
        "the median in the other; about one half for noise. confirmed: replayed in Backtrader, "
        "same fills."
    )


def deflated(sweep: SweepResult, row: int) -> float:
    """The deflated Sharpe ratio of one set; NaN where its returns do not tell."""
    mean, deviation, skew, kurtosis = sweep.outcomes.moments[row].tolist()
    sharpe = mean / deviation if deviation > 0 else float("nan")
    variance = sweep.tried.variance if isfinite(sweep.tried.variance) else 0.0
    periods = int(sweep.outcomes.periods[row])
    return deflated_sharpe(sharpe, periods, skew, kurtosis, sweep.trials, variance)


def _set(sweep: SweepResult, row: Any) -> str:
    return " ".join(f"{name}={row[name]}" for name in sweep.names)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(name: str, value: Any) -> str:
    return f"{value:{LAYOUTS.get(name, '.2f')}}" if isfinite(value) else cards.UNKNOWN


def _share(value: float) -> str:
    return f"{value:.1%}" if isfinite(value) else cards.UNKNOWN


def _periods(value: float) -> str:
    return f"{value:,.0f}" if isfinite(value) else "never"
