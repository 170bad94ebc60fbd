"""The decision feed: what was decided, on what grounds, with filters and a download."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import log_page
from dashboard.desk import Desk
from dashboard.entry import entry_of_line
from dashboard.line_index import Rows
from dashboard.look import cards, feed, times
from dashboard.tail import lines_at, records_at
from dashboard.watch import Glimpse

KINDS = (
    "decision", "cancel", "order", "fill", "trade", "bars", "venue", "reconcile", "halt",
    "shutdown", "resume", "session", "session_end",
)  # fmt: skip
FIRST_KINDS = ("decision", "cancel", "halt", "shutdown")
SHOWN = (25, 100, 1_000)
MOST_DOWNLOADED = 200_000  # lines, the newest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters say; empty: all."""

    kinds: tuple[str, ...]
    symbols: tuple[str, ...]
    since: datetime | None
    until: datetime | None

    def rows(self, glimpse: Glimpse) -> Rows:
        """The lines that meet it, oldest first."""
        return glimpse.reading.index.find(
            kinds=self.kinds, symbols=self.symbols, since=self.since, until=self.until
        )


def show(desk: Desk) -> None:
    """Show it."""
    glimpse = desk.look()
    if not log_page.begin("Decisions", glimpse):
        return
    index, (wanted, most) = glimpse.reading.index, _filters(glimpse)
    rows = wanted.rows(glimpse)
    left, right = st.columns((3, 1), vertical_alignment="center")
    with left:
        shown = min(most, len(rows))
        cards.remark(f"{shown:,} of {len(rows):,} lines that meet the filters, newest first.")
    with right:
        st.download_button(
            "Download these lines",
            lambda: b"".join(lines_at(glimpse.path, index.starts(rows[-MOST_DOWNLOADED:]))),
            file_name="decisions.filtered.jsonl",
            mime="application/x-ndjson",
            icon=":material/download:",
            width="stretch",
            disabled=not len(rows),
            on_click="ignore",
        )
    records = records_at(glimpse.path, index.starts(rows[-most:]))
    feed.feed(map(entry_of_line, reversed(records)), glimpse.reading.facts.zone, desk.chosen)


def _filters(glimpse: Glimpse) -> tuple[Wanted, int]:
    index, zone = glimpse.reading.index, glimpse.reading.facts.zone
    with st.expander("Filters", icon=":material/filter_list:"):
        left, right = st.columns(2)
        chosen = left.multiselect(
            "Kinds of line", KINDS, FIRST_KINDS, key="kinds", placeholder="All"
        )
        symbols = right.multiselect(
            "Symbols", sorted(index.known("symbol")), key="symbols", placeholder="All"
        )
        with left:
            since = _moment(times.column("From", zone), zone, "since")
        with right:
            until = _moment(times.column("To", zone), zone, "until")
        most = st.segmented_control("Lines shown", SHOWN, default=SHOWN[0], required=True)
    wanted = Wanted(tuple(chosen), tuple(symbols), since, until and until + timedelta(seconds=59))
    return wanted, int(most)


def _moment(label: str, zone: str, key: str) -> datetime | None:
    """A time of the exchange's, as UTC."""
    told = st.datetime_input(label, None, key=key, step=timedelta(minutes=1))
    return told.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) if told else None
