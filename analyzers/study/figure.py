"""What a ranking's scores were worth, as a picture: coefficients and quantile returns."""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analyzers.picture import BLUE, GREY
from analyzers.study.ranking import Judged, RankingReport


def figure(report: RankingReport) -> Figure:
    """Information coefficients with two standard errors by horizon, and returns by quantile.

    A horizon that nothing is known of stays empty.
    """
    picture = Figure(figsize=(13, 5), layout="constrained")
    FigureCanvasAgg(picture)
    worth, returns = picture.subplots(1, 2, width_ratios=(2, 3))
    _draw_coefficients(worth, report.judged)
    _draw_quantiles(returns, report.judged)
    picture.suptitle(f"What scores foretold, up to {report.as_of}")
    return picture


def _draw_coefficients(axes: Axes, judged: tuple[Judged, ...]) -> None:
    """The mean and two of its errors, as the t statistic has them."""
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    for place, item in enumerate(judged):
        if item.ic_mean is not None and item.ic_t:
            error = abs(2.0 * item.ic_mean / item.ic_t)
            axes.errorbar(place, item.ic_mean, yerr=error, fmt="o", color=BLUE, capsize=4)
    axes.set_xticks(range(len(judged)), [str(item.horizon) for item in judged])
    axes.margins(x=0.2)
    axes.set_xlabel("bars ahead")
    axes.set_ylabel("mean rank correlation, 2 standard errors")
    axes.set_title("Information coefficient")


def _draw_quantiles(axes: Axes, judged: tuple[Judged, ...]) -> None:
    """A group of bars a horizon, from the lowest scores to the highest."""
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    count = max((len(item.quantile_returns) for item in judged), default=1)
    for place, item in enumerate(judged):
        for number, value in enumerate(item.quantile_returns):
            if value is not None:
                at = place + 0.8 * ((number + 0.5) / count - 0.5)
                label = f"{number + 1}" if place == 0 else "_"
                shade = 0.25 + 0.75 * number / max(count - 1, 1)
                axes.bar(at, value, 0.75 / count, color=BLUE, alpha=shade, label=label)
    axes.set_xticks(range(len(judged)), [str(item.horizon) for item in judged])
    axes.set_xlabel("bars ahead")
    axes.set_ylabel("mean simple return over them")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title(f"Returns by quantile of score, {count} the highest")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(title="quantile", ncols=count, fontsize=8)
