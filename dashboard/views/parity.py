"""Parity: a session against its backtest, and the first place where they part."""

import streamlit as st

from dashboard.desk import Desk
from dashboard.entry import number
from dashboard.look import cards, tables, times
from dashboard.look.cards import Card
from dashboard.look.tables import Cell
from dashboard.parity import Parity, differing, parity
from live.rehearsal.canon import Line

ROUND = 6  # pairs shown before and after the first difference


def show(desk: Desk) -> None:
    """Show it."""
    glimpse = desk.look()
    cards.heading("Parity", "The same decisions in two logs, bar by bar.")
    if len(desk.watches) < 2:
        cards.banner(
            "Give a second log to compare with, such as the session's backtest: streamlit run "
            "app.py -- --log out/live --log out/sma/decisions.jsonl"
        )
        return
    names = desk.names
    left, right = st.columns(2)
    first, second = _pair(desk)
    ours = left.selectbox("Backtest, or first log", names, first)
    theirs = right.selectbox("Live, or second log", names, second)
    if ours == theirs:
        cards.banner("Choose two different logs.", "watch")
        return
    logs = (desk.options.logs[names.index(ours)], desk.options.logs[names.index(theirs)])
    st.button("Compare again", icon=":material/refresh:")
    told, zone = parity(*logs), glimpse.reading.facts.zone
    _verdict(told, zone)
    _fields(told, (ours, theirs))
    _pairs(told, zone, (ours, theirs))


def _pair(desk: Desk) -> tuple[int, int]:
    """The chosen log and the next other one, a backtest first."""
    other = (desk.chosen + 1) % len(desk.watches)
    chosen = desk.watches[desk.chosen].look().reading.facts
    return (other, desk.chosen) if chosen.is_live else (desk.chosen, other)


def _verdict(told: Parity, zone: str) -> None:
    first, last = (times.brief(at, zone) for at in told.span)
    both = [sum(pair[side] is not None for pair in told.pairs) for side in (0, 1)]
    equal = len(told.pairs) if told.first is None else told.first
    if told.difference is None:
        cards.banner(f"IDENTICAL: {len(told.pairs):,} decisions and cancels, every fill.", "good")
    else:
        where = told.difference.bar
        at = f", {times.both(times.instant(where), zone)}" if where else ""
        cards.banner(f"FIRST DIFFERENCE: {told.difference.what}{at}.", "bad")
        cards.remark(f"Cause: {told.difference.cause}.")
    cards.cards((
        Card("Decisions", f"{both[0]:,} / {both[1]:,}", "first / second log"),
        Card("Fills", f"{told.fills[0]:,} / {told.fills[1]:,}", "first / second log"),
        Card("Alike up to", f"{equal:,}", f"of {len(told.pairs):,} decisions and cancels"),
        Card(times.column("Bars compared", zone), first, f"to {last}"),
    ))  # fmt: skip


def _pairs(told: Parity, zone: str, names: tuple[str, str]) -> None:
    middle = len(told.pairs) if told.first is None else told.first
    begin = max(0, middle - ROUND)
    shown = told.pairs[begin : middle + ROUND + 1]
    if not shown:
        return
    cards.section("Side by side" if told.first is None else "Around the first difference")
    rows: list[list[Cell]] = []
    for pair in shown:
        unlike = differing(pair)
        line = pair[0] or pair[1]
        rows.append([
            times.brief(times.instant(line.bar), zone) if line else "",
            _said(pair[0]),
            _said(pair[1]),
            (_unlike(unlike), "bad") if unlike else ("alike", "good"),
        ])  # fmt: skip
    marked = None if told.first is None else told.first - begin
    tables.table((times.column("bar ended", zone), *names, "difference"), rows, marked=marked)


def _said(line: Line | None) -> str:
    if line is None:
        return "nothing"
    order = line.content.get("order")
    if line.kind == "cancel" or not order:
        return f"{line.kind} of {line.key}"
    refused = " REFUSED" if line.content["refusal"] else ""
    return f"{order['side']} {number(float(order['quantity']))} {order['symbol']}{refused}"


def _fields(told: Parity, names: tuple[str, str]) -> None:
    """What differs in the first pair that does, or in the first fill."""
    if told.difference is None:
        return
    pair = None if told.first is None else told.pairs[told.first]
    if pair is not None and all(pair):
        unlike = differing(pair)
    else:
        unlike = {told.difference.what: (told.difference.backtest, told.difference.live)}
    rows: list[list[Cell]] = [
        [name, (_short(ours), "bad"), (_short(theirs), "bad")]
        for name, (ours, theirs) in unlike.items()
    ]
    cards.section("What differs there")
    tables.table(("field", *names), rows)


def _short(value: object) -> str:
    """A value as a cell can hold it."""
    if isinstance(value, dict):
        return "there"
    text = "nothing" if value is None else number(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _unlike(fields: dict[str, tuple[object, object]]) -> str:
    told = ", ".join(list(fields)[:3])
    return told + (f" and {len(fields) - 3} more" if len(fields) > 3 else "")
