"""Pictures of a run, drawn without a display and without pyplot's global state."""

from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from analyzers.metrics import drawdowns
from analyzers.picture import BLUE, GREEN, GREY, VERMILION, png
from backtest.result import RunResult
from brokers.errors import ConfigError
from feeds.frames import bar_ends
from feeds.passport import passport_of

Floats = npt.NDArray[np.float64]
Closes = dict[str, tuple[Floats, Floats]]

COLUMNS = 1_600  # pixels across; more points than twice that cannot be told apart
MOST_TICKS = 12
SPANS = (  # of numpy's unit so many from this one on (days count from a Thursday), and the label
    ("m", 5, 0, "%m-%d %H:%M"), ("h", 1, 0, "%m-%d %H:%M"), ("D", 1, 0, "%Y-%m-%d"),
    ("D", 7, 3, "%Y-%m-%d"), ("M", 1, 0, "%Y-%m"), ("M", 3, 0, "%Y-%m"), ("Y", 1, 0, "%Y"),
    ("Y", 2, 0, "%Y"), ("Y", 5, 0, "%Y"), ("Y", 10, 0, "%Y"),
)  # fmt: skip
NAMED_SYMBOLS = 6  # more would be a legend larger than the picture
PALETTE = (BLUE, "#E69F00", "#CC79A7", "#56B4E9", "#B8A800", "#000000")


class Chart(Figure):
    """A matplotlib Figure that a notebook shows although pyplot never heard of it."""

    def _repr_png_(self) -> bytes:
        return png(self)


def figure(result: RunResult, symbol: str | None = None) -> Chart:
    """Price with fills, equity against buy-and-hold, and drawdown over one axis of time.

    The axis counts the run's steps, so that nights and weekends take no room; its labels are UTC.

    Args:
        symbol: the one to show the price of; None shows all, several of them rebased to 100.

    Raises:
        ConfigError: the run has no such symbol.
    """
    if symbol is not None and symbol not in result.bars:
        raise ConfigError(f"no bars of {symbol!r} in this run: it has {', '.join(result.bars)}")
    chart = Chart(figsize=(12, 8.5), layout="constrained")
    FigureCanvasAgg(chart)
    price, equity, drawdown = chart.subplots(3, sharex=True, height_ratios=(3, 2, 1))
    shown = (symbol,) if symbol else tuple(result.bars)
    closes = known_closes(result)
    _draw_price(price, result, {name: closes[name] for name in shown})
    _draw_equity(equity, result, buy_and_hold(result, closes))
    _draw_drawdown(drawdown, result)
    _label_time(drawdown, pd.DatetimeIndex(result.equity.index))
    state = " (PARTIAL: the run was interrupted)" if result.partial else ""
    chart.suptitle(f"{result.strategy} on {_few(result.symbols)}{state}", fontsize=13)
    return chart


def plot(
    cerebro: Any,
    *,
    numfigs: int = 1,
    start: Any = None,
    end: Any = None,
    **scheme: Any,
) -> list[Figure]:
    """Backtrader's own plot of a Cerebro that has run, drawn on Agg whatever display there is.

    `cerebro.plot()` itself switches to TkAgg and fails without a display. Here nothing is shown
    and no figure stays with pyplot: save them, or show them in a notebook.

    Args:
        numfigs, start, end: as `cerebro.plot` takes them.
        scheme: any attribute of Backtrader's PlotScheme, such as ``style="candle"``.

    Raises:
        ConfigError: the run kept no bars to plot.
    """
    if getattr(cerebro, "_exactbars", 0) > 0 or not getattr(cerebro, "runstrats", None):
        raise ConfigError("nothing to plot: run Cerebro first, with exactbars=0 or below")
    from matplotlib import pyplot as plt  # noqa: PLC0415  before backtrader.plot, see below

    before = mpl.get_backend()
    plt.switch_backend("Agg")
    try:
        # Importing backtrader.plot asks for TkAgg, and gets it where there is a display.
        from backtrader import plot as stock  # noqa: PLC0415

        plt.switch_backend("Agg")
        plotter = stock.Plot(scheme=stock.PlotScheme(), **scheme)
        figures: list[Figure] = []
        for strategy in (one for group in cerebro.runstrats for one in group):
            number = max(plt.get_fignums(), default=0) + 1
            drawn = plotter.plot(strategy, number, numfigs, iplot=False, start=start, end=end)
            figures.extend(drawn or ())
        return [_released(one, plt) for one in figures]
    finally:
        plt.switch_backend(before)


