"""The report as tables on a terminal, and the progress of what it is made from."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from analyzers.outliers import figures
from analyzers.outliers.gathered import Tell
from analyzers.outliers.report import Hit, OutlierReport, ScreenedDay

FOLDER = Path("data/outliers")
SHOWN = 20


@dataclass(frozen=True)
class Delivery:
    """Where a report goes.

    Args:
        path: its file; None is data/outliers/<date>.json, of a week <date>-week.json.
        charts: how many candidates are drawn beside it.
        as_json: whether the report itself, and nothing else, is printed.
    """

    path: Path | None
    charts: int
    as_json: bool

    def make(self, report: OutlierReport, bars: Mapping[str, pd.DataFrame], *, week: bool) -> None:
        """Write the report and its pictures, and print what it says.

        Raises:
            ConfigError: they cannot be written.
        """
        name = f"{report.as_of}-week.json" if week else f"{report.as_of}.json"
        path = self.path or FOLDER / name
        report.save(path)
        pictures = figures.save(report, bars, path, self.charts)
        if self.as_json:
            sys.stdout.write(report.as_bytes().decode())
            return
        show(report, Console())
        sys.stdout.write("".join(f"written {one}\n" for one in (path, *pictures)))


def show(report: OutlierReport, console: Console) -> None:
    """Print each session's hits, and over several sessions the candidates."""
    for day in report.days:
        console.print(_hits(day))
        chance = day.chance
        console.print(
            f"{len(day.hits)} hits; {chance.beyond} of {chance.tests} z-scores beyond the limit, "
            f"{chance.expected:.1f} by chance alone; {chance.note}"
        )
        for symbol, reason in list(day.missing.items())[:SHOWN]:
            console.print(f"no bars: {symbol}: {reason}", markup=False)
    if len(report.days) > 1:
        console.print(_candidates(report))


def _hits(day: ScreenedDay) -> Table:
    table = Table(box=None, pad_edge=False, title=f"outliers of {day.date}", title_justify="left")
    for column in ("time (UTC)", "rank", "symbol", "sector", "price", "q", "flags", "beyond"):
        table.add_column(column, justify="right" if column in {"rank", "price", "q"} else "left")
    strongest = sorted(day.hits, key=lambda hit: (-hit.strength, hit.symbol, hit.at))[:SHOWN]
    for hit in strongest:
        q_value = "n/a" if hit.q_value is None else f"{hit.q_value:.3f}"
        table.add_row(
            f"{hit.at:%H:%M}", str(hit.rank), hit.symbol, hit.sector or "", f"{hit.price:.2f}",
            q_value, ", ".join(hit.flags), _beyond(hit),
        )  # fmt: skip
    return table


def _beyond(hit: Hit) -> str:
    """The scores that are beyond their limits, short."""
    scores = {name: hit.scores[name].value for name in hit.bars_in_a_row}
    return ", ".join(f"{name} {value:.2f}" for name, value in scores.items() if value is not None)


def _candidates(report: OutlierReport) -> Table:
    table = Table(box=None, pad_edge=False, title="candidates", title_justify="left")
    for column in ("rank", "symbol", "sector", "days", "hits", "discoveries", "strongest"):
        table.add_column(column)
    for one in report.candidates[:SHOWN]:
        table.add_row(
            str(one.rank), one.symbol, one.sector or "", str(one.days), str(one.hits),
            str(one.discoveries), f"{one.strongest_at:%a %H:%M}",
        )  # fmt: skip
    return table


@contextmanager
def progress(console: Console) -> Iterator[Tell]:
    """Say what is asked for, and how long it takes at most: a bar, or a line each."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*parts, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task("")

        def tell(what: str, done: int, total: int, left_s: float) -> None:
            left = time_left(left_s)
            bar.update(
                task, completed=done, total=total, description=f"{what} (at most {left} left)"
            )
            if not console.is_terminal:
                text = f"{min(done + 1, total)}/{total} {what}, at most {left} left"
                console.print(text, markup=False)

        yield tell


def time_left(left_s: float) -> str:
    """Seconds in words, rounded up.

    >>> time_left(72_000.0)
    '20 h 00 min'
    """
    minutes = ceil(left_s / 60.0)
    return f"{minutes // 60} h {minutes % 60:02} min"
