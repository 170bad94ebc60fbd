"""Colours and the few rules of style that Streamlit's own theme does not have."""

from typing import Literal

import streamlit as st

Mode = Literal["light", "dark"]

# Okabe and Ito (2008): told apart with any colour vision.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080",
)  # fmt: skip
SERIES = {
    "light": (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, GREY),
    "dark": (SKY, "#F0883E", "#2FBF9B", "#E29AC4", "#F2B84B", "#8AB8FF", "#A0A8B0"),
}
GAIN = {"light": "#00795A", "dark": "#34C79F"}
LOSS = {"light": "#C04A00", "dark": "#FF8B4D"}

_CSS = """
<style>
.block-container {padding-top: 3.2rem; padding-bottom: 3rem; max-width: 1320px;}
.sw-head {display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .8rem;
  margin: 0 0 .4rem;}
.sw-title {font-size: 1.5rem; line-height: 1.2; font-weight: 650;}
.sw-section {font-size: 1.05rem; font-weight: 650; margin: 1.1rem 0 .4rem;}
[data-testid="stHtml"] > .sw-section:only-child {margin: .5rem 0 0;}
.sw-entry a, .sw-table a {color: light-dark(#0A6B86, #4DB6D2);}
.sw-sub {opacity: .72; font-size: .9rem; overflow-wrap: anywhere;}
.sw-head + .sw-sub {margin-bottom: .7rem;}
.sw-cards {display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(158px, 1fr));
  margin: .2rem 0 .6rem;}
.sw-card {border: 1px solid rgba(128,140,150,.28); border-radius: .5rem; padding: .55rem .75rem;
  background: rgba(128,145,160,.07); min-width: 0;}
.sw-label {font-size: .78rem; opacity: .72; margin-bottom: .1rem;}
.sw-value {font-size: 1.22rem; font-weight: 620; line-height: 1.25; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums;}
.sw-note {font-size: .8rem; opacity: .78; margin-top: .1rem; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums;}
.sw-pill {display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-size: .82rem;
  font-weight: 600; border: 1px solid currentColor;}
.sw-good {color: light-dark(#00795A, #34C79F);}
.sw-bad {color: light-dark(#B3261E, #FF8A7A);}
.sw-watch {color: light-dark(#8A5A00, #F2B84B);}
.sw-calm {color: light-dark(#51616D, #A9B7C2);}
.sw-gain {color: light-dark(#00795A, #34C79F);}
.sw-loss {color: light-dark(#C04A00, #FF8B4D);}
.sw-banner {border-radius: .5rem; padding: .6rem .85rem; margin: .1rem 0 .5rem; font-size: .93rem;
  overflow-wrap: anywhere; border: 1px solid;}
.sw-banner.sw-bad {background: light-dark(#FDECEA, #3A1714);}
.sw-banner.sw-watch {background: light-dark(#FFF5DF, #33270F);}
.sw-banner.sw-calm {background: light-dark(#EEF3F6, #17232D);}
.sw-banner.sw-good {background: light-dark(#E6F5F0, #0F2B24);}
.sw-facts {display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .18rem .9rem;
  font-size: .93rem; margin: .2rem 0 .6rem; padding: 0;
  font-variant-numeric: tabular-nums;}
.sw-facts .sw-fact {opacity: .7;} .sw-facts .sw-told {overflow-wrap: anywhere;}
.sw-differs {background: light-dark(#FDECEA, #4A1D18); border-radius: .25rem; padding: 0 .3rem;
  font-weight: 650;}
.sw-scroll {overflow-x: auto; margin: .2rem 0 .7rem; border: 1px solid rgba(128,140,150,.28);
  border-radius: .5rem;}
.sw-table {border-collapse: collapse; width: 100%; font-size: .9rem;
  font-variant-numeric: tabular-nums;}
.sw-table th, .sw-table td {padding: .34rem .7rem; white-space: nowrap; border: 0;
  border-bottom: 1px solid rgba(128,140,150,.18);}
.sw-table th {font-weight: 600; font-size: .8rem; opacity: .75;
  background: rgba(128,145,160,.09);}
.sw-table tr:last-child td {border-bottom: 0;}
.sw-table .sw-left {text-align: left;} .sw-table .sw-right {text-align: right;}
.sw-table tr.sw-mark td {background: light-dark(#FDECEA, #3A1714);}
.sw-entry {border: 1px solid rgba(128,140,150,.28); border-left-width: 4px;
  border-radius: .5rem; padding: .5rem .75rem; margin: 0 0 .45rem;}
.sw-entry.sw-left-bad {border-left-color: light-dark(#B3261E, #FF8A7A);}
.sw-entry.sw-left-good, .sw-entry.sw-left-gain {border-left-color: light-dark(#00795A, #34C79F);}
.sw-entry.sw-left-loss {border-left-color: light-dark(#C04A00, #FF8B4D);}
.sw-entry.sw-left-watch {border-left-color: light-dark(#8A5A00, #F2B84B);}
.sw-entry-top {display: flex; flex-wrap: wrap; gap: .1rem .8rem; justify-content: space-between;
  align-items: baseline;}
.sw-entry-what {font-weight: 620; overflow-wrap: anywhere;}
.sw-entry-at {font-size: .8rem; opacity: .75; font-variant-numeric: tabular-nums;}
.sw-entry-why {font-size: .93rem; overflow-wrap: anywhere;}
.sw-entry-foot {display: flex; flex-wrap: wrap; gap: .15rem .9rem; font-size: .8rem;
  margin-top: .15rem; font-variant-numeric: tabular-nums;}
.sw-entry-foot span {opacity: .8;} .sw-entry-foot a {overflow-wrap: anywhere;}
@media (max-width: 640px) {
  .block-container {padding-left: .8rem; padding-right: .8rem; padding-top: 4.2rem;}
  .sw-cards {grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .45rem;}
  .sw-card {padding: .45rem .55rem;} .sw-value {font-size: 1.05rem;}
  .sw-facts {grid-template-columns: minmax(5.5rem, max-content) 1fr; gap: .18rem .6rem;}
}
</style>
"""
_LOGO = """
<svg xmlns="http://www.w3.org/2000/svg" width="150" height="32" viewBox="0 0 150 32">
<g fill="none" stroke="#2B93B2" stroke-width="2.6" stroke-linecap="round">
<path d="M3 21c4 0 4-4 8-4s4 4 8 4 4-4 8-4"/><path d="M3 27c4 0 4-4 8-4s4 4 8 4 4-4 8-4"/>
<path d="M5 12h20M10 12V6M20 12V6"/></g>
<text x="38" y="23" font-family="Helvetica, Arial, sans-serif" font-size="21"
font-weight="600" fill="#2B93B2">Seawall</text></svg>
"""


def apply() -> None:
    """Add the rules of style and the name to the page."""
    st.html(_CSS)
    st.logo(_LOGO, size="large")


def mode() -> Mode:
    """What the browser shows now; light where it does not say."""
    return "dark" if st.context.theme.get("type") == "dark" else "light"


def ink() -> str:
    """The colour of text in a chart."""
    return "#E3EBF1" if mode() == "dark" else "#14222C"
