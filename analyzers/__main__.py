"""`python -m analyzers`: analyses of bars, and a look into what runs have left behind."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from analyzers import cli_dataset, cli_outliers, cli_ranking, cli_sector, cli_sector_map
from analyzers.chain import verify as verdict_on
from analyzers.usage import answered
from brokers.errors import SeawallError

PROGRAM, SCRIPT = "python -m analyzers", "seawall-analyzers"
VERIFY_EXAMPLES = """Examples:

python -m analyzers verify out/live/decisions.jsonl

python -m analyzers verify out/sma/decisions.jsonl --json"""

app = typer.Typer(pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def analyzers() -> None:
    """Analyse bars, and look into what runs have left behind."""


@app.command(epilog=VERIFY_EXAMPLES)
def verify(
    log: Annotated[Path, typer.Argument(help="A decision log, such as out/decisions.jsonl.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether a decision log is complete, unfinished, torn or damaged, and at which line.

    Exit code: 0 complete, 1 anything else, 2 the file cannot be read.
    """
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("verify", total=log.stat().st_size if log.is_file() else None)
            verdict = verdict_on(log, lambda size: progress.update(task, completed=size))
    except SeawallError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if json:
        typer.echo(orjson.dumps({"log": str(log), **asdict(verdict)}).decode())
    else:
        typer.echo(f"{log}: {verdict.state}, line {verdict.line}: {verdict.text}")
    raise typer.Exit(0 if verdict.state == "complete" else 1)


def told(command: Callable[..., int]) -> Callable[..., None]:
    """A command whose errors of ours are one line on stderr and exit code 2."""

    @wraps(command)
    def telling(**given: Any) -> None:
        try:
            code = command(**given)
        except SeawallError as error:
            typer.echo(f"error: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(2) from error
        raise typer.Exit(code)

    return telling


app.command("ranking", epilog=cli_ranking.EXAMPLES)(told(cli_ranking.ranking))
app.command("rank", hidden=True, epilog=cli_ranking.EXAMPLES)(told(cli_ranking.ranking))
app.command("dataset", epilog=cli_dataset.EXAMPLES)(told(cli_dataset.make_dataset))
app.command("mlprep", hidden=True, epilog=cli_dataset.EXAMPLES)(told(cli_dataset.make_dataset))
app.command("sector", epilog=cli_sector.EXAMPLES)(told(cli_sector.sector))
app.command("sector-map", epilog=cli_sector_map.EXAMPLES)(told(cli_sector_map.sector_map))
app.command("outliers", epilog=cli_outliers.EXAMPLES)(told(cli_outliers.screen))


def run(program: str = SCRIPT) -> int:
    """Run the command line of this process; returns the exit code."""
    return main(sys.argv[1:], program)


def main(argv: Sequence[str], program: str = PROGRAM) -> int:
    """Run one command line; returns its exit code. What is wrong is one line on stderr.

    Args:
        program: what was called; a shell completes the words of the installed script alone.
    """
    return answered(app, argv, program, SCRIPT)


if __name__ == "__main__":
    sys.exit(run(PROGRAM))
