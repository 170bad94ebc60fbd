"""A walk-forward as a picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from analyzers.picture import BLUE, GREY, VERMILION
from backtest.figures import Chart
from backtest.walk_result import WalkForwardResult


def figure(result: WalkForwardResult) -> Chart:
    """See `WalkForwardResult.figure`."""
    names = list(result.grid)
    chart = Chart(figsize=(10, 4 + 1.2 * len(names)), layout="constrained")
    FigureCanvasAgg(chart)
    axes = chart.subplots(
        1 + len(names), 1, sharex=True, squeeze=False, height_ratios=[3] + [1] * len(names)
    )[:, 0]
    _equity(axes[0], result)
    for axis, name in zip(axes[1:], names, strict=True):
        _choices(axis, result, name)
    axes[-1].set_xlabel("end of the bar, UTC")
    return chart


def _equity(axes: Axes, result: WalkForwardResult) -> None:
    for number, walk in enumerate(result.walks):
        colour = GREY if walk.params is None else BLUE
        axes.plot(walk.equity.index, walk.equity.to_numpy(), color=colour, linewidth=1.2)
        if number:
            axes.axvline(walk.equity.index[0], color=GREY, linewidth=0.5, alpha=0.5)
    partial = ", PARTIAL" if result.partial else ""
    sharpe = result.metrics["sharpe"]
    told = "n/a" if sharpe is None else f"{sharpe:.2f}"
    axes.set_title(
        f"{result.config['strategy']}: {len(result.walks)} tests, Sharpe ratio {told} after "
        f"{result.trials:,} trials in training, efficiency {result.efficiency:.2f}{partial}",
        fontsize=10,
    )
    axes.set_ylabel("account")
    axes.grid(alpha=0.3)


def _choices(axes: Axes, result: WalkForwardResult, name: str) -> None:
    """The chosen value of a parameter over the time in which it was traded."""
    values = [str(value) for value in result.grid[name]]
    for walk in result.walks:
        if walk.params is not None:
            place = values.index(str(walk.params[name]))
            span = [walk.equity.index[0], walk.equity.index[-1]]
            axes.plot(span, [place, place], color=VERMILION, linewidth=2.0)
    shown = np.unique(np.linspace(0, len(values) - 1, min(5, len(values))).astype(int))
    axes.set_yticks(shown, [values[place] for place in shown])
    axes.set_ylim(-0.5, len(values) - 0.5)
    axes.set_ylabel(name)
    axes.grid(alpha=0.3)
