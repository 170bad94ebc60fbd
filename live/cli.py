"""The command line: `python -m live` trades; rehearse proves; check, why and report look.

Exit codes are those of `live.exits`; docs/live.md has the table.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from backtest import texts
from backtest.parameters import found, parse_params
from brokers.errors import SeawallError
from live import commands, rehearse, venue_alone
from live.config import load
from live.durations import seconds
from live.exits import ExitCode
from live.settings import LiveSettings

PROGRAM = "python -m live"
HERE = Path("live.toml")
FIRST_COMMAND = "trade"
HOST = "127.0.0.1"

app = typer.Typer(
    name="live",
    help="Trades behind the guard. Without a command: trade, on paper, at the embedded venue.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

Text = str | None
Strategy = Annotated[
    Text, typer.Argument(help="A name from `python -m backtest list`, or file.py:Class.")
]
Settings = Annotated[
    Path | None, typer.Option("--settings", help="A live.toml; ./live.toml if it is there.")
]
Venue = Annotated[Text, typer.Option(help="paper, paper-tws, alpaca[-live] or ibkr[-live].")]
Url = Annotated[Text, typer.Option(help="A venue that speaks Alpaca's protocol.")]
Folder = Annotated[Text, typer.Option(help="Where log, bars and reports are.")]
Symbols = Annotated[str, typer.Option(help="Comma-separated, such as SPY,XLK.")]
Span = Annotated[Text, typer.Option("--timeframe", help="1m 5m 15m 30m 1h 1d.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="fast=5; give it once a parameter.")
]
Size = Annotated[Text, typer.Option(help="Stake: units such as 100, or 95% of equity.")]
Feed = Annotated[Text, typer.Option(help="iex, sip or delayed_sip.")]
Speed = Annotated[Text, typer.Option(help="Of the embedded venue, such as 60x.")]
Seed = Annotated[int | None, typer.Option(help="Of the embedded venue.")]
Faults = Annotated[Text, typer.Option(help="Of the embedded venue: none, storm, seed:N, file.toml")]
For = Annotated[Text, typer.Option("--for", help="End after so long: 60s, 5m, 2h.")]
Adopt = Annotated[bool, typer.Option("--adopt", help="Where books differ, the venue is right.")]
AcceptData = Annotated[
    bool, typer.Option("--accept-data", help="Trade on data unlike the backtest's or warm-up's.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew; an earlier log is kept aside.")]
RealMoney = Annotated[bool, typer.Option("--yes-real-money", help="For venues of real money.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No view.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def main(argv: Sequence[str]) -> int:
    """Run one command line; returns its exit code. Errors of ours become one line on stderr."""
    words, command = list(argv), get_command(app)
    known = (*getattr(command, "commands", ()), "--help")
    if not words or words[0] not in known:
        words.insert(0, FIRST_COMMAND)
    try:
        code = command.main(words, prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        text = getattr(error, "format_message", error.__str__)()
        return _complain(f"{text.rstrip('.')}; see {PROGRAM} --help", ExitCode.BAD_INPUT)
    except SeawallError as error:
        return _complain(str(error), commands.code_of(error))
    return int(code or ExitCode.DONE)


@app.command()
def trade(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: Strategy = None,
    settings: Settings = None,
    venue: Venue = None,
    url: Url = None,
    folder: Folder = None,
    symbols: Symbols = "",
    timeframe: Span = None,
    param: Params = None,
    size: Size = None,
    feed: Feed = None,
    speed: Speed = None,
    seed: Seed = None,
    faults: Faults = None,
    run_for: For = None,
    adopt: Adopt = False,
    accept_data: AcceptData = False,
    fresh: Fresh = False,
    yes_real_money: RealMoney = False,
    quiet: Quiet = False,
) -> int:
    """Trade one or several strategies; Ctrl-C shuts down gracefully."""
    data = {"symbols": _listed(symbols), "timeframe": timeframe, "feed": feed}
    words: dict[str, Any] = {
        "venue": venue,
        "url": url,
        "folder": folder,
        "strategies": _strategies(strategy, param, size),
        "data": data,
        "paper": {"speed": speed, "seed": seed, "faults": faults},
    }
    wishes = commands.Wishes(
        for_s=seconds(run_for) if run_for else None,
        adopt=adopt,
        accept_data=accept_data,
        fresh=fresh,
        real_money=yes_real_money,
        quiet=quiet,
    )
    return commands.trade(_settings(settings, words), wishes)


@app.command()
def check(
    settings: Settings = None,
    venue: Venue = None,
    url: Url = None,
    symbols: Symbols = "",
    folder: Folder = None,
) -> int:
    """Look at keys, account, data, clock, orders and log: go or no-go."""
    data = {"symbols": _listed(symbols)}
    words = {"venue": venue, "url": url, "folder": folder, "data": data}
    return commands.check(_settings(settings, words))


@app.command()
def why(
    order_id: Annotated[str, typer.Argument(help="An order's id, or the beginning of it.")],
    log: Annotated[
        Path | None, typer.Option(help="A decision log; by default the folder's.")
    ] = None,
    settings: Settings = None,
    folder: Folder = None,
    as_json: Json = False,
) -> int:
    """Tell why an order exists and what became of it, from the log alone."""
    return commands.why(_log(log, settings, folder), order_id, as_json=as_json)


@app.command()
def report(
    log: Annotated[
        Path | None, typer.Option(help="A decision log; by default the folder's.")
    ] = None,
    settings: Settings = None,
    folder: Folder = None,
    as_json: Json = False,
) -> int:
    """Sum a session up: orders, fills, and what they cost against the backtest's model."""
    return commands.report(_log(log, settings, folder), as_json=as_json)


