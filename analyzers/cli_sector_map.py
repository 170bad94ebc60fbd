"""`python -m analyzers sector-map`: SIC codes or Yahoo's sectors of many symbols into a map."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzers import texts
from analyzers.gathered import symbols_in
from analyzers.options import Base, Pace, Symbols, Universe
from analyzers.progress import shown
from analyzers.sectors.filling import Source, filled
from brokers.errors import ConfigError
from feeds import yahoo
from feeds.polygon import Polygon

EXAMPLES = """Examples:

python -m analyzers sector-map --universe liquid.txt --out sectors.csv

python -m analyzers sector-map --feed yahoo --symbols AAPL,XOM,JPM

Polygon's key is read from POLYGON_API_KEY or MASSIVE_API_KEY; Yahoo needs none. Lines that are
there stay as they are, so that overrides can be written into the column sector, and a run that was
stopped goes on. Both sources can fill one map: Yahoo's name decides before the SIC code.

Exit codes: 0 done, 2 bad input."""

YAHOO_SLOT_S = 1.0

Feed = Annotated[str, typer.Option("--feed", "--source", help="polygon or yahoo.")]


def sector_map(
    symbols: Symbols = "",
    universe_file: Universe = None,
    feed: Feed = "polygon",
    out: Annotated[Path, typer.Option(help="The map.")] = Path("data/sectors.csv"),
    calls_per_minute: Pace = 5,
    base: Base = None,
) -> int:
    """Ask Polygon or Yahoo where each symbol belongs, one call a symbol, resumable."""
    asked = texts.symbols(symbols) or (symbols_in(universe_file) if universe_file else ())
    if not asked:
        raise ConfigError("no symbol: name some with --symbols, or a file with --universe")
    source = _source(feed, base, calls_per_minute)
    with shown("sectors") as report:
        unknown = filled(out, asked, source, report)
    for symbol, reason in unknown.items():
        sys.stdout.write(f"unknown {symbol}: {reason}\n")
    sys.stdout.write(f"map     {out}\n")
    return 0


def _source(feed: str, base: str | None, calls_per_minute: int) -> Source:
    if feed == "polygon":
        return of_polygon(Polygon(base=base, calls_per_minute=calls_per_minute), calls_per_minute)
    if feed == "yahoo":
        return Source(yahoo.sector, "yahoo", YAHOO_SLOT_S, "yahoo knows no sector of it")
    raise ConfigError(f"--feed {feed}: choose polygon or yahoo")


def of_polygon(client: Polygon, calls_per_minute: int) -> Source:
    """SIC codes at the pace of a plan."""
    return Source(
        lambda symbol: client.ticker_details(symbol).sic_code or "",
        "sic",
        60.0 / calls_per_minute,
        "polygon knows no SIC code of it",
    )