def _released(figure: Figure, plt: Any) -> Figure:
    """The figure as Backtrader meant it, unknown to pyplot."""
    figure.set_size_inches(16, 9)  # what Backtrader saves
    # It hides all dates, then shows the lowest again: Matplotlib 3.11 no longer finds hidden ones.
    spots = [(axes, axes.get_subplotspec()) for axes in figure.axes if axes.xaxis.get_visible()]
    for axes in [axes for axes, spot in spots if spot and spot.is_last_row()][:1]:
        axes.tick_params(axis="x", labelbottom=True, rotation=0)
    plt.close(figure)
    return figure


def thinned(x: Floats, y: Floats, columns: int = COLUMNS) -> tuple[Floats, Floats]:
    """The points that a line of `columns` pixels across can show: each column's low and high.

    The first and the last point stay; NaN is left out unless a whole column is NaN.
    """
    if len(y) <= 2 * columns:
        return x, y
    edges = np.linspace(0, len(y), columns + 1).astype(np.int64)
    starts, column = edges[:-1], np.repeat(np.arange(columns), np.diff(edges))
    order_low = np.lexsort((np.where(np.isnan(y), np.inf, y), column))
    order_high = np.lexsort((np.where(np.isnan(y), np.inf, -y), column))
    ends = np.array([0, len(y) - 1])
    kept = np.unique(np.concatenate((order_low[starts], order_high[starts], ends)))
    return x[kept], y[kept]


def _draw_price(axes: Axes, result: RunResult, closes: Closes) -> None:
    several, few = len(closes) > 1, len(closes) <= NAMED_SYMBOLS
    for number, (symbol, (x, close)) in enumerate(closes.items()):
        scale = 100.0 / close[0] if several and len(close) else 1.0
        color = (PALETTE[number] if few else GREY) if several else "#333333"
        axes.plot(
            *thinned(x, close * scale), color=color, linewidth=1.1 if few else 0.5,
            label=symbol if few else None if number else f"{len(closes)} symbols", zorder=2,
        )  # fmt: skip
        _draw_fills(axes, result, symbol, scale, labelled=number == len(closes) - 1)
    if not closes:
        axes.text(0.5, 0.5, "no bars were kept", ha="center", transform=axes.transAxes)
    axes.set_ylabel("close, first = 100" if several else "price")
    _finish(axes)


def _draw_fills(
    axes: Axes, result: RunResult, symbol: str, scale: float, *, labelled: bool
) -> None:
    mine = result.fills[result.fills["symbol"] == symbol]
    at = pd.DatetimeIndex(result.equity.index).searchsorted(pd.DatetimeIndex(mine["at"]))
    size = float(np.clip(60.0 / np.sqrt(max(len(result.fills), 1)) + 3.0, 3.5, 9.0))
    for name, marker, color, which in (
        ("buy", "^", GREEN, mine["quantity"].to_numpy() > 0),
        ("sell", "v", VERMILION, mine["quantity"].to_numpy() < 0),
    ):
        axes.plot(
            at[which], mine["price"].to_numpy()[which] * scale, linestyle="none", marker=marker,
            markersize=size, color=color, markeredgecolor="white", markeredgewidth=0.4,
            label=f"{name} fill" if labelled else None, zorder=3,
        )  # fmt: skip


