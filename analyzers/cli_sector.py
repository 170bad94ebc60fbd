"""`python -m analyzers sector`: how the sectors stand against the market and each other."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from analyzers import options, picture
from analyzers.gathered import Gathered, gather, symbols_in
from analyzers.progress import shown
from analyzers.sector import SectorReport, SectorSettings, sector_report
from analyzers.sector_map import ETFS
from analyzers.sectors import asked, history
from analyzers.sectors.parts import SectorPart
from brokers.clock import SystemClock
from brokers.errors import ConfigError
from feeds.bars_spec import BarsSpec
from feeds.cache import DEFAULT_FOLDER

EXAMPLES = """Examples:

python -m analyzers sector

python -m analyzers sector --feed yahoo --sectors sectors.csv

python -m analyzers sector --feed polygon --universe liquid.txt --sectors sectors.csv

A sector map is a CSV file with the columns symbol and any of sector, yahoo, sic.

Exit codes: 0 done, 2 bad input."""

GROUPED = "polygon_grouped"


Benchmark = Annotated[str, typer.Option(help="Symbol of the market.")]
BenchmarkPath = Annotated[
    str | None, typer.Option(help="File of the benchmark, where --path does not hold it.")
]
Least = Annotated[int, typer.Option(help="A mean over fewer members is not given.")]
Out = Annotated[
    Path, typer.Option(help="The report; one of each date is kept in a folder beside it.")
]
Chart = Annotated[Path | None, typer.Option(help="Draw heatmap and rotation into this .png file.")]


@options.takes_bars
def sector(  # noqa: PLR0913, PLR0917  one parameter an option
    bars: BarsSpec,
    universe_file: options.Universe = None,
    benchmark: Benchmark = "SPY",
    benchmark_path: BenchmarkPath = None,
    sectors: asked.File = None,
    min_members: Least = 3,
    out: Out = Path("data/sector_report.json"),
    chart: Chart = None,
    as_json: options.Json = False,
) -> int:
    """Report returns, ranks, strength, breadth and more of every sector, by members and fund."""
    settings = SectorSettings(benchmark=benchmark, min_members=min_members)
    sector_map = asked.map_of(bars.source, sectors)
    members = symbols_in(universe_file) if universe_file else tuple(sector_map.facts)
    bars = replace(bars, symbols=bars.symbols or members)
    found = _gathered(bars, benchmark, benchmark_path)
    missing = {
        symbol: reason
        for symbol, reason in found.missing.items()
        if symbol in bars.symbols or symbol == benchmark
    }
    made = sector_report(
        found.frames,
        generated_at=SystemClock().now(),
        sector_map=sector_map,
        settings=settings,
        missing=missing,
    )
    history.keep(made, out)
    if chart:
        _draw(made, chart)
    if as_json:
        sys.stdout.write(made.as_bytes().decode())
    else:
        _show(made, out)
    return 0


def _gathered(bars: BarsSpec, benchmark: str, path: str | None) -> Gathered:
    """The bars of members, funds and benchmark."""
    own = dict(bars.options)
    if bars.source in ("yahoo", "polygon"):
        own = {"cache": DEFAULT_FOLDER, **own}
        bars = replace(bars, start=bars.start or _two_years_ago(), options=own)
    if bars.source == "polygon":
        with shown("days of the market") as report:
            whole = replace(
                bars, source=GROUPED, options={"report": report, "partial": True, **own}
            )
            return gather(whole, (benchmark, *ETFS))
    if path is None:
        return gather(bars, (benchmark, *ETFS))
    if bars.source != "files":
        raise ConfigError("--benchmark-path goes with --feed files: leave it out")
    found = gather(bars, ETFS)
    market = replace(bars, symbols=(), options={**own, "path": path}).fetch()
    return Gathered({**found.frames, benchmark: _only(market, path)}, found.missing)


def _only(frames: Mapping[str, pd.DataFrame], path: str) -> pd.DataFrame:
    if len(frames) != 1:
        raise ConfigError(f"--benchmark-path {path} holds {len(frames)} symbols: give one of one")
    return next(iter(frames.values()))


def _two_years_ago() -> str:
    """What the free plan of Polygon reaches, and what a report needs."""
    return (SystemClock().now() - timedelta(days=729)).date().isoformat()


def _draw(made: SectorReport, path: Path) -> None:
    from analyzers.sectors.figure import figure  # noqa: PLC0415  matplotlib is slow to import

    picture.save(figure(made), path)


def _show(made: SectorReport, out: Path) -> None:
    console = Console()
    title = f"sectors on {made.as_of} against {made.benchmark}"
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for column in ("rank", "sector", "members", "1", "5", "21", "126", "beta", "quadrant"):
        table.add_column(column, justify="left" if column in ("sector", "quadrant") else "right")
    for item in sorted(made.sectors, key=_order):
        table.add_row(*_row(item))
    console.print(table)
    for symbol, reason in list(made.missing.items())[:5]:
        sys.stdout.write(f"missing {symbol}: {reason}\n")
    if (more := len(made.missing) - 5) > 0:
        sys.stdout.write(f"missing {more} more, see the report\n")
    for symbol, doubt in made.doubts.items():
        sys.stdout.write(f"doubt {symbol}: {doubt}\n")
    sys.stdout.write(f"report  {out}\n")


def _order(item: SectorPart) -> tuple[bool, int, str]:
    rank = item.equal.rank if item.equal else None
    return rank is None, rank or 0, item.name


def _row(item: SectorPart) -> list[str]:
    members = f"{item.members_used}/{item.members_total}"
    measured: Any = item.equal or item.fund
    if measured is None:
        return ["", item.name, members, *[""] * 5, next(iter(item.reasons.values()), "")]
    returns = (measured.returns[key] for key in ("1", "5", "21", "126"))
    return [
        "" if measured.rank is None else str(measured.rank),
        item.name,
        members,
        *("n/a" if it is None else f"{it:+.1%}" for it in returns),
        "n/a" if measured.beta is None else f"{measured.beta:.2f}",
        measured.quadrant or "n/a",
    ]
