"""A run as one HTML file that needs nothing else: no network, no script, no other file."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from math import floor, isnan, log10
from pathlib import Path
from typing import Any

import pandas as pd

from analyzers.picture import png
from analyzers.whole import write_whole
from backtest.cards import MEASURES, ON_CARD, title, warnings
from backtest.result import RunResult

AMOUNTS = ("pnl", "pnl_net", "commission")
ROWS = 500  # of a long table; the Parquet files have all
STYLE = """
:root { color-scheme: light dark; --line: rgba(128,128,128,.3); --soft: rgba(128,128,128,.09) }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1120px; margin: 2rem auto }
body { padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem }
.note { border-left: 4px solid #D55E00; background: var(--soft) }
.note { padding: .5rem .8rem; margin: .7rem 0 }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: .7rem; margin: 1.2rem 0 }
@media (max-width: 640px) { .cards { grid-template-columns: repeat(2, 1fr) } }
.cards div { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .8rem }
.cards span { display: block; font-size: .8rem; opacity: .75 } .cards b { font-size: 1.2rem }
img { width: 100%; height: auto; background: #fff; border-radius: 6px }
.wide { overflow-x: auto } .long { max-height: 32rem; overflow: auto }
.long .wide { overflow: visible }
@media print { .long { max-height: none } }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .55rem; border-bottom: 1px solid var(--line) }
th, td { text-align: left; vertical-align: top }
thead th { position: sticky; top: 0; background: Canvas; white-space: nowrap }
th.number, td.number { text-align: right; white-space: nowrap } .time { white-space: nowrap }
.soft { opacity: .75 }
"""


def write(result: RunResult, path: Path) -> Path:
    """Write the report, all of it or nothing. Returns its path.

    Raises:
        ConfigError: it cannot be written there.
    """
    write_whole(path, html(result).encode())
    return path


def html(result: RunResult) -> str:
    """The whole report; every text from outside is escaped."""
    heading = escape(title(result))
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in warnings(result))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{heading}</title>'
        f"<style>{STYLE}</style></head><body><h1>{heading}</h1>{notes}{_cards(result)}"
        f"{_picture(result)}{_measures(result)}{_trades(result)}{_refusals(result)}"
        f"{_section('Configuration', _pairs(_flat(result.config)))}{_passports(result)}"
        '<p class="soft">Times are UTC and name the end of a bar. Amounts are in the currency of '
        "the account.</p></body></html>\n"
    )


def _cards(result: RunResult) -> str:
    shown = (measure for measure in MEASURES if measure.name in ON_CARD)
    cells = (
        f"<div><span>{escape(measure.label)}</span><b>{escape(measure.text(result))}</b></div>"
        for measure in shown
    )
    return f'<div class="cards">{"".join(cells)}</div>'


def _picture(result: RunResult) -> str:
    content = base64.b64encode(png(result.figure(), dpi=130)).decode()
    return (
        '<img alt="Price with fills, equity against buy-and-hold, and drawdown over time" '
        f'src="data:image/png;base64,{content}">'
    )


def _measures(result: RunResult) -> str:
    rows = [
        [escape(measure.label), escape(measure.text(result)), escape(measure.meaning)]
        for measure in MEASURES
    ]
    return _section("Measures", _table(["measure", "value", "meaning"], rows, ["", "number", ""]))


def _trades(result: RunResult) -> str:
    if result.trades.empty:
        return _section("Trades", "<p>None.</p>")
    return _section("Trades", _frame(result.trades))


def _refusals(result: RunResult) -> str:
    refused = result.orders[result.orders["refusal"].notna()]
    if refused.empty:
        return ""
    columns = ["created_at", "symbol", "side", "order_type", "quantity", "reason", "refusal"]
    return _section("Refused orders", _frame(refused[columns]))


def _passports(result: RunResult) -> str:
    if not result.passports:
        return ""
    rows = [
        [escape(_text(value)) for value in (
            symbol, passport.id, passport.source, passport.feed, passport.adjustment,
            passport.timeframe, passport.calendar, passport.fetched_at, passport.gap_count,
            ", ".join(passport.repairs), passport.synthetic,
        )]
        for symbol, passport in result.passports.items()
    ]  # fmt: skip
    header = [
        "symbol", "id", "source", "feed", "adjustment", "timeframe", "calendar", "fetched at",
        "missing sessions", "repairs", "synthetic",
    ]  # fmt: skip
    return _section("Where the bars came from", _table(header, rows, [""] * len(header)))


def _section(heading: str, content: str) -> str:
    return f"<h2>{escape(heading)}</h2>{content}"


def _frame(frame: pd.DataFrame) -> str:
    shown = frame.head(ROWS)
    kinds = [_kind(frame[name]) for name in frame]
    header = [str(name).replace("_", " ") for name in frame]
    columns = [_column(str(name), shown[name]) for name in shown]
    table = _table(header, [list(row) for row in zip(*columns, strict=True)], kinds)
    if len(frame) <= ROWS:
        return f'<div class="long">{table}</div>'
    note = f"<p>The first {ROWS:,} of {len(frame):,}; the Parquet files have all.</p>"
    return f'{note}<div class="long">{table}</div>'


def _column(name: str, values: "pd.Series[Any]") -> list[str]:
    """One column's cells: amounts to the cent, prices to six digits of the largest."""
    if name in AMOUNTS or name.endswith("price"):
        digits = 2
        if name not in AMOUNTS and (largest := float(values.abs().max())) > 0:
            digits = min(max(5 - floor(log10(largest)), 2), 10)
        return ["" if isnan(value) else f"{value:,.{digits}f}" for value in values]
    return [escape(_text(value)) for value in values]


def _kind(column: "pd.Series[Any]") -> str:
    if pd.api.types.is_bool_dtype(column):
        return ""
    if pd.api.types.is_numeric_dtype(column):
        return "number"
    return "time" if pd.api.types.is_datetime64_any_dtype(column) else ""


def _table(header: list[str], rows: list[list[str]], kinds: list[str]) -> str:
    heads = "".join(
        f'<th class="{kind}">{escape(name)}</th>' for name, kind in zip(header, kinds, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _pairs(pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_text(value))}</td></tr>" for name, value in pairs
    )
    return f'<div class="wide"><table>{rows}</table></div>'


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    """A value as a person writes it; nothing at all for what is missing."""
    match value:
        case bool():
            text = "yes" if value else ""
        case int():
            text = f"{value:,}"
        case list() | tuple():
            text = ", ".join(_text(item) for item in value)
        case _ if value is None or value == {} or pd.isna(value):
            text = ""
        case float():
            text = f"{value:,.10g}"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case _:
            text = str(value)
    return text
