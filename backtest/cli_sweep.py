"""`python -m backtest sweep`: options in, a sweep, and its best sets out."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from analyzers.whole import write_whole
from backtest import options, texts
from backtest.commands import DONE, INTERRUPTED
from backtest.delivery import delivered
from backtest.grid import parse_axis
from backtest.outcomes import PRUNED
from backtest.parameters import parse_params
from backtest.printing import as_line
from backtest.spec import BarsSpec, RunSpec
from backtest.sweep_progress import Report, shown
from backtest.sweep_result import SweepResult
from backtest.sweep_spec import SweepSpec
from backtest.sweeps import execute

REPORT, TABLE, HEATMAP, LINES = "report.html", "sets.csv", "heatmap.png", "parallel.png"

Axes = Annotated[
    list[str] | None,
    typer.Option(
        "--grid",
        help="fast=5:25 (25 itself is not tried), fast=5:25:5 with a step, or fast=5,10,20; once a "
        "parameter.",
    ),
]
Search = Annotated[str, typer.Option(help="grid: every set; random; tpe: learns as it goes.")]
Trials = Annotated[int | None, typer.Option(help="Sets to try, for random and tpe.")]
Engine = Annotated[str, typer.Option(help="auto: compiled wherever it can be; cerebro; compiled.")]
Backend = Annotated[str, typer.Option(help="loky: processes here; ray; dask; sequential.")]
Jobs = Annotated[int, typer.Option(help="Workers; -1 for one a core.")]
Objective = Annotated[str, typer.Option(help="The metric whose largest value is best.")]
Constraint = Annotated[
    str | None, typer.Option(help="Sets that it denies are left out: 'fast < slow'.")
]
Confirm = Annotated[
    int, typer.Option(help="Sets of a compiled sweep that Backtrader replays; 0 for none.")
]
SearchSeed = Annotated[int, typer.Option("--search-seed", help="Seed of random and tpe.")]
Resume = Annotated[
    bool, typer.Option("--resume/--afresh", help="Take what the ledger knows, or run all anew.")
]
Prune = Annotated[
    bool,
    typer.Option("--prune/--no-prune", help="tpe in Backtrader gives sets up on part of the bars."),
]
LedgerFile = Annotated[
    str | None,
    typer.Option(
        "--ledger", help="File of all trials; else $SEAWALL_LEDGER, else data/ledger.sqlite."
    ),
]

EXAMPLES = """Examples:

python -m backtest sweep sma_cross --grid fast=5:25 --grid slow=25:75

python -m backtest sweep sma_cross --grid fast=5:25 --grid slow=10:75 --search tpe --trials 200

python -m backtest sweep my_strategy.py --grid period=10,20,50 --path prices.csv --out out/sweep

Exit codes: 0 done; 2 bad input, or every set failed; 130 interrupted. Whatever happens, finished
sets are in the ledger, and the same command goes on from there."""


@dataclass(frozen=True)
class Wishes:
    """Where the output goes."""

    out: Path | None
    as_json: bool
    quiet: bool


@options.takes_bars
def sweep(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: options.Strategy,
    bars: BarsSpec,
    grid: Axes = None,
    search: Search = "grid",
    trials: Trials = None,
    engine: Engine = "auto",
    backend: Backend = "loky",
    jobs: Jobs = -1,
    objective: Objective = "sharpe",
    constraint: Constraint = None,
    prune: Prune = True,
    confirm: Confirm = 5,
    search_seed: SearchSeed = 0,
    resume: Resume = True,
    ledger: LedgerFile = None,
    param: options.Params = None,
    cash: options.Cash = 100_000.0,
    commission: options.Commission = 0.0,
    slippage_bps: options.Slippage = 0.0,
    size: options.Size = None,
    out: options.Out = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    traceback: options.Whole = False,  # noqa: ARG001  read by backtest.complaints
) -> int:
    """Try many parameter sets of one strategy; finished ones are kept in a ledger."""
    run = RunSpec(strategy, {}, cash, commission, slippage_bps, texts.size(size), None, bars)
    how: dict[str, Any] = {
        "search": search, "engine": engine, "backend": backend, "jobs": jobs,
        "objective": objective, "trials": trials, "seed": search_seed, "confirm": confirm,
        "resume": resume, "ledger": ledger, "constraint": constraint, "prune": prune,
    }  # fmt: skip
    return _swept(described(run, grid, param, how), bars, Wishes(out, as_json, quiet))


def described(
    run: RunSpec, grid: list[str] | None, param: list[str] | None, how: Mapping[str, Any]
) -> SweepSpec:
    """The sweep over the axes and with the fixed parameters that were typed.

    Raises:
        ConfigError: one of them makes no sense.
    """
    cls = run.strategy_class
    axes = {name: parse_axis(cls, name, it) for name, it in texts.pairs("--grid", grid).items()}
    return SweepSpec(run, axes, parse_params(cls, texts.pairs("--param", param)), **how)


@contextmanager
def watched(spec: SweepSpec, wishes: Wishes) -> Iterator[Report | None]:
    """Show how far it is; what the strategy prints stays out of a stdout meant for a program."""
    silent = Console(stderr=True, quiet=wishes.quiet or wishes.as_json)
    stdout = redirect_stdout(sys.stderr) if wishes.as_json else nullcontext()
    with stdout, shown(spec.run.strategy_name, silent) as report:
        yield report


def _swept(spec: SweepSpec, bars: BarsSpec, wishes: Wishes) -> int:
    frames = bars.fetch()
    try:
        with watched(spec, wishes) as report:
            result = execute(spec, frames, report)
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted: finished sets are in {spec.ledger_path}\n")
        return INTERRUPTED
    if wishes.out:
        with delivered(wishes.out) as folder:
            write_all(result, folder)
    show(result, wishes)
    return INTERRUPTED if result.partial else DONE


def write_all(result: SweepResult, folder: Path) -> None:
    """Sets, report and pictures into `folder`."""
    from analyzers.picture import png  # noqa: PLC0415
    from backtest import sweep_cards  # noqa: PLC0415  it imports matplotlib, which is slow

    result.save(folder)
    sweep_cards.report(result, folder / REPORT)
    write_whole(folder / TABLE, result.table.to_csv(index=False).encode())
    if not result.ranked().empty:
        write_whole(folder / HEATMAP, png(result.heatmap()))
        write_whole(folder / LINES, png(result.parallel_coordinates()))


def show(result: SweepResult, wishes: Wishes) -> None:
    """The result on stdout; what went wrong on the way on stderr."""
    if result.failures:
        reasons = result.outcomes.failures.items()
        row, reason = next(it for it in reasons if not it[1].startswith(PRUNED))
        sys.stderr.write(
            f"warning: {result.failures:,} of {len(result):,} sets failed, the first one (row "
            f"{row}): {reason}\n"
        )
    if result.partial:
        sys.stderr.write(
            f"interrupted: PARTIAL: {len(result):,} sets were finished; the same command goes on\n"
        )
    if wishes.as_json:
        sys.stdout.write(as_line(result.as_json()) + "\n")
        return
    if not wishes.quiet:
        from backtest import sweep_cards  # noqa: PLC0415  it imports matplotlib, which is slow

        sys.stdout.write(f"\n{sweep_cards.title(result)}\n")
        screen = Console()
        screen.print(sweep_cards.numbers(result))
        screen.print(sweep_cards.best_sets(result))
    if wishes.out:
        for label, name in (("report", REPORT), ("sets", TABLE), ("heatmap", HEATMAP)):
            sys.stdout.write(f"{label:8}{wishes.out / name}\n")
