"""Signs of life on a terminal while a long run is under way; silent anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import backtrader as bt

if TYPE_CHECKING:
    from rich.console import Console

STEPS = 200  # updates in the whole of a run
LONG_BARS = 5_000  # a shorter run is over before a bar could be read

Report = Callable[[int, int], None]  # (steps done, steps in all)


class BarCount(bt.Analyzer):
    """Reports how many of the longest feed's bars are done, `STEPS` times in all."""

    params = (("report", None),)

    def start(self) -> None:
        """Count from zero."""
        self._total = max(data.buflen() for data in self.strategy.datas)
        self._done, self._every = 0, max(self._total // STEPS, 1)

    def next(self) -> None:
        """One bar more."""
        self._done += 1
        if self._done % self._every == 0:
            self.p.report(self._done, self._total)


@contextmanager
def shown(title: str, console: "Console") -> Iterator[Report | None]:
    """Show how far a long run is, for as long as it lasts; None where nobody would see it."""
    if not console.is_terminal or console.quiet:
        yield None
        return
    from rich import progress as parts  # noqa: PLC0415  slow to import, and a notebook needs none

    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.MofNCompleteColumn(),
        parts.TimeRemainingColumn(),
    )
    progress = parts.Progress(*columns, console=console, transient=True, auto_refresh=False)
    task = progress.add_task(title)

    def report(done: int, total: int) -> None:
        if total >= LONG_BARS:
            progress.start()
            progress.update(task, completed=done, total=total, refresh=True)

    try:
        yield report
    finally:
        progress.stop()
