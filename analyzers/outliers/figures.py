"""Pictures of candidates, drawn without a display and without pyplot's global state."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analyzers import picture
from analyzers.outliers.report import Hit, OutlierReport
from analyzers.picture import BLUE, GREY, ORANGE, VERMILION
from brokers.errors import ConfigError
from feeds import calendars
from feeds.bars import check_bars


def save(
    report: OutlierReport, bars: Mapping[str, pd.DataFrame], path: Path, count: int
) -> tuple[Path, ...]:
    """Draw the first `count` candidates beside the report at `path`, as <name>-<symbol>.png.

    Raises:
        ConfigError: they cannot be written there.
    """
    drawn: list[Path] = []
    for one in report.candidates[:count]:
        target = path.with_name(f"{path.stem}-{one.symbol.replace('/', '_')}.png")
        picture.save(candidate(report, bars, one.symbol), target)
        drawn.append(target)
    return tuple(drawn)


def candidate(report: OutlierReport, bars: Mapping[str, pd.DataFrame], symbol: str) -> Figure:
    """Price with VWAP and hits over volume, the report's sessions end to end.

    Raises:
        ConfigError: there are no bars of that symbol.
    """
    if symbol not in bars:
        raise ConfigError(f"no bars of {symbol!r} to draw: it is not among those of the report")
    shown, dates = _in_sessions(report, check_bars(bars[symbol], symbol))
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    price, volume = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    x = np.arange(len(shown))
    price.plot(x, shown["close"].to_numpy(), color=BLUE, linewidth=1.0, label="close")
    price.plot(x, _vwap(shown, dates), color=ORANGE, linewidth=1.0, label="VWAP")
    _mark(price, shown, [hit for day in report.days for hit in day.hits if hit.symbol == symbol])
    volume.bar(x, shown["volume"].to_numpy(), width=1.0, color=GREY)
    price.set_ylabel("price")
    volume.set_ylabel("volume")
    starts = np.flatnonzero(dates != dates.shift(1))
    volume.set_xticks(starts, [f"{dates.iloc[place]:%Y-%m-%d}" for place in starts.tolist()])
    price.legend(loc="best")
    figure.suptitle(
        f"{symbol}: hits with the number of their reasons, discoveries filled", fontsize=13
    )
    return figure


def _in_sessions(
    report: OutlierReport, bars: pd.DataFrame
) -> tuple[pd.DataFrame, "pd.Series[pd.Timestamp]"]:
    """The bars of the screened sessions, and the session's date of each."""
    index = pd.DatetimeIndex(bars.index)
    dates = pd.Series(calendars.session_dates(report.calendar, index), index=index)
    screened = [pd.Timestamp(day.date) for day in report.days]
    kept = calendars.current_open(report.calendar, index).notna() & dates.isin(screened).to_numpy()
    return bars[kept], dates[kept]


def _vwap(bars: pd.DataFrame, dates: "pd.Series[pd.Timestamp]") -> np.ndarray:
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    turnover = (typical * bars["volume"]).groupby(dates).cumsum().to_numpy()
    volume = bars["volume"].groupby(dates).cumsum().to_numpy()
    blank = np.full(len(bars), np.nan)
    return np.asarray(np.divide(turnover, volume, out=blank, where=volume > 0.0))


def _mark(axes: Axes, bars: pd.DataFrame, hits: list[Hit]) -> None:
    """A mark at each hit, filled where it is a discovery, with the number of its reasons."""
    ends = [pd.Timestamp(hit.at) for hit in hits]
    places = (
        np.asarray(pd.DatetimeIndex(bars.index).searchsorted(pd.DatetimeIndex(ends, tz="UTC"))) - 1
    )
    for hit, place in zip(hits, places.tolist(), strict=True):
        face = VERMILION if hit.is_discovery else "none"
        axes.plot(place, hit.price, "v", color=VERMILION, markerfacecolor=face, markersize=9)
        axes.annotate(
            f"{len(hit.reasons)}", (place, hit.price), textcoords="offset points", xytext=(0, 8),
            ha="center", fontsize=8,
        )  # fmt: skip
