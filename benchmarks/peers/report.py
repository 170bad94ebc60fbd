"""The comparison as a page with tables and a chart."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.peers.compare import PEERS, STOCK, WORKS, Table
from benchmarks.peers.scaling import Point

CHART = "benchmarks.png"
WORDS = {
    "W1a": "SMA 10/30 cross on 2,500 daily bars, 100 shares, 0.1 % commission",
    "W1b": "the same on 100,000 minute bars",
    "W2a": "1,000 parameter sets of W1a",
    "W2b": "100 parameter sets of W1b",
    "W3": "50 symbols x 2,500 bars, the ten with most momentum every five bars",
}
GOALS = (
    ("W1b", "seawall turbo", STOCK, 20.0),
    ("W1b", "seawall turbo", "backtesting.py", 1.0),
    ("W3", "seawall turbo", STOCK, 10.0),
    ("W2a", "seawall sweep of any strategy", STOCK, 15.0),
    ("W2a", "seawall compiled sweep", "vectorbt", 20.0),
    ("W2b", "seawall compiled sweep", "vectorbt", 20.0),
)
MEMORY_SHARE = 0.2  # of vectorbt's on W2b
INTRODUCTION = """# Benchmarks

Made by `make bench-peers` (or `python -m benchmarks.peers`). Every peer runs in its own environment
and process; those whose rounds are short wait side by side and take turns of a few rounds. Seconds
are medians of warm rounds, of the first ones where a single round was run. `cold` is the first call
in a process, without imports; compiled code that a library keeps on disk was there (this project's
kernel is compiled once a version, in some twenty seconds). Memory is the most that all processes
were seen to have together, shared pages once, and no less than what the first of them had by the
kernel's own mark.

Sweeps use four workers or threads where a peer can, and every sweep of this project writes all its
sets to a ledger on disk within the measured time; the first call makes the file. "Same work"
compares final value and number of fills with stock Backtrader's, for sweeps the sum of the values;
of this project it is asserted, and a difference ends the comparison. Where a peer's cell says no,
its rules are others: vectorbt takes crosses from running sums and sizes W3 at the fill,
nautilus_trader fills at the close of the bar that signalled. A peer is missing where it has no such
work of its own, or was not run.
"""


def page(table: Table, points: Iterable[Point]) -> str:
    """The whole page as Markdown."""
    return "\n".join(
        [
            INTRODUCTION,
            f"Machine: {machine()}.",
            *_caution(os.getloadavg()[0]),
            "",
            *_works(table),
            *_goals(table),
            f"![Seconds of every work, logarithmic]({CHART})",
            "",
            *_scaling(points),
        ]
    )


def machine() -> str:
    """What it was measured on."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((it.partition(":")[2].strip() for it in cpus if "model name" in it), "processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("backtrader", "numpy", "pandas", "numba")
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python "
        f"{platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}; "
        f"load {os.getloadavg()[0]:.1f} when it ended, {datetime.now(UTC):%Y-%m-%d}"
    )


def _caution(load: float) -> list[str]:
    """What to think of figures from a machine that others used, too."""
    if load <= 1.5 * (os.cpu_count() or 1):
        return []
    return [
        "",
        "The machine was busy with other work. Ratios were taken side by side, but what takes",
        "milliseconds, or all cores at once, suffers most: make this page anew on a quiet one.",
    ]


def _works(table: Table) -> list[str]:
    lines = []
    for work in WORKS:
        rows = [(peer.name, table.get((work, peer.name))) for peer in PEERS]
        stock = table.get((work, STOCK))
        if not any(figures for _, figures in rows):
            continue
        lines += [f"## {work}: {WORDS[work]}", ""]
        lines += ["| | seconds | x stock | cold | import | peak MB | same work as stock |"]
        lines += ["|---|---:|---:|---:|---:|---:|---|"]
        for name, it in rows:
            if it is None:
                continue
            ratio = f"{stock.seconds / it.seconds:.1f}" if stock else ""
            same = "" if stock is None or it is stock else "yes" if it.agrees(stock) else "no"
            cold, imported = min(it.cold_s), min(it.imported_s)
            lines.append(
                f"| {name} | {it.seconds:.4g} | {ratio} | {cold:.3g} | {imported:.2f} | "
                f"{max(it.peak_mb):.0f} | {same} |"
            )
        lines.append("")
    return lines


def _goals(table: Table) -> list[str]:
    lines = [
        "## Goals",
        "",
        "| work | | against | goal | measured | |",
        "|---|---|---|---:|---:|---|",
    ]
    for work, ours, theirs, goal in GOALS:
        one, other = table.get((work, ours)), table.get((work, theirs))
        if one and other:
            ratio = other.seconds / one.seconds
            lines.append(
                f"| {work} | {ours} | {theirs} | {goal:g}x | {ratio:.1f}x | "
                f"{'met' if ratio >= goal else 'missed'} |"
            )
    ours = "seawall compiled sweep"
    one, other = table.get(("W2b", ours)), table.get(("W2b", "vectorbt"))
    if one and other:
        share = max(one.peak_mb) / max(other.peak_mb)
        verdict = "met" if share <= MEMORY_SHARE else "missed"
        lines.append(
            f"| W2b memory | {ours} | vectorbt | {MEMORY_SHARE:.0%} | {share:.0%} | {verdict} |"
        )
    return [*lines, ""]


def _scaling(points: Iterable[Point]) -> list[str]:
    rows = [
        f"| {it.varied} | {it.engine} | {it.sets:,} | {it.bars:,} | {it.workers} | {it.backend} | "
        f"{it.seconds:.3g} | {it.sets / it.seconds:,.0f} |"
        for it in points
    ]
    if not rows:
        return []
    head = "| varied | engine | sets | bars | workers | backend | seconds | sets a second |"
    return ["## Scaling of a sweep", "", "The second of two equal sweeps of SMA crosses; a cluster",
            "that the sweep itself starts counts with its start.", "", head,
            "|---|---|---:|---:|---:|---|---:|---:|", *rows, ""]  # fmt: skip


def chart(table: Table) -> Figure:
    """Seconds of every work and peer on one logarithmic axis."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    names = [peer.name for peer in PEERS if any((work, peer.name) in table for work in WORKS)]
    works = [work for work in WORKS if any((work, name) in table for name in names)]
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        known = [(at, table[work, name].seconds) for at, work in enumerate(works)
                 if (work, name) in table]  # fmt: skip
        spots = [at + (place - len(names) / 2 + 0.5) * width for at, _ in known]
        axes.bar(spots, [seconds for _, seconds in known], width, label=name)
    axes.set_yscale("log")
    axes.set_xticks(range(len(works)), works)
    axes.set_ylabel("seconds, lower is better")
    axes.legend(fontsize=8)
    return figure
