"""The dashboard: `streamlit run app.py -- --log out/live/decisions.jsonl`.

Reads decision logs and reports, and changes nothing. Served to this machine alone, as
.streamlit/config.toml says.
"""

import sys
from dataclasses import replace
from functools import partial

import streamlit as st

from brokers.clock import SystemClock
from brokers.errors import SeawallError
from dashboard.desk import Desk
from dashboard.desk import opened as on_desk
from dashboard.look import cards, theme
from dashboard.options import Options, parse
from dashboard.pages import PAGES, Page

REFRESH_S = 1.0


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config("Seawall", page_icon="🌊", layout="wide")
    theme.apply()
    try:
        desk = opened(parse(sys.argv[1:]))
    except SeawallError as error:
        cards.banner(str(error), "bad")
        return
    desk = replace(desk, chosen=_chosen(desk))
    menu = {
        group: [
            st.Page(
                partial(_draw, page, desk),
                title=page.title,
                icon=f":material/{page.icon}:",
                url_path=page.path,
                default=(number, group) == (0, next(iter(PAGES))),
            )
            for number, page in enumerate(pages)
        ]
        for group, pages in PAGES.items()
        if pages
    }
    st.navigation(menu).run()


@st.cache_resource(show_spinner=False)
def opened(options: Options) -> Desk:
    """One desk for all browsers that look at the same logs."""
    return on_desk(options, SystemClock())


def _chosen(desk: Desk) -> int:
    """The log that the pages are about: of the address, or of the menu where there are several."""
    names, told = desk.names, st.query_params.get("log", "")
    linked = int(told) if told.isdecimal() and int(told) < len(names) else 0
    if len(names) == 1:
        return 0
    with st.sidebar:
        name = st.selectbox("Log", names, linked, key=f"log-{linked}")
    return names.index(name)


def _draw(page: Page, desk: Desk) -> None:
    """A page, again and again if a log may change it."""
    st.fragment(page.draw, run_every=REFRESH_S if page.is_live else None)(desk)


if __name__ == "__main__":
    main()
