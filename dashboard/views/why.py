"""Why do I hold this: from an order to its decision, what was known then, and its fills."""

import streamlit as st

from analyzers.why import ROLES, Record, Story, entry_of
from brokers.errors import DataError
from dashboard import log_page
from dashboard.desk import Desk
from dashboard.entry import asked, entry_of_line, number
from dashboard.look import cards, sheet, tables, times
from dashboard.look.cards import Card
from dashboard.story import story_of
from dashboard.tail import records_at
from dashboard.watch import Glimpse

OFFERED = 300  # orders, the newest


def show(desk: Desk) -> None:
    """Show it."""
    glimpse = desk.look()
    if not log_page.begin("Why", glimpse):
        return
    order_id = _chosen(glimpse)
    if not order_id:
        cards.banner("No order was decided on yet.")
        return
    try:
        story = story_of(glimpse, order_id)
    except DataError as error:
        cards.banner(str(error), "watch")
        return
    zone = glimpse.reading.facts.zone
    with sheet.together():
        _decision(story, zone)
        _context(story)
        _events(story, zone)


def _chosen(glimpse: Glimpse) -> str:
    """The order of the address, of the box, or of the list; by default the newest."""
    index, zone = glimpse.reading.index, glimpse.reading.facts.zone
    rows = index.find(kinds=("decision",))[-OFFERED:]
    records = records_at(glimpse.path, index.starts(rows))
    offered = {record["order_id"]: _label(record, zone) for record in reversed(records)}
    linked = st.query_params.get("order", "")
    if linked and linked not in offered:
        offered = {linked: f"order {linked}", **offered}
    if not offered:
        return ""
    ids = list(offered)
    told = st.selectbox(
        "Order: choose one, or type an order id, or its beginning",
        ids,
        ids.index(linked) if linked in ids else 0,
        format_func=lambda order_id: offered.get(order_id, order_id),
        key=f"order-{linked}",
        accept_new_options=True,
    )
    return str(told or "")


def _label(record: Record, zone: str) -> str:
    order, bar = record["order"], record["market_context"]["bar"]
    what = asked(order) if order else record["market_context"]["symbol"]
    at = times.both(times.instant(bar["time"] if bar else record["at"]), zone).partition(" (")[0]
    refused = " · REFUSED" if record["refusal"] else ""
    return f"{what} · {at}{refused} · {record['order_id'][:8]}"


def _decision(story: Story, zone: str) -> None:
    decision = story.decision
    entry = entry_of_line(decision)
    role = entry_of(story.order_id)[1]
    cards.section(f"{entry.what}{f' (its {role})' if role else ''}")
    cards.banner(entry.why or "not given", "bad" if decision["refusal"] else "calm")
    last = next((event for event in reversed(story.events) if event["kind"] == "order"), None)
    filled = [event for event in story.events if event["kind"] == "fill"]
    cards.facts((
        ("Decided", times.both(times.instant(entry.at), zone)),
        ("Strategy", entry.strategy or cards.UNKNOWN),
        ("State", last["status"].lower() if last else cards.UNKNOWN),
        ("Filled", ", ".join(_fill(event) for event in filled) or "nothing"),
        ("Order id", story.order_id),
        ("Bars", f"passport {decision['market_context']['passport'] or 'not given'}"),
    ))  # fmt: skip


def _fill(event: Record) -> str:
    return f"{event['side']} {number(event['quantity'])} at {number(event['price'])}"


def _context(story: Story) -> None:
    context = story.decision["market_context"]
    bar = context["bar"] or {}
    cards.section("What it saw")
    seen = [Card(name, number(bar[name])) for name in ("open", "high", "low", "close") if bar]
    if bar:
        seen.append(Card("volume", f"{bar['volume']:,.0f}", "units in the bar"))
    seen += [
        Card(name, number(value), "indicator") for name, value in context["indicators"].items()
    ]
    seen += [
        Card("held before", number(context["position"]), "units"),
        Card("cash before", f"{context['cash']:,.2f}"),
        Card("equity before", f"{context['equity']:,.2f}"),
    ]
    cards.cards(seen)


def _events(story: Story, zone: str) -> None:
    cards.section("What became of it")
    rows = []
    for event in story.events:
        entry = entry_of_line(event)
        at = times.brief(times.instant(event["at"]), zone)
        whose = ROLES.get(event["order_id"][-3:], "entry")
        text = entry.why and f"{entry.what}: {entry.why}"
        rows.append((at, whose, (text or entry.what, entry.tone), str(event["seq"])))
    tables.table((times.column("time", zone), "order", "what", "line"), rows, numbers=("line",))
