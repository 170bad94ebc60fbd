"""Charts with real axes: every one names what it shows, its unit and its time zone."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.look import theme, times

Chart = alt.Chart | alt.LayerChart | alt.FacetChart
HEIGHT = 280  # pixels
MOST_POINTS = 20_000  # of one chart; thin longer series before (backtest.figures.thinned)
HANGING = alt.Scale(domainMax=0, nice=False)
CLOCK = """
utcminutes(datum.value) || utchours(datum.value) ? utcFormat(datum.value, '%H:%M')
: utcdate(datum.value) > 1 ? utcFormat(datum.value, '%d %b')
: utcmonth(datum.value) ? utcFormat(datum.value, '%b %Y') : utcFormat(datum.value, '%Y')
"""
INK = "#101820"
WALL = alt.Scale(type="utc")  # `times.wall` writes the exchange's time as if it were UTC


def lines(
    frame: pd.DataFrame, unit: str, zone: str, *, height: int = HEIGHT, layout: str = ",.2f"
) -> Chart:
    """Series over time.

    Args:
        frame: columns `time` (aware), `value` and `series`, a row a point.
        unit: the vertical axis' title, such as "equity (account currency)".
        zone: in which the axis counts, such as America/New_York.
        layout: of the values, a d3 format.
    """
    names = list(dict.fromkeys(frame["series"]))
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=names, range=list(theme.SERIES[theme.mode()])[: len(names)]),
        legend=alt.Legend(orient="top", title=None) if len(names) > 1 else None,
    )
    base = alt.Chart(timed(frame, zone)).encode(
        x=time_axis(zone),
        y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=False), axis=number_axis(layout)),
        color=colour,
        tooltip=[
            alt.Tooltip("told:N", title="time"),
            alt.Tooltip("series:N", title="series"),
            alt.Tooltip("value:Q", title=unit, format=layout),
        ],
    )
    drawn = base.mark_line(strokeWidth=1.8, interpolate="step-after")
    points = base.mark_circle(size=90, opacity=0)
    return alt.layer(drawn, points).properties(height=height)


def points(
    frame: pd.DataFrame,
    unit: str,
    zone: str,
    *,
    height: int = 220,
    layout: str = "+,.2f",
    is_signed: bool = True,
) -> Chart:
    """One point each over time, round a line at zero or above it; takes what `lines` takes."""
    reach = max(1.0, 1.1 * float(frame["value"].abs().max()))
    around = alt.Scale(domain=[-reach if is_signed else 0.0, reach])
    colours = list(theme.SERIES[theme.mode()])
    names = sorted(set(frame["series"]))
    dots = (
        alt.Chart(timed(frame, zone))
        .mark_circle(size=46, opacity=0.8)
        .encode(
            x=time_axis(zone),
            y=alt.Y("value:Q", title=unit, axis=number_axis(layout), scale=around),
            color=alt.Color(
                "series:N",
                scale=alt.Scale(domain=names, range=colours[: len(names)]),
                legend=alt.Legend(orient="top", title=None),
            ),
            tooltip=[
                alt.Tooltip("told:N", title="time"),
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("value:Q", title=unit, format=layout),
            ],
        )
    )
    zero = (
        alt.Chart(pd.DataFrame({"value": [0.0]}))
        .mark_rule(color=theme.GREY, opacity=0.8)
        .encode(y=alt.Y("value:Q", title=unit))
    )
    return alt.layer(zero, dots).properties(height=height)


def under(frame: pd.DataFrame, unit: str, zone: str, *, height: int = 190) -> Chart:
    """How far below its peak a series is: an area that hangs from zero.

    Args:
        frame: columns `time` (aware) and `value`, fractions that are 0 or negative.
    """
    colour, layout = theme.LOSS[theme.mode()], ".2%" if frame["value"].min() > -0.02 else ".0%"
    base = alt.Chart(timed(frame, zone)).encode(
        x=time_axis(zone),
        y=alt.Y("value:Q", title=unit, axis=number_axis(layout), scale=HANGING, stack=None),
        tooltip=[
            alt.Tooltip("told:N", title="time"),
            alt.Tooltip("value:Q", title=unit, format=".2%"),
        ],
    )
    area = base.mark_area(color=colour, opacity=0.35, interpolate="step-after", line=False)
    points = base.mark_circle(size=90, opacity=0, color=colour)
    return alt.layer(area, points).properties(height=height)


def heatmap(
    frame: pd.DataFrame,
    x: str,
    y: str,
    value: str,
    *,
    unit: str,
    layout: str = ".2f",
    middle: float | None = None,
    order: Sequence[Any] | None = None,
) -> Chart:
    """A field of coloured cells with their numbers.

    Args:
        frame: a row a cell; `x`, `y` and `value` name its columns, which title the axes.
        unit: the colour scale's title.
        layout: of the numbers, a d3 format.
        middle: the value between the two colours, such as 0; None: one colour, weak to strong.
        order: of the rows, top to bottom.
    """
    across, down = frame[x].nunique(), frame[y].nunique()
    rows = list(order) if order is not None else "ascending"
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:O", title=x, axis=alt.Axis(labelAngle=0 if across <= 12 else -60)),
        y=alt.Y(f"{y}:O", title=y, sort=rows,
                axis=alt.Axis(labelLimit=132)),
        tooltip=[
            alt.Tooltip(f"{x}:N"),
            alt.Tooltip(f"{y}:N"),
            alt.Tooltip(f"{value}:Q", title=unit, format=layout),
        ],
    )  # fmt: skip
    layers: list[alt.Chart] = [
        base.mark_rect().encode(color=_field_colour(value, unit, layout, middle))
    ]
    if across <= 12:
        ink = alt.condition(_is_deep(frame[value], middle), alt.value("#FFFFFF"), alt.value(INK))
        layers.append(
            base.mark_text(fontSize=11).encode(
                text=alt.Text(f"{value}:Q", format=layout), color=ink
            )
        )
    return alt.layer(*layers).properties(height=30 * down + 130)


def _field_colour(value: str, unit: str, layout: str, middle: float | None) -> alt.Color:
    """The colours of a heatmap's cells, and their legend."""
    is_dark = theme.mode() == "dark"
    if middle is None:
        scale = alt.Scale(scheme="tealblues" if is_dark else "blues", reverse=is_dark)
    else:
        scale = alt.Scale(scheme="blueorange", reverse=True, domainMid=middle)
    legend = alt.Legend(orient="top", format=layout, gradientLength=180)
    return alt.Color(f"{value}:Q", title=unit, scale=scale, legend=legend)


