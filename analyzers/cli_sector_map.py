"""`python -m analyzers sector-map`: SIC codes of many symbols into a sector map."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzers import texts
from analyzers.gathered import symbols_in
from analyzers.options import Symbols
from analyzers.progress import shown
from analyzers.sectors.filling import filled
from brokers.errors import ConfigError
from feeds.polygon import Polygon

EXAMPLES = """Examples:

python -m analyzers sector-map --universe liquid.txt --out sectors.csv

The key is read from POLYGON_API_KEY or MASSIVE_API_KEY. Lines that are there stay as they are, so
that overrides can be written into the column sector, and a run that was stopped goes on.

Exit codes: 0 done, 2 bad input."""

Universe = Annotated[Path | None, typer.Option("--universe", help="File of symbols, one a line.")]
Pace = Annotated[int, typer.Option(min=1, help="What the plan allows; the free one 5.")]
Base = Annotated[str | None, typer.Option(help="Host, such as https://api.polygon.io.")]


def sector_map(
    symbols: Symbols = "",
    universe_file: Universe = None,
    out: Annotated[Path, typer.Option(help="The map.")] = Path("data/sectors.csv"),
    calls_per_minute: Pace = 5,
    base: Base = None,
) -> int:
    """Ask Polygon for the SIC code of each symbol, one call a symbol, resumable."""
    asked = texts.symbols(symbols) or (symbols_in(universe_file) if universe_file else ())
    if not asked:
        raise ConfigError("no symbol: name some with --symbols, or a file with --universe")
    client = Polygon(base=base, calls_per_minute=calls_per_minute)
    with shown("SIC codes") as report:
        unknown = filled(out, asked, client, 60.0 / calls_per_minute, report)
    for symbol, reason in unknown.items():
        sys.stdout.write(f"unknown {symbol}: {reason}\n")
    sys.stdout.write(f"map     {out}\n")
    return 0
