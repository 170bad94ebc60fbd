"""`python -m analyzers ranking`: which symbols rank highest, and what such ranks were worth."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from analyzers import options, picture, texts
from analyzers.columns import Columns
from analyzers.gathered import gather
from analyzers.sectors.asked import File, map_of, members, placed
from analyzers.study.ranking import (
    WEIGHTS,
    RankingReport,
    RankingSettings,
    report,
    scores,
)
from brokers.clock import SystemClock
from brokers.errors import ConfigError
from feeds.bars_spec import BarsSpec

SHOWN = 20
EXAMPLES = """Examples:

python -m analyzers ranking --feed yahoo --symbols AAPL,MSFT,XOM,JNJ,PG --start 2015-01-01

python -m analyzers ranking --path closes.csv --weight momentum_12_1=1 --weight reversal=0.5

python -m analyzers ranking --neutral --chart ranking.png

Exit codes: 0 done, 2 bad input."""

Weights = Annotated[
    list[str] | None,
    typer.Option("--weight", help="momentum_12_1=1, once a factor; those left out count nothing."),
]


@options.takes_bars
def ranking(  # noqa: PLR0913, PLR0917  one parameter an option
    bars: BarsSpec,
    weight: Weights = None,
    every: Annotated[int, typer.Option(help="Bars from one judged day to the next.")] = 21,
    sectors: File = None,
    neutral: Annotated[
        bool, typer.Option(help="Compare each symbol with its own sector only.")
    ] = False,
    universe: options.Universe = None,
    chart: Annotated[
        Path | None, typer.Option(help="Draw what the scores foretold into this .png file.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The report; the history goes beside it.")] = Path(
        "data/ranking.json"
    ),
    as_json: options.Json = False,
) -> int:
    """Rank symbols by standardised factors, and judge earlier ranks by what came after them."""
    weights = {name: _number(name, text) for name, text in texts.pairs("--weight", weight).items()}
    settings = RankingSettings(weights=weights or WEIGHTS, every=every, neutral=neutral)
    sector_map = map_of(bars.source, sectors)
    found = gather(members(bars, sector_map, universe))
    columns = Columns.of(found.frames)
    known = placed(sector_map, columns.symbols, columns.index[-1].date())
    scored = scores(columns, settings, known)
    made = report(scored, settings, SystemClock().now(), known, found.missing)
    made.save(out)
    try:
        scored.table().to_parquet(out.with_suffix(".parquet"), index=False)
    except OSError as error:
        raise ConfigError(
            f"cannot write {out.with_suffix('.parquet')}: {error.strerror}"
        ) from error
    if chart:
        _draw(made, chart)
    if as_json:
        sys.stdout.write(made.as_bytes().decode())
    else:
        _show(made, out)
    return 0


def _draw(made: RankingReport, path: Path) -> None:
    from analyzers.study.figure import figure  # noqa: PLC0415  matplotlib is slow to import

    picture.save(figure(made), path)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"--weight {name}={text}: give a number") from None


def _show(made: RankingReport, out: Path) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, title=f"ranking of {made.as_of}", title_justify="left")
    for column in ("rank", "symbol", "score", *made.ranking[0].factors):
        table.add_column(column, justify="left" if column == "symbol" else "right")
    for row in made.ranking[:SHOWN]:
        numbers = [row.score, *row.factors.values()]
        shown = ["n/a" if it is None else f"{it:.3f}" for it in numbers]
        table.add_row("" if row.rank is None else str(row.rank), row.symbol, *shown)
    console.print(table)
    for symbol, doubt in made.doubts.items():
        sys.stdout.write(f"doubt {symbol}: {doubt}\n")
    for judged in made.judged:
        if judged.ic_mean is not None:
            t = "n/a" if judged.ic_t is None else f"{judged.ic_t:.1f}"
            sys.stdout.write(
                f"{judged.horizon:>4} bars ahead: information coefficient {judged.ic_mean:+.3f} "
                f"(t {t}, {judged.days} days)\n"
            )
    sys.stdout.write(f"report  {out}\nhistory {out.with_suffix('.parquet')}\n")
