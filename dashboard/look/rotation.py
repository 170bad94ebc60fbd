"""Relative rotation: how strong each line is against the market, and whether it is getting so."""

from typing import Final

import altair as alt
import pandas as pd

from dashboard.look import theme
from dashboard.look.charts import Chart

COLOURS: Final = {
    "leading": theme.GREEN, "improving": theme.BLUE, "weakening": theme.ORANGE,
    "lagging": theme.VERMILION,
}  # fmt: skip
ROOM = 1.25  # around the outermost point, for its name


def rotation(frame: pd.DataFrame) -> Chart:
    """A point a line in four quadrants.

    Args:
        frame: columns name, strength and momentum (both in per cent) and quadrant.
    """
    reach = {
        axis: ROOM * max(float(frame[axis].abs().max()), 0.1) for axis in ("strength", "momentum")
    }
    x = alt.X(
        "strength:Q",
        title="relative strength over its mean (%)",
        scale=alt.Scale(domain=[-reach["strength"], reach["strength"]], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    y = alt.Y(
        "momentum:Q",
        title="change of that (percentage points)",
        scale=alt.Scale(domain=[-reach["momentum"], reach["momentum"]], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    colour = alt.Color(
        "quadrant:N",
        scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        legend=alt.Legend(orient="top", title=None, columns=2),
    )
    base = alt.Chart(frame).encode(
        x=x,
        y=y,
        tooltip=[
            alt.Tooltip("name:N", title="sector"),
            alt.Tooltip("strength:Q", title="strength (%)", format="+.2f"),
            alt.Tooltip("momentum:Q", title="change (points)", format="+.2f"),
            alt.Tooltip("quadrant:N"),
        ],
    )
    zero = pd.DataFrame({"zero": [0.0]})
    across = alt.Chart(zero).mark_rule(color=theme.GREY, opacity=0.8).encode(x="zero:Q")
    along = alt.Chart(zero).mark_rule(color=theme.GREY, opacity=0.8).encode(y="zero:Q")
    dots = base.mark_circle(size=110, opacity=0.9).encode(color=colour)
    names = base.mark_text(align="left", dx=8, dy=-6, fontSize=11, color=theme.ink()).encode(
        text="short:N"
    )
    return alt.layer(across, along, dots, names).properties(height=420)
