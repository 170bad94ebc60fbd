"""Signs of life on a terminal while something long is under way; silent anywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Report = Callable[[int, int, float], None]  # (steps done, steps in all, seconds left)


@contextmanager
def shown(title: str) -> Iterator[Report]:
    """Show how far it is and how long it will take."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(title, total=None, left="?")

        def report(done: int, total: int, left_s: float) -> None:
            left = str(timedelta(seconds=round(left_s)))
            progress.update(task, completed=done, total=total, left=left)

        yield report
