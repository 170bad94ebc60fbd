"""The sector report as a picture: returns as a heatmap, and the rotation of the sectors."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analyzers.picture import BLUE, GREY
from analyzers.sectors.parts import Measures, SectorPart, SectorReport

LIMIT = 0.20  # returns beyond are as dark as that
QUADRANTS = {"leading": (1, 1), "weakening": (1, 0), "lagging": (0, 0), "improving": (0, 1)}


def figure(report: SectorReport, form: str = "equal") -> Figure:
    """Sectors by rank; what is null stays empty.

    Args:
        form: "equal", the members in equal shares, or "fund".
    """
    picture = Figure(figsize=(13, 5.5), layout="constrained")
    FigureCanvasAgg(picture)
    heat, rotation = picture.subplots(1, 2, width_ratios=(5, 4))
    held = {item.name: measured for item in report.sectors if (measured := _of(item, form))}
    ordered = dict(sorted(held.items(), key=lambda it: (it[1].rank is None, it[1].rank, it[0])))
    _draw_heat(heat, ordered)
    _draw_rotation(rotation, ordered)
    told = "members in equal shares" if form == "equal" else "funds"
    picture.suptitle(f"Sectors on {report.as_of} against {report.benchmark}: {told}")
    return picture


def _of(item: SectorPart, form: str) -> Measures | None:
    return item.equal if form == "equal" else item.fund


def _draw_heat(axes: Axes, held: dict[str, Measures]) -> None:
    columns = list(next(iter(held.values())).returns) if held else []
    table: npt.NDArray[np.float64] = np.array(
        [[_number(item.returns[key]) for key in columns] for item in held.values()]
    ).reshape(len(held), len(columns))
    if table.size:
        axes.imshow(table, cmap="PuOr_r", vmin=-LIMIT, vmax=LIMIT, aspect="auto")
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(held)), list(held))
    axes.set_title("Returns by bars")
    for row, column in np.argwhere(~np.isnan(table)):
        value = table[row, column]
        colour = "white" if abs(value) > 0.7 * LIMIT else "black"
        axes.text(column, row, f"{value:+.1%}", ha="center", va="center", color=colour, fontsize=8)


def _draw_rotation(axes: Axes, held: dict[str, Measures]) -> None:
    axes.axhline(0.0, color=GREY, linewidth=0.8)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    for name, item in held.items():
        if item.quadrant is None:
            continue
        at = 100.0 * _number(item.rotation_strength), 100.0 * _number(item.rotation_momentum)
        axes.plot(*at, "o", color=BLUE)
        axes.annotate(name, at, textcoords="offset points", xytext=(5, 4), fontsize=8)
    for name, (x, y) in QUADRANTS.items():
        axes.text(
            0.02 + 0.96 * x,
            0.02 + 0.96 * y,
            name,
            transform=axes.transAxes,
            color=GREY,
            ha="right" if x else "left",
            va="top" if y else "bottom",
        )
    axes.margins(0.2)
    axes.set_title("Rotation")
    axes.set_xlabel("relative strength over its mean, %")
    axes.set_ylabel("change of that, points")


def _number(value: float | None) -> float:
    return np.nan if value is None else value
