"""`python -m backtest walkforward`: choose on the past, trade the next stretch, and go on."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from analyzers.whole import write_whole
from backtest import cli_sweep, options, texts
from backtest.commands import DONE, INTERRUPTED
from backtest.delivery import delivered
from backtest.printing import as_line
from backtest.spec import BarsSpec, RunSpec
from backtest.sweep_spec import SweepSpec
from backtest.walk_cards import facts, table
from backtest.walk_result import WalkForwardResult
from backtest.walkforward import walk_forward

EXAMPLES = """Examples:

python -m backtest walkforward sma_cross --grid fast=5:25:5 --grid slow=30:80:10
--train 500 --test 125

Exit codes: 0 done; 2 bad input; 130 interrupted, finished windows are shown."""


@options.takes_bars
def walkforward(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: options.Strategy,
    bars: BarsSpec,
    grid: cli_sweep.Axes = None,
    train: Annotated[int, typer.Option(help="Bars to choose on.")] = 500,
    test: Annotated[int, typer.Option(help="Bars to trade on after that.")] = 125,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="Choose on all bars so far, not on the last ones.")
    ] = False,
    search: cli_sweep.Search = "grid",
    trials: cli_sweep.Trials = None,
    engine: cli_sweep.Engine = "auto",
    backend: cli_sweep.Backend = "loky",
    jobs: cli_sweep.Jobs = -1,
    objective: cli_sweep.Objective = "sharpe",
    constraint: cli_sweep.Constraint = None,
    prune: cli_sweep.Prune = True,
    search_seed: cli_sweep.SearchSeed = 0,
    ledger: cli_sweep.LedgerFile = None,
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
    """Choose parameters on one stretch of time, trade them on the next, and go on from there."""
    run = RunSpec(strategy, {}, cash, commission, slippage_bps, texts.size(size), None, bars)
    how = {
        "search": search, "engine": engine, "backend": backend, "jobs": jobs,
        "objective": objective, "trials": trials, "seed": search_seed, "confirm": 0,
        "ledger": ledger, "constraint": constraint, "prune": prune,
    }  # fmt: skip
    spec = cli_sweep.described(run, grid, param, how)
    wishes = cli_sweep.Wishes(out, as_json, quiet)
    return _walked(spec, bars, (train, test, anchored), wishes)


def _walked(
    spec: SweepSpec, asked: BarsSpec, cut: tuple[int, int, bool], wishes: cli_sweep.Wishes
) -> int:
    frames = asked.fetch()
    train, test, anchored = cut
    try:
        with cli_sweep.watched(spec, wishes) as report:
            result = walk_forward(
                spec, frames, train=train, test=test, anchored=anchored, report=report
            )
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted: finished sets are in {spec.ledger_path}\n")
        return INTERRUPTED
    if wishes.out:
        with delivered(wishes.out) as folder:
            _write_all(result, folder)
    _show(result, wishes)
    return INTERRUPTED if result.partial else DONE


def _show(result: WalkForwardResult, wishes: cli_sweep.Wishes) -> None:
    if result.partial:
        sys.stderr.write("interrupted: the result is PARTIAL, it ends with the last whole window\n")
    if wishes.as_json:
        sys.stdout.write(as_line(result.as_json()) + "\n")
    elif not wishes.quiet:
        console = Console()
        console.print(table(result))
        for label, text in facts(result):
            sys.stdout.write(f"{label:28}{text}\n")


def _write_all(result: WalkForwardResult, folder: Path) -> None:
    from analyzers.picture import png  # noqa: PLC0415  matplotlib is slow to import

    told = json.dumps(result.as_json(), indent=1, allow_nan=False)
    write_whole(folder / "walkforward.json", f"{told}\n".encode())
    write_whole(folder / "windows.csv", result.windows().to_csv(index=False).encode())
    write_whole(folder / "walkforward.png", png(result.figure()))
