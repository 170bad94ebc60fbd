"""How every page about a report begins: its heading, which one of several, what was asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.look import cards, tables, times

NEW_YORK = "America/New_York"
NAMED = 8  # of those that are missing or doubted


def none_yet(title: str, what: str, command: str) -> None:
    """Draw the page of a report that nobody has made yet."""
    cards.heading(title)
    cards.banner(f"There is no {what} yet. Make one: {command}")


def chosen(label: str, files: Sequence[Path], names: Sequence[str], key: str) -> Path:
    """The one that is to be shown; the first one where nobody has chosen."""
    if len(files) == 1:
        return files[0]
    place = st.selectbox(label, range(len(files)), format_func=names.__getitem__, key=key)
    return files[int(place or 0)]


def made(at: datetime, zone: str = NEW_YORK) -> str:
    """When a report was made."""
    return f"made {times.both(at, zone)}"


def minute(at: datetime, zone: str) -> str:
    """A minute of the exchange's, and of UTC's."""
    there, here = (at.astimezone(ZoneInfo(name)) for name in (zone, times.UTC))
    return f"{there:%Y-%m-%d %H:%M} {times.place(zone)} ({here:%H:%M} UTC)"


def notes(title: str, told: Mapping[str, str]) -> None:
    """Symbols and what is to be said of each, folded away."""
    if not told:
        return
    with st.expander(f"{title} ({len(told)})"):
        rows = [[symbol, text] for symbol, text in list(told.items())[:NAMED]]
        tables.table(("symbol", "reason"), rows)
        if len(told) > NAMED:
            cards.remark(f"and {len(told) - NAMED} more, see the report")


def number(value: float | None, layout: str = ".2f") -> str:
    """A number, or a dash where the report has none."""
    return cards.UNKNOWN if value is None else f"{value:{layout}}"
