"""The command line: options in, a RunSpec and its bars out, then the run and what it leaves.

Exit codes: 0 done; 1 the strategy itself raised an error; 2 bad input; 130 interrupted by Ctrl-C,
what was done until then is shown and written, and says that it is partial.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from backtest import commands, texts
from backtest.commands import DONE, Wishes
from backtest.parameters import found, parse_params
from backtest.spec import BarsSpec, RunSpec
from brokers.errors import SeawallError

BAD_INPUT = 2
PROGRAM = "python -m backtest"

app = typer.Typer(
    name="backtest",
    help="Backtests behind the guard. Start with: python -m backtest demo",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Text = str | None
Strategy = Annotated[
    str, typer.Argument(help="A name from `list`, module:Class, or file.py:Class.")
]
Feed = Annotated[
    Text,
    typer.Option(
        help="Source of the bars: files (the default with --path), synthetic (the default "
        "without), yahoo, polygon."
    ),
]
PathTo = Annotated[Text, typer.Option("--path", help="File or folder of --feed files.")]
Symbols = Annotated[str, typer.Option(help="Comma-separated, such as A,B.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="fast=5; give it once a parameter.")
]
Start = Annotated[Text, typer.Option(help="First date, 2020-01-31.")]
End = Annotated[Text, typer.Option(help="Last date, inclusive.")]
Span = Annotated[
    Text,
    typer.Option(
        "--timeframe",
        help="1m 5m 15m 30m 1h 1d 1w 1mo; without it a file's own, else 1d.",
    ),
]
Cash = Annotated[float, typer.Option(help="Starting cash.")]
Commission = Annotated[float, typer.Option(help="Fraction of the notional: 0.001 is 0.1 %.")]
Slippage = Annotated[float, typer.Option("--slippage-bps", help="Hundredths of a per cent.")]
Size = Annotated[Text, typer.Option(help="Stake: units such as 100, or 95% of equity.")]
Risk = Annotated[
    list[str] | None, typer.Option("--risk", help="max_order_notional=50000; once a limit.")
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", help="adjust=true; any other option of the feed, once each."),
]
Calendar = Annotated[Text, typer.Option(help="Exchange calendar, such as XNYS.")]
Zone = Annotated[Text, typer.Option("--tz", help="Time zone of a file's times.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the synthetic market.")]
Out = Annotated[Path | None, typer.Option(help="Folder for report, chart, log and tables.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")]
Whole = Annotated[bool, typer.Option("--traceback", help="Show all of a strategy's error.")]

EXAMPLES = """Examples:

python -m backtest run sma_cross --param fast=5 --param slow=20 --size 95%

python -m backtest run sma_cross --feed files --path prices.csv --commission 0.001 --out out/sma

python -m backtest run my_strategy.py:MyStrategy --feed files --path prices.csv --json

Exit codes: 0 done, 1 the strategy raised an error, 2 bad input, 130 interrupted."""


def main(argv: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Errors of ours become one line on stderr."""
    try:
        # Called as app(...), Typer would put its own excepthook in place of ours.
        code = get_command(app).main(list(argv), prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        text = getattr(error, "format_message", error.__str__)()
        # Without any command Typer has shown its help and says no more.
        return _complain(f"{text.rstrip('.')}; see {PROGRAM} --help") if text else BAD_INPUT
    except SeawallError as error:
        return _complain(str(error))
    return int(code or DONE)


@app.command(epilog=EXAMPLES)
def run(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: Strategy,
    feed: Feed = None,
    path: PathTo = None,
    symbols: Symbols = "",
    param: Params = None,
    start: Start = None,
    end: End = None,
    timeframe: Span = None,
    cash: Cash = 100_000.0,
    commission: Commission = 0.0,
    slippage_bps: Slippage = 0.0,
    size: Size = None,
    risk: Risk = None,
    option: Options = None,
    calendar: Calendar = None,
    tz: Zone = None,
    seed: Seed = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    traceback: Whole = False,  # noqa: ARG001  read by backtest.complaints
) -> int:
    """Backtest one strategy on one or more feeds."""
    named = {"path": path, "calendar": calendar, "tz": tz, "seed": seed}
    options = texts.options(option) | {key: it for key, it in named.items() if it is not None}
    source = feed or ("files" if path else "synthetic")
    bars = BarsSpec(source, texts.symbols(symbols), start, end, timeframe, options)
    params = parse_params(found(strategy), texts.pairs("--param", param))
    stake, limits = texts.size(size), texts.limits(risk)
    spec = RunSpec(strategy, params, cash, commission, slippage_bps, stake, limits, bars)
    return commands.backtest(spec, Wishes(out, as_json, quiet))


@app.command("list")
def list_strategies(as_json: Json = False) -> int:
    """List the strategies, their parameters and defaults."""
    return commands.list_strategies(as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
    quiet: Quiet = False,
) -> int:
    """Backtest three strategies on the embedded synthetic market; takes some seconds."""
    return commands.demo(Wishes(out, quiet=quiet))


def _complain(text: str) -> int:
    sys.stderr.write(f"error: {' '.join(text.split())}\n")
    return BAD_INPUT
