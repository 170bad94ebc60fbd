"""The command line: options in, a RunSpec and its bars out, then the run and what it leaves.

Exit codes: 0 done; 1 the strategy itself raised an error; 2 bad input; 3 a look-ahead was found;
130 interrupted by Ctrl-C, what was done until then is shown and written, and says that it is
partial.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from analyzers.usage import answered
from backtest import cli_canary, cli_sweep, cli_walkforward, commands, options, texts
from backtest.commands import Wishes
from backtest.parameters import found, parse_params
from backtest.spec import BarsSpec, RunSpec

PROGRAM, SCRIPT = "python -m backtest", "seawall-backtest"

app = typer.Typer(
    name="backtest",
    help="Backtests behind the guard. Start with: python -m backtest demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

EXAMPLES = """Examples:

python -m backtest run sma_cross --param fast=5 --param slow=20 --size 95%

python -m backtest run sma_cross --feed files --path prices.csv --commission 0.001 --out out/sma

python -m backtest run my_strategy.py:MyStrategy --feed files --path prices.csv --json

Exit codes: 0 done, 1 the strategy raised an error, 2 bad input, 130 interrupted."""

LIST_EXAMPLES = """Examples:

python -m backtest list

python -m backtest list --json"""
DEMO_EXAMPLES = """Examples:

python -m backtest demo

python -m backtest demo --out out/mine

Exit codes: 0 done, 130 interrupted."""


def main(argv: Sequence[str], program: str = PROGRAM) -> int:
    """Run one command line; returns its exit code. Errors of ours become one line on stderr.

    Args:
        program: what was called; a shell completes the words of the installed script alone.
    """
    return answered(app, argv, program, SCRIPT)


@app.command(epilog=EXAMPLES)
@options.takes_bars
def run(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: options.Strategy,
    bars: BarsSpec,
    param: options.Params = None,
    cash: options.Cash = 100_000.0,
    commission: options.Commission = 0.0,
    slippage_bps: options.Slippage = 0.0,
    size: options.Size = None,
    risk: options.Risk = None,
    out: options.Out = None,
    turbo: options.Turbo = True,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    traceback: options.Whole = False,  # noqa: ARG001  read by backtest.complaints
) -> int:
    """Backtest one strategy on one or more feeds."""
    params = parse_params(found(strategy), texts.pairs("--param", param))
    stake, limits = texts.size(size), texts.limits(risk)
    spec = RunSpec(strategy, params, cash, commission, slippage_bps, stake, limits, bars, turbo)
    return commands.backtest(spec, Wishes(out, as_json, quiet))


app.command(epilog=cli_sweep.EXAMPLES)(cli_sweep.sweep)
app.command(epilog=cli_canary.EXAMPLES)(cli_canary.canary)
app.command(epilog=cli_walkforward.EXAMPLES)(cli_walkforward.walkforward)


@app.command("list", epilog=LIST_EXAMPLES)
def list_strategies(as_json: options.Json = False) -> int:
    """List the strategies, their parameters and defaults."""
    return commands.list_strategies(as_json)


@app.command(epilog=DEMO_EXAMPLES)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
    quiet: options.Quiet = False,
) -> int:
    """Backtest three strategies on the embedded synthetic market; takes some seconds."""
    return commands.demo(Wishes(out, quiet=quiet))