def _draw_equity(axes: Axes, result: RunResult, held: Floats | None) -> None:
    values = np.asarray(result.equity, dtype=np.float64)
    steps = np.arange(len(values), dtype=np.float64)
    if held is not None:
        name = "buy and hold" if len(result.bars) == 1 else "buy and hold, equal parts"
        axes.plot(*thinned(steps, held), color=GREY, linewidth=1.0, label=_ends(name, held))
    axes.plot(*thinned(steps, values), color=BLUE, linewidth=1.3, label=_ends("equity", values))
    axes.axhline(result.cash, color="black", linewidth=0.9, linestyle=":", label="starting cash")
    axes.set_ylabel("account value")
    _finish(axes)


def _ends(name: str, values: Floats) -> str:
    """The line's name and end: the other one may be so much larger that this looks flat."""
    return f"{name}, {values[-1]:,.0f} at the end" if len(values) else name


def _draw_drawdown(axes: Axes, result: RunResult) -> None:
    depth = drawdowns(np.asarray(result.equity, dtype=np.float64), result.cash) * 100.0
    x, y = thinned(np.arange(len(depth), dtype=np.float64), depth)
    axes.fill_between(x, y, 0.0, color=VERMILION, alpha=0.35, linewidth=0)
    axes.plot(x, y, color=VERMILION, linewidth=0.8)
    axes.set_ylabel("drawdown, %")
    axes.grid(alpha=0.25)
    axes.set_ylim(top=0.0)


def known_closes(result: RunResult) -> Closes:
    """Each symbol's closes, and the steps of the run (from 0) at which they were known."""
    index = pd.DatetimeIndex(result.equity.index)
    closes: Closes = {}
    for symbol, bars in result.bars.items():
        passport = result.passports.get(symbol) or passport_of(bars, symbol)
        steps = index.searchsorted(bar_ends(bars, passport))
        seen = steps < len(index)
        close = np.asarray(bars["close"], dtype=np.float64)
        closes[symbol] = steps[seen].astype(np.float64), close[seen]
    return closes


def buy_and_hold(result: RunResult, closes: Closes) -> Floats | None:
    """The same cash in equal parts in every symbol from its first close on, without commission.

    One value for each step of the run; None when it kept no bars.
    """
    count = len(result.equity)
    if not closes or not count:
        return None
    part = result.cash / len(closes)
    total = np.zeros(count)
    for steps, close in closes.values():
        worth = np.full(count, np.nan)
        worth[steps.astype(np.int64)] = close / close[:1] * part
        total += np.asarray(pd.Series(worth).ffill().fillna(part))
    return total


def _finish(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if not axes.lines:
        return
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=9, frameon=False, fontsize=9,
        borderaxespad=0.1, handlelength=1.4, columnspacing=1.2,
    )  # fmt: skip


def _label_time(axes: Axes, index: pd.DatetimeIndex) -> None:
    ticks, layout = _ticks(index)
    axes.set_xlabel("end of bar, UTC")
    axes.margins(x=0.01)
    axes.set_xticks(ticks, list(index[ticks].strftime(layout)))


def _ticks(index: pd.DatetimeIndex) -> tuple[npt.NDArray[np.int64], str]:
    """Where hours, days, weeks, months or years begin: the finest with room, its layout."""
    instants = index.tz_localize(None).to_numpy()
    for unit, every, first, layout in SPANS:
        numbers = (instants.astype(f"datetime64[{unit}]").astype(np.int64) + first) // every
        ticks = np.flatnonzero(np.diff(numbers)) + 1
        if 2 <= len(ticks) <= MOST_TICKS:
            return ticks, layout
    return np.arange(len(index))[:: max(len(index) - 1, 1)], "%Y-%m-%d %H:%M"


def _few(symbols: tuple[str, ...]) -> str:
    shown = ", ".join(symbols[:NAMED_SYMBOLS]) or "no symbol"
    more = len(symbols) - NAMED_SYMBOLS
    return f"{shown} and {more} more" if more > 0 else shown
