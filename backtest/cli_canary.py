"""`python -m backtest canary`: look-ahead found by taking the future away."""

import sys
from typing import Annotated

import typer

from backtest import options, printing, texts
from backtest.canary import CUTS, CanaryReport, find_leak
from backtest.parameters import found, parse_params
from backtest.spec import BarsSpec, RunSpec

CLEAN, LEAKS = 0, 3

EXAMPLES = """Examples:

python -m backtest canary sma_cross

python -m backtest canary my_strategy.py:MyStrategy --feed files --path prices.csv --cuts 40

Exit codes: 0 clean, 1 the strategy raised an error, 2 bad input, 3 it looks ahead.
"""


@options.takes_bars
def canary(
    strategy: options.Strategy,
    bars: BarsSpec,
    cuts: Annotated[int, typer.Option(help="At how many bars the future is changed.")] = CUTS,
    param: options.Params = None,
    cash: options.Cash = 100_000.0,
    size: options.Size = None,
    as_json: options.Json = False,
    traceback: options.Whole = False,  # noqa: ARG001  read by backtest.complaints
) -> int:
    """Look for decisions that depend on bars of the future.

    The strategy runs again with the bars cut off, and with the later ones scrambled.
    """
    params = parse_params(found(strategy), texts.pairs("--param", param))
    spec = RunSpec(strategy, params, cash, size=texts.size(size))
    report = find_leak(spec, bars.fetch(), cuts=cuts, seed=int(bars.options.get("seed", 0)))
    told = printing.as_line(report.as_json()) if as_json else _words(report)
    sys.stdout.write(told + "\n")
    return CLEAN if report.clean else LEAKS


def _words(report: CanaryReport) -> str:
    if not (leak := report.leak):
        return (
            f"{report.strategy}: clean: {report.compared} of {report.decisions} decisions did not "
            f"change at {report.cuts} cuts, without the later bars and with others in their place"
        )
    return (
        f"{report.strategy}: LOOKS AHEAD: with the bars after {leak.cut_at:%Y-%m-%d %H:%M} UTC "
        f"{leak.way}, the first change is {leak.symbol} at {leak.at:%Y-%m-%d %H:%M} UTC\n"
        f"  with all bars     {leak.expected}\n"
        f"  {leak.way:16}  {leak.found}"
    )
