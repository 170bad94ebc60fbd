"""The options of a feed that several commands share, with what `--help` says of them."""

from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzers import texts
from feeds.bars_spec import BarsSpec

Text = str | None
Feed = Annotated[
    Text,
    typer.Option(
        "--feed",
        "--source",
        help="Source of the bars: files (the default with --path), synthetic (the default "
        "without), yahoo, polygon.",
    ),
]
PathTo = Annotated[Text, typer.Option("--path", help="File or folder of --feed files.")]
Symbols = Annotated[str, typer.Option(help="Comma-separated, such as A,B.")]
Start = Annotated[Text, typer.Option(help="First date, 2020-01-31.")]
End = Annotated[Text, typer.Option(help="Last date, inclusive.")]
Span = Annotated[
    Text,
    typer.Option(
        "--timeframe",
        help="1m 5m 15m 30m 1h 1d 1w 1mo; without it a file's own, else 1d.",
    ),
]
Options = Annotated[
    list[str] | None,
    typer.Option("--option", help="adjust=true; any other option of the feed, once each."),
]
Calendar = Annotated[Text, typer.Option(help="Exchange calendar, such as XNYS.")]
Zone = Annotated[Text, typer.Option("--tz", help="Time zone of a file's times.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the synthetic market.")]
Universe = Annotated[Path | None, typer.Option("--universe", help="File of symbols, one a line.")]
Pace = Annotated[int, typer.Option(min=1, help="What Polygon's plan allows; the free one 5.")]
Base = Annotated[Text, typer.Option(help="Polygon's host, such as https://api.polygon.io.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]


def takes_bars(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of a feed; they reach it as one BarsSpec, its argument `bars`."""
    of_bars = signature(_bars).parameters
    own = [item for item in signature(command).parameters.values() if item.name != "bars"]

    @wraps(command)
    def taking(**given: Any) -> int:
        asked = _bars(**{name: given.pop(name) for name in of_bars})
        return command(bars=asked, **given)

    together = [*own, *of_bars.values()]
    taking.__signature__ = Signature(together)  # type: ignore[attr-defined]
    taking.__annotations__ = {item.name: item.annotation for item in together}
    return taking


def _bars(  # noqa: PLR0913, PLR0917  one parameter an option
    feed: Feed = None,
    path: PathTo = None,
    symbols: Symbols = "",
    start: Start = None,
    end: End = None,
    timeframe: Span = None,
    calendar: Calendar = None,
    tz: Zone = None,
    seed: Seed = None,
    option: Options = None,
) -> BarsSpec:
    """The bars asked for: files where a path is given, else the synthetic market.

    Raises:
        ConfigError: an option that no value can be read from.
    """
    named = {"path": path, "calendar": calendar, "tz": tz, "seed": seed}
    options = texts.options(option) | {key: it for key, it in named.items() if it is not None}
    source = feed or ("files" if path else "synthetic")
    return BarsSpec(source, texts.symbols(symbols), start, end, timeframe, options)
