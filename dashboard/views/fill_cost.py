"""The fill-cost ledger: what each fill cost against its decision, arrival and the model."""

from math import isnan

import pandas as pd

from analyzers.fill_cost import averages, fill_cost, matching_slippage_bps
from dashboard import log_page
from dashboard.desk import Desk
from dashboard.look import cards, charts, feed, tables, times
from dashboard.look.cards import Card
from dashboard.look.tables import Cell

SHOWN = 50  # rows
PARTS = ("cost_bps", "delay_bps", "impact_bps", "slippage_bps")


def show(desk: Desk) -> None:
    """Show it."""
    glimpse = desk.look()
    if not log_page.begin("Fill cost", glimpse):
        return
    fills = glimpse.reading.facts.counts["fill"]
    key = (glimpse.path, glimpse.generation, fills)
    costs, is_new = desk.costs[desk.chosen].get(key, lambda: fill_cost(glimpse.path))
    if not len(costs):
        cards.banner("Nothing was filled yet.")
        return
    cards.cards(_figures(costs))
    zone = glimpse.reading.facts.zone
    _draw(costs, zone)
    _ledger(costs, zone, desk.chosen)
    cards.remark(
        "Hundredths of a per cent (bps); positive costs money. cost: fill against the close "
        "decided on. delay: the next open against that close. impact: fill against that open. "
        "slippage: fill against what the backtest's fill rules make of the same bars. A dash: the "
        f"log does not tell.{'' if is_new else ' The newest fills follow shortly.'}"
    )


def _figures(costs: pd.DataFrame) -> list[Card]:
    means = averages(costs, PARTS)
    matching = matching_slippage_bps(costs)
    paid = float((costs["quantity"] * costs["fill_price"]).sum())
    return [
        Card("Orders filled", f"{len(costs):,}", f"{paid:,.0f} traded"),
        *(Card(f"Mean {name.removesuffix('_bps')}", _bps(means[name]), "bps, weighted by value")
          for name in PARTS),
        Card("Matching slippage", _bps(matching), "slippage_bps for the backtest"),
        Card("Commission", f"{costs['commission'].sum():,.2f}", "account currency"),
    ]  # fmt: skip


def _draw(costs: pd.DataFrame, zone: str) -> None:
    told = costs[costs["cost_bps"].notna()].tail(400)
    if len(told) < 2:
        return
    cards.section("Cost of each order")
    frame = pd.DataFrame(
        {"time": told["decided_at"], "value": told["cost_bps"], "series": told["side"]}
    )
    charts.draw(charts.points(frame, "cost against the decision (bps)", zone), "costs")


def _ledger(costs: pd.DataFrame, zone: str, log: int) -> None:
    cards.section("Ledger")
    columns = (
        times.column("decided", zone), "what", "cost", "delay", "impact", "slippage",
        "decision", "arrival", "fill", "model", "commission", "order",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            times.brief(row["decided_at"].to_pydatetime(), zone),
            f"{row['side']} {row['quantity']:,.6g} {row['symbol']} "
            f"{row['order_type'].replace('_', ' ')}",
            *(_bps(row[name]) for name in PARTS),
            *(_price(row[f"{name}_price"]) for name in ("decision", "arrival", "fill", "model")),
            f"{row['commission']:,.2f}",
            row["order_id"],
        ]
        for row in costs.tail(SHOWN).iloc[::-1].to_dict("records")
    ]
    link = {"order": feed.order_link(log)}
    tables.table(columns, rows, numbers=columns[2:-1], links=link)


def _price(value: float) -> str:
    return cards.UNKNOWN if isnan(value) else f"{value:,.4f}"


def _bps(value: float) -> str:
    return cards.UNKNOWN if isnan(value) else cards.signed(round(value, 2), ".2f")[0]
