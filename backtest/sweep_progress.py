"""How far a sweep is, on a terminal: a bar, the rate, and the time left; silent anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)  # fmt: skip
from rich.text import Text

Report = Callable[[int, int], None]


class Rate(ProgressColumn):
    """Sets a second."""

    def render(self, task: Task) -> Text:
        """The rate once it is known."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} sets/s" if speed else "", style="progress.data.speed")


@contextmanager
def shown(title: str, console: Console | None = None) -> Iterator[Report | None]:
    """Show how far a sweep is for as long as the block lasts; None where nobody would see it."""
    screen = console or Console(stderr=True)
    if not screen.is_terminal or screen.quiet:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task(title, total=None)

        def report(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield report
