"""Fetch minute bars from Polygon, screen them for outliers and write data/outliers/<date>.json."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer.main import get_command

from analyzers import texts
from analyzers.options import Base, Json, Pace, Text
from analyzers.outliers.asked import Universe, days
from analyzers.outliers.gathered import Source
from analyzers.outliers.printing import Delivery, progress
from analyzers.sectors.asked import File, map_of, placed
from analyzers.usage import INTERRUPTED, complained, complaint
from brokers.clock import Clock, SystemClock
from brokers.errors import SeawallError
from feeds.polygon import Polygon

EXAMPLES = """Examples:

python fetch_polygon_intraday_data.py --symbols AAPL,MSFT,XOM --date 2024-02-07

python fetch_polygon_intraday_data.py --universe universe.csv --week 2024-02-05 --chart 5

python -m analyzers sector-map --universe names.csv --out sectors.csv

python fetch_polygon_intraday_data.py --universe names.csv --sectors sectors.csv --date 2024-02-07

A run that is cut off, by a rate limit or by you, goes on where it ended when it is started again.

Exit codes: 0 done, 2 bad input, a refused key or a source that gave up, 130 interrupted."""

PROGRAM = "fetch_polygon_intraday_data.py"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EXAMPLES)
def fetch(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    symbols: Annotated[str, typer.Option(help="Comma-separated, such as AAPL,MSFT.")] = "",
    universe: Annotated[
        Path | None, typer.Option(help="A file with a symbol a line, or symbol,sector.")
    ] = None,
    sectors: File = None,
    date: Annotated[Text, typer.Option(help="The session to screen, 2024-02-07.")] = None,
    week: Annotated[Text, typer.Option(help="A date in the week to screen.")] = None,
    out: Annotated[Path | None, typer.Option(help="The report's file.")] = None,
    json: Json = False,
    chart: Annotated[int, typer.Option(help="Draw so many candidates beside the report.")] = 0,
    benchmark: Annotated[str, typer.Option(help="What explains returns.")] = "SPY",
    actions: Annotated[bool, typer.Option(help="Ask for splits and dividends.")] = True,
    cache: Annotated[Path, typer.Option(help="Folder of bars fetched before.")] = Path(
        "data/cache"
    ),
    calls_per_minute: Pace = 5,
    base: Base = None,
) -> None:
    """Fetch minute bars from Polygon, screen them for outliers and write a report."""
    asked = Universe.of(texts.symbols(symbols), universe)
    clock: Clock = context.obj or SystemClock()
    sessions = days(date, week, clock.now())
    known = {
        **placed(map_of("polygon", sectors), asked.symbols, max(sessions)),
        **asked.sectors,
    }
    polygon = Polygon(base=base, calls_per_minute=calls_per_minute, clock=clock)
    names = tuple(dict.fromkeys([benchmark, *asked.symbols]))
    with progress(Console(stderr=True)) as tell:
        source = Source(polygon, clock, calls_per_minute, cache, tell)
        found = source.gathered(names, sessions, with_actions=actions)
    report = found.screened(sessions, known, benchmark, clock.now())
    Delivery(out, chart, json).make(report, found.bars, week=week is not None)


def main(argv: Sequence[str], clock: Clock | None = None) -> int:
    """Run one command line; returns its exit code. Errors of ours become one line on stderr."""
    try:
        command = get_command(app)
        code = command.main(list(argv), prog_name=PROGRAM, standalone_mode=False, obj=clock)
    except typer.TyperException as error:
        return complained(complaint(error, PROGRAM))
    except SeawallError as error:
        return complained(str(error))
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return int(code or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
