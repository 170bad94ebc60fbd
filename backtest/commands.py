"""What the commands do once their options are read."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

import strategies
from analyzers.whole import write_whole
from backtest import printing, progress
from backtest.delivery import delivered
from backtest.demo import demonstrations
from backtest.engine import execute
from backtest.result import RunResult
from backtest.spec import RunSpec
from brokers.errors import ConfigError

DONE, INTERRUPTED = 0, 130
LOG, REPORT, CHART = "decisions.jsonl", "report.html", "chart.png"


@dataclass(frozen=True)
class Wishes:
    """Where a command's output goes."""

    out: Path | None = None
    as_json: bool = False
    quiet: bool = False


def backtest(spec: RunSpec, wishes: Wishes) -> int:
    """Fetch the bars, run, show and write the result; returns the exit code."""
    if spec.bars is None:
        raise ConfigError("bars: a run from the command line says where they come from")
    try:
        with _folder(wishes.out) as folder:
            result = _watched(spec, spec.bars.fetch(), folder, wishes)
            if folder:
                write_all(result, folder)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: nothing was written\n")
        return INTERRUPTED
    show(result, wishes)
    return INTERRUPTED if result.partial else DONE


def write_all(result: RunResult, folder: Path) -> None:
    """Tables, report and chart into `folder`, beside the log."""
    from analyzers.picture import png  # noqa: PLC0415  matplotlib is slow to import

    result.save(folder)
    result.report(folder / REPORT)
    write_whole(folder / CHART, png(result.figure()))


def show(result: RunResult, wishes: Wishes) -> None:
    """The result on stdout; what went differently than asked on stderr."""
    log = wishes.out / LOG if wishes.out else None
    if complaint := printing.refusals(result, log):
        sys.stderr.write(f"warning: {complaint}\n")
    if result.partial:
        sys.stderr.write(f"interrupted: the result is PARTIAL, it ends {result.equity.index[-1]}\n")
    if wishes.as_json:
        sys.stdout.write(printing.as_line(result.as_json()) + "\n")
        return
    if not wishes.quiet:
        sys.stdout.write(f"\n{printing.title(result)}\n")
        Console().print(printing.numbers(result))
    if wishes.out:
        for label, name in (("report", REPORT), ("chart", CHART), ("log", LOG)):
            sys.stdout.write(f"{label:8}{wishes.out / name}\n")


@contextmanager
def _folder(out: Path | None) -> Iterator[Path | None]:
    if out is None:
        yield None
    else:
        with delivered(out) as folder:
            yield folder


def _watched(spec: RunSpec, bars: object, folder: Path | None, wishes: Wishes) -> RunResult:
    console = Console(stderr=True, quiet=wishes.quiet)
    # Whatever the strategy prints goes to stderr, where stdout is meant for a program.
    stdout = redirect_stdout(sys.stderr) if wishes.as_json else nullcontext()
    with stdout, progress.shown(spec.strategy_name, console) as report:
        return execute(spec, bars, log=folder and folder / LOG, report=report)


def list_strategies(as_json: bool) -> int:
    """Every strategy with its parameters, as a table or as JSON."""
    described = []
    for name in strategies.names():
        try:
            cls = strategies.find(name)
        except strategies.UnknownStrategy as error:
            sys.stderr.write(f"{error}\n")  # the others are there nevertheless
            continue
        described.append((name, inspect.getdoc(cls) or "", strategies.parameters(cls)))
    if as_json:
        sys.stdout.write(printing.as_line([printing.described(*row) for row in described]) + "\n")
    else:
        Console().print(printing.strategies_table(described))
    return DONE


def demo(wishes: Wishes) -> int:
    """Run the demonstrations, each into its own folder under `wishes.out`, till one is stopped."""
    codes = (
        backtest(spec, replace(wishes, out=wishes.out and wishes.out / spec.strategy_name))
        for spec in demonstrations()
    )
    return next(filter(None, codes), DONE)
