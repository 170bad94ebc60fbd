"""Equity and drawdown, of one log or of several in one picture."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from analyzers.metrics import drawdowns
from backtest.figures import thinned
from dashboard import log_page
from dashboard.desk import Desk
from dashboard.look import cards, charts, times
from dashboard.look.cards import Card
from dashboard.watch import Glimpse

Floats = npt.NDArray[np.float64]
COLUMNS = 700  # pixels across that a chart can use


def show(desk: Desk) -> None:
    """Show them."""
    glimpse = desk.look()
    if not log_page.begin("Equity", glimpse):
        return
    curve = glimpse.reading.account.curve()
    if len(curve) < 2:
        cards.banner("Equity is drawn from the second bar or decision on.")
        return
    start = _start(glimpse, curve)
    below = drawdowns(np.asarray(curve, dtype=np.float64), start)
    zone = glimpse.reading.facts.zone
    cards.cards(_figures(glimpse.reading.account.equity or start, curve, below, start, zone))
    _draw_equity(desk, glimpse, curve)
    _draw_drawdown(curve, below, zone)
    source = (
        "at every bar, positions at its close"
        if glimpse.reading.account.has_bars
        else "at every decision: a backtest's log has no bars between them"
    )
    cards.remark(f"Equity {source}.")


def _start(glimpse: Glimpse, curve: "pd.Series[float]") -> float:
    start = glimpse.reading.account.start_cash
    return start if start and glimpse.reading.is_whole else float(curve.iloc[0])


def _figures(
    now: float, curve: "pd.Series[float]", below: Floats, start: float, zone: str
) -> list[Card]:
    gained, tone = cards.signed(now - start)
    peak = max(float(curve.max()), start, now)
    worst = int(np.argmin(below))
    at = times.both(curve.index[worst].to_pydatetime(), zone)
    return [
        Card("Equity", f"{now:,.2f}", "account currency"),
        Card("Since start", cards.percent(now / start - 1), f"{gained} on {start:,.2f}", tone),
        Card("Drawdown now", cards.percent(now / peak - 1), "below the highest so far"),
        Card(
            "Max drawdown", cards.percent(float(below[worst])), at if below[worst] < 0 else "none"
        ),
    ]


def _draw_equity(desk: Desk, glimpse: Glimpse, curve: "pd.Series[float]") -> None:
    cards.section("Equity")
    zone = glimpse.reading.facts.zone
    if len(desk.watches) == 1 or not st.toggle("All logs in one picture"):
        frame = _points(curve, desk.names[desk.chosen])
        charts.draw(charts.lines(frame, "equity (account currency)", zone), "equity")
        return
    parts = []
    for name, other in zip(desk.names, desk.look_at_all(), strict=True):
        theirs = other.reading.account.curve()
        if len(theirs) > 1:
            parts.append(_points((theirs / _start(other, theirs) - 1) * 100, name))
    unit = "change since start (%)"
    charts.draw(charts.lines(pd.concat(parts), unit, zone, layout="+,.1f"), "equity")


def _draw_drawdown(curve: "pd.Series[float]", below: Floats, zone: str) -> None:
    cards.section("Drawdown")
    frame = _points(pd.Series(below, curve.index), "drawdown")
    charts.draw(charts.under(frame, "below the peak", zone), "drawdown")


def _points(curve: "pd.Series[float]", name: str) -> pd.DataFrame:
    """What the chart's pixels can show."""
    steps = np.arange(len(curve), dtype=np.float64)
    kept, values = thinned(steps, np.asarray(curve, dtype=np.float64), COLUMNS)
    at = curve.index[kept.astype(np.int64)]
    return pd.DataFrame({"time": at, "value": values, "series": name})
