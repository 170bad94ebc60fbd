"""Pages one below the other, as a script of Streamlit's runs them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from brokers.clock import SystemClock
from dashboard.desk import opened
from dashboard.options import Options
from dashboard.pages import PAGES


def draw(paths: Sequence[str], logs: Sequence[str], chosen: int, query: Mapping[str, str]) -> None:
    """Draw these pages of these logs."""
    st.query_params.update(query)
    desk = opened(Options(tuple(map(Path, logs))), SystemClock())
    for pages in PAGES.values():
        for page in pages:
            if page.path in paths:
                page.draw(replace(desk, chosen=chosen))
