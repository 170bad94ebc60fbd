"""The options that several commands of a session share, with what `--help` says of them."""

from pathlib import Path
from typing import Annotated

import typer

from analyzers.options import Json, PathTo, Symbols, Text
from backtest.options import Cash, Commission, Params, Size

__all__ = [
    "Cash", "Commission", "Folder", "Json", "Log", "Params", "PathTo", "Seed", "Settings", "Size",
    "Span", "Speed", "Strategy", "Symbols", "Text", "Url", "Venue", "VenueFaults",
]  # fmt: skip

Strategy = Annotated[
    Text, typer.Argument(help="A name from `python -m backtest list`, or file.py:Class.")
]
Settings = Annotated[
    Path | None, typer.Option("--settings", help="A live.toml; ./live.toml if it is there.")
]
Venue = Annotated[Text, typer.Option(help="Where to trade; docs/live.md has the table.")]
Url = Annotated[Text, typer.Option(help="A venue that speaks Alpaca's protocol.")]
Folder = Annotated[Text, typer.Option(help="Where log, bars and reports are.")]
Span = Annotated[Text, typer.Option("--timeframe", help="1m 5m 15m 30m 1h 1d.")]
Speed = Annotated[Text, typer.Option(help="Of the embedded venue, such as 60x.")]
Seed = Annotated[int | None, typer.Option(help="Of the embedded venue.")]
VenueFaults = Annotated[
    Text, typer.Option("--faults", help="Of the embedded venue: none, storm, seed:N, file.toml.")
]
Log = Annotated[Path | None, typer.Option(help="A decision log; by default the folder's.")]
