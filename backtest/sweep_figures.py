"""Pictures of a sweep; each names the number of trials beside what it shows."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection

from backtest.figures import Chart
from backtest.grid import unknown
from backtest.sweep_result import SweepResult

Floats = npt.NDArray[np.float64]

COLOURS = "cividis"  # even steps for any colour vision, and in grey
MOST_TICKS = 12
MOST_LINES = 2_000  # the best ones; more cannot be told apart
WRITTEN = 150  # cells that have room for their number


def heatmap(result: SweepResult, x: str | None = None, y: str | None = None) -> Chart:
    """See `SweepResult.heatmap`."""
    across = _swept(result, x, 0)
    down = _swept(result, y, 1 if len(result.names) > 1 else 0)
    chart, axes = _chart((9, 6.5))
    # Of the sets that share both values the best one counts; failed sets leave a hole.
    cells = result.table.groupby([down, across] if down != across else [across])[
        result.objective
    ].max()
    grid = cells.unstack() if down != across else cells.to_frame().T
    values = grid.to_numpy(dtype=np.float64)
    image = axes.imshow(values, origin="lower", aspect="auto", cmap=COLOURS)
    _label(axes, "x", across, grid.columns)
    _label(axes, "y", down, grid.index) if down != across else axes.set_yticks([])
    _write(axes, values)
    chart.colorbar(image, ax=axes, label=_name(result.objective))
    others = [name for name in result.names if name not in {across, down}]
    over = f", the best over {', '.join(others)}" if others else ""
    axes.set_title(_title(result, over))
    return chart


def parallel_coordinates(result: SweepResult) -> Chart:
    """See `SweepResult.parallel_coordinates`."""
    chart, axes = _chart((max(8.0, 1.6 * (len(result.names) + 1)), 6))
    shown = result.ranked().head(MOST_LINES)[::-1]  # the best ones on top
    names = [*result.names, result.objective]
    heights = np.column_stack([_place(axes, at, shown[name]) for at, name in enumerate(names)])
    lines = [np.column_stack([np.arange(len(names)), row]) for row in heights]
    scores = shown[result.objective].to_numpy(dtype=np.float64)
    bundle = LineCollection(lines, array=scores, cmap=COLOURS, linewidths=1.0, alpha=0.7)
    axes.add_collection(bundle)
    axes.set_xlim(-0.2, len(names) - 0.8)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xticks(range(len(names)), [_name(name) for name in names])
    axes.set_yticks([])
    chart.colorbar(bundle, ax=axes, label=_name(result.objective))
    more = f", the best {len(shown):,} sets" if len(shown) < len(result) else ""
    axes.set_title(_title(result, more))
    return chart


def _chart(size: tuple[float, float]) -> tuple[Chart, Axes]:
    chart = Chart(figsize=size, layout="constrained")
    FigureCanvasAgg(chart)
    return chart, chart.subplots()


def _swept(result: SweepResult, name: str | None, number: int) -> str:
    if name is None:
        return result.names[number]
    if name not in result.names:
        raise unknown("parameter", name, result.names)
    return name


def _title(result: SweepResult, more: str) -> str:
    state = " (PARTIAL)" if result.partial else ""
    return (
        f"{result.strategy}: {_name(result.objective)}{more}\n"
        f"{len(result):,} sets of {result.trials:,} trials in all{state}"
    )


def _name(text: str) -> str:
    return text.replace("_", " ")


def _label(axes: Axes, which: str, name: str, values: Any) -> None:
    every = -(-len(values) // MOST_TICKS)
    places = range(0, len(values), every)
    axes.set(**{f"{which}label": _name(name)})
    axes.set(**{f"{which}ticks": list(places)})
    axes.set(**{f"{which}ticklabels": [_short(values[place]) for place in places]})


def _write(axes: Axes, values: Floats) -> None:
    if values.size > WRITTEN:
        return
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "black" if value > middle else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, size=8)


def _place(axes: Axes, at: int, column: "pd.Series[Any]") -> Floats:
    """Heights 0..1 of one axis, whose lowest and highest values are written beside it."""
    axes.axvline(at, color="0.6", linewidth=0.8)
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    kinds = column.astype(str)
    codes = pd.Series(pd.factorize(kinds, sort=True)[0], index=column.index)
    numbers = (column if is_number else codes).to_numpy(dtype=np.float64)
    low, high = float(np.min(numbers)), float(np.max(numbers))
    ends = {0.0: low, 1.0: high} if is_number else dict(
        zip((0.0, 1.0), (kinds.min(), kinds.max()), strict=True)
    )  # fmt: skip
    for end, value in ends.items():
        side = "top" if end == 0.0 else "bottom"
        axes.text(at, end * 1.04 - 0.02, _short(value), ha="center", va=side, size=8)
    height: Floats = (numbers - low) / (high - low or 1.0)
    return height if high > low else height + 0.5


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