def _is_deep(values: "pd.Series[float]", middle: float | None) -> Any:
    """Where a cell is so dark that black cannot be read on it."""
    field, low, high = alt.datum[values.name], float(values.min()), float(values.max())
    if middle is not None:
        reach = 0.62 * max(high - middle, middle - low, 1e-12)
        return (field > middle + reach) | (field < middle - reach)
    if theme.mode() == "dark":
        return field < low + 0.45 * (high - low)
    return field > low + 0.55 * (high - low)


def bars(frame: pd.DataFrame, name: str, value: str, *, unit: str, layout: str = ",.2f") -> Chart:
    """Horizontal bars, the longest at the top; below zero they take the colour of a loss.

    Args:
        frame: a row a bar; `name` and `value` name its columns.
    """
    tone = theme.mode()
    chart: alt.Chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", title=unit, axis=number_axis(layout)),
            y=alt.Y(f"{name}:N", title=None, sort="-x"),
            color=alt.condition(
                alt.datum[value] < 0, alt.value(theme.LOSS[tone]), alt.value(theme.GAIN[tone])
            ),
            tooltip=[
                alt.Tooltip(f"{name}:N"),
                alt.Tooltip(f"{value}:Q", title=unit, format=layout),
            ],
        )
        .properties(height=max(120, 26 * len(frame) + 50))
    )
    return chart


def draw(chart: Chart, key: str | None = None) -> None:
    """Put a chart on the page, as wide as there is room."""
    st.altair_chart(chart, width="stretch", theme="streamlit", key=key)


def time_axis(zone: str) -> alt.X:
    """A horizontal axis of time that names its zone."""
    return alt.X(
        "wall:T",
        title=times.axis_title(zone),
        scale=WALL,
        axis=alt.Axis(labelOverlap="greedy", labelFlush=True, tickCount=7, labelExpr=CLOCK),
    )


def number_axis(layout: str) -> alt.Axis:
    """An axis of numbers, not more of them than one reads."""
    return alt.Axis(format=layout, tickCount=5, labelOverlap=True)


def timed(frame: pd.DataFrame, zone: str) -> pd.DataFrame:
    """The frame with `wall`, the place on the axis, and `told`, the time in words."""
    at = pd.DatetimeIndex(frame["time"])
    told = [times.both(each, zone) for each in at.to_pydatetime()]
    return frame.assign(wall=times.wall(at, zone), told=told)
