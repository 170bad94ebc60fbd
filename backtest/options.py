"""The options that the commands of runs share, with what `--help` says of them."""

from pathlib import Path
from typing import Annotated

import typer

from analyzers.options import Json, Text, takes_bars

__all__ = [
    "Cash",
    "Commission",
    "Json",
    "Out",
    "Params",
    "Quiet",
    "Risk",
    "Size",
    "Slippage",
    "Strategy",
    "Text",
    "Turbo",
    "Whole",
    "takes_bars",
]

Strategy = Annotated[
    str, typer.Argument(help="A name from `list`, module:Class, or file.py:Class.")
]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="fast=5; give it once a parameter.")
]
Cash = Annotated[float, typer.Option(help="Starting cash.")]
Commission = Annotated[float, typer.Option(help="Fraction of the notional: 0.001 is 0.1 %.")]
Slippage = Annotated[float, typer.Option("--slippage-bps", help="Hundredths of a per cent.")]
Size = Annotated[Text, typer.Option(help="Stake: units such as 100, or 95% of equity.")]
Risk = Annotated[
    list[str] | None, typer.Option("--risk", help="max_order_notional=50000; once a limit.")
]
Out = Annotated[Path | None, typer.Option(help="Folder for report, chart, log and tables.")]
Turbo = Annotated[
    bool,
    typer.Option("--turbo/--no-turbo", help="Fast paths; the results are the same without."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")]
Whole = Annotated[bool, typer.Option("--traceback", help="Show all of a strategy's error.")]