@app.command()
def venue(  # noqa: PLR0913, PLR0917  one parameter an option
    front: Annotated[str, typer.Option(help="Its protocol: alpaca, tws or portal.")] = "alpaca",
    host: Annotated[str, typer.Option(help="Address to listen on; loopback by default.")] = HOST,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    symbols: Symbols = "",
    timeframe: Span = None,
    speed: Speed = None,
    seed: Seed = None,
    faults: Faults = None,
    settings: Settings = None,
) -> int:
    """Run the paper venue alone, for any client; its keys are in docs/live.md."""
    words = {
        "data": {"symbols": _listed(symbols), "timeframe": timeframe},
        "paper": {"speed": speed, "seed": seed, "faults": faults},
    }
    chosen = _settings(settings, words)
    return venue_alone.run(front, host, port, chosen.data, chosen.paper)


app.command("rehearse")(rehearse.command)


@app.command("settings")
def show_settings() -> int:
    """Print a live.toml with every setting, its default and its meaning."""
    return commands.show_settings()


def _settings(path: Path | None, words: dict[str, Any]) -> LiveSettings:
    return load(path or (HERE if HERE.exists() else None), words)


def _strategies(name: Text, params: list[str] | None, size: Text) -> list[dict[str, Any]] | None:
    """What the command line says of its one strategy; None leaves the file's."""
    if name is None and not params and size is None:
        return None
    chosen = name or LiveSettings().strategies[0].name
    given = parse_params(found(chosen), texts.pairs("--param", params))
    return [{"name": chosen, "params": given, "size": texts.size(size)}]


def _listed(symbols: str) -> list[str] | None:
    """What the command line says of symbols; None leaves the file's."""
    return list(texts.symbols(symbols)) or None


def _log(log: Path | None, settings: Path | None, folder: Text) -> Path:
    return log or commands.log_of(_settings(settings, {"folder": folder}).path)


def _complain(text: str, code: ExitCode) -> int:
    sys.stderr.write(f"error: {' '.join(text.split())}\n")
    return int(code)
