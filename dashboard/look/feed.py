"""Entries one below the other, newest first, each with its reasons."""

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from dashboard.entry import Entry
from dashboard.look import sheet, times


def feed(entries: Iterable[Entry], zone: str, log: int = 0) -> None:
    """Draw them.

    Args:
        zone: the exchange's.
        log: number of the log that the links to an order's story name.
    """
    sheet.put("".join(_drawn(entry, zone, log) for entry in entries))


def order_link(log: int = 0) -> str:
    """The address of an order's story, to which its id is appended."""
    return f"why?log={log}&order="


def _drawn(entry: Entry, zone: str, log: int) -> str:
    at = escape(times.both(times.instant(entry.at), zone))
    whose = " · ".join(part for part in (entry.strategy, entry.kind, f"line {entry.seq}") if part)
    why = f'<div class="sw-entry-why">{escape(entry.why)}</div>' if entry.why else ""
    known = "".join(
        f"<span>{escape(label)} <b>{escape(text)}</b></span>" for label, text in entry.known
    )
    link = ""
    if entry.order_id:
        address = escape(order_link(log) + quote(entry.order_id))
        link = f'<a href="{address}">why {escape(entry.order_id[:8])}</a>'
    tone = f" sw-left-{entry.tone}" if entry.tone else ""
    return (
        f'<div class="sw-entry{tone}"><div class="sw-entry-top">'
        f'<span class="sw-entry-what">{escape(entry.what)}</span>'
        f'<span class="sw-entry-at">{at}</span></div>{why}'
        f'<div class="sw-entry-foot"><span>{escape(whose)}</span>{known}{link}</div></div>'
    )
