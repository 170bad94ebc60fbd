"""What scores foretold: coefficients with their errors, and returns by quantile."""

import altair as alt
import pandas as pd

from dashboard.look import theme
from dashboard.look.charts import Chart


def coefficients(frame: pd.DataFrame) -> Chart:
    """A point a horizon with a bar of two standard errors.

    Args:
        frame: columns horizon, ic, low and high.
    """
    colour = theme.SERIES[theme.mode()][0]
    base = alt.Chart(frame).encode(
        x=alt.X("horizon:O", title="bars ahead", axis=alt.Axis(labelAngle=0)),
        tooltip=[
            alt.Tooltip("horizon:O", title="bars ahead"),
            alt.Tooltip("ic:Q", title="mean rank correlation", format="+.3f"),
            alt.Tooltip("low:Q", title="less 2 errors", format="+.3f"),
            alt.Tooltip("high:Q", title="plus 2 errors", format="+.3f"),
        ],
    )
    title = "mean rank correlation"
    reach = base.mark_rule(strokeWidth=2, color=colour).encode(
        y=alt.Y("low:Q", title=title, axis=alt.Axis(format="+.2f", tickCount=5)), y2="high:Q"
    )
    dots = base.mark_circle(size=110, color=colour, opacity=1).encode(y=alt.Y("ic:Q", title=title))
    zero = (
        alt.Chart(pd.DataFrame({"ic": [0.0]}))
        .mark_rule(color=theme.GREY, opacity=0.8)
        .encode(y="ic:Q")
    )
    return alt.layer(zero, reach, dots).properties(height=280)


def quantiles(frame: pd.DataFrame) -> alt.Chart:
    """A group of bars a horizon, from the lowest scores to the highest.

    Args:
        frame: columns horizon, quantile (1 the lowest) and returned (fraction).
    """
    is_dark = theme.mode() == "dark"
    drawn: alt.Chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("horizon:O", title="bars ahead", axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("quantile:O"),
            y=alt.Y(
                "returned:Q",
                title="mean simple return over them",
                axis=alt.Axis(format="+.1%", tickCount=5),
            ),
            color=alt.Color(
                "quantile:O",
                scale=alt.Scale(scheme="tealblues" if is_dark else "blues", reverse=is_dark),
                legend=alt.Legend(orient="top", title="quantile of score"),
            ),
            tooltip=[
                alt.Tooltip("horizon:O", title="bars ahead"),
                alt.Tooltip("quantile:O", title="quantile"),
                alt.Tooltip("returned:Q", title="mean return", format="+.2%"),
            ],
        )
        .properties(height=280)
    )
    return drawn


def places(frame: pd.DataFrame) -> Chart:
    """Ranks by date, the first at the top, each line named at its end.

    Args:
        frame: columns date (ISO), name, short and rank.
    """
    base = alt.Chart(frame).encode(
        x=alt.X("date:O", title="date of the report", scale=alt.Scale(type="point", padding=0.4),
                axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("rank:Q", title="rank", scale=alt.Scale(reverse=True, zero=False, nice=False),
                axis=alt.Axis(tickMinStep=1, format="d")),
        color=alt.Color("name:N", scale=alt.Scale(scheme="tableau20"), legend=None),
        tooltip=[alt.Tooltip("date:O"), alt.Tooltip("name:N", title="sector"), "rank:Q"],
    )  # fmt: skip
    ends = base.transform_filter(alt.datum.date == frame["date"].max())
    ink = alt.value(theme.ink())
    names = ends.mark_text(align="left", dx=9, fontSize=11).encode(text="short:N", color=ink)
    dots = base.mark_circle(size=60, opacity=1)
    return alt.layer(base.mark_line(strokeWidth=2), dots, names).properties(height=380)
