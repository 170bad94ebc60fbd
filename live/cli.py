"""The command line: `python -m live` trades; rehearse proves; check, why and report look.

Exit codes are those of `live.exits`; docs/live.md has the table.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from analyzers.usage import COMPLETION, complained, complaint
from backtest import texts
from backtest.parameters import found, parse_params
from brokers.errors import SeawallError
from live import commands, init, rehearse, venue_alone
from live.config import load
from live.durations import seconds
from live.exits import ExitCode
from live.options import (
    Folder,
    Json,
    Log,
    Params,
    Seed,
    Settings,
    Size,
    Span,
    Speed,
    Strategy,
    Symbols,
    Text,
    Url,
    Venue,
    VenueFaults,
)
from live.settings import LiveSettings

PROGRAM, SCRIPT = "python -m live", "seawall-live"
HERE = Path("live.toml")
FIRST_COMMAND = "trade"
HOST = "127.0.0.1"

app = typer.Typer(
    name="live",
    help="Trades behind the guard. Without a command: trade, on paper, at the embedded venue.",
    pretty_exceptions_enable=False,
)

For = Annotated[Text, typer.Option("--for", help="End after so long: 60s, 5m, 2h.")]
Feed = Annotated[Text, typer.Option(help="iex, sip or delayed_sip.")]
Adopt = Annotated[bool, typer.Option("--adopt", help="Where books differ, the venue is right.")]
AcceptData = Annotated[
    bool, typer.Option("--accept-data", help="Trade on data unlike the backtest's or warm-up's.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew; an earlier log is kept aside.")]
RealMoney = Annotated[bool, typer.Option("--yes-real-money", help="For venues of real money.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No view.")]

TRADE_EXAMPLES = """Examples:

python -m live

python -m live donchian_bracket --symbols SPY,XLK --speed 120x --for 2m

python -m live --settings live.toml --venue alpaca

Exit codes: 0 done, 2 bad input, 3 breaker, 4 account limit, 130 Ctrl-C; docs/live.md has all."""
CHECK_EXAMPLES = """Examples:

python -m live check

python -m live check --venue alpaca --symbols SPY,XLK

Exit codes: 0 go, 9 no-go, 2 bad input, 8 the venue is out of reach."""
WHY_EXAMPLES = """Examples:

python -m live why 3f2a

python -m live why 3f2a --log out/sma/decisions.jsonl --json

Exit codes: 0 done, 2 there is no such order or log."""
REPORT_EXAMPLES = """Examples:

python -m live report

python -m live report --log out/live/decisions.jsonl --json

Exit codes: 0 done, 2 there is no such log."""
VENUE_EXAMPLES = """Examples:

python -m live venue --symbols AAPL,MSFT --speed 60x --faults storm

python -m live venue --front tws --port 4002

Exit codes: 0 done, 2 bad input."""
SETTINGS_EXAMPLES = """Examples:

python -m live settings > live.toml

python -m live init asks a few questions instead."""


def main(argv: Sequence[str], program: str = PROGRAM) -> int:
    """Run one command line; returns its exit code. Errors of ours become one line on stderr.

    Args:
        program: what was called; a shell completes the words of the installed script alone.
    """
    words, command = list(argv), get_command(app)
    known = (*getattr(command, "commands", ()), *COMPLETION, "--help")
    if not words or words[0] not in known:
        words.insert(0, FIRST_COMMAND)
    name = SCRIPT if words[0] in COMPLETION else program
    try:
        code = command.main(words, prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        return complained(complaint(error, program), ExitCode.BAD_INPUT)
    except SeawallError as error:
        return complained(str(error), commands.code_of(error))
    return int(code or ExitCode.DONE)


@app.command(epilog=TRADE_EXAMPLES)
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
    faults: VenueFaults = None,
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


@app.command(epilog=CHECK_EXAMPLES)
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


@app.command(epilog=WHY_EXAMPLES)
def why(
    order_id: Annotated[str, typer.Argument(help="An order's id, or the beginning of it.")],
    log: Log = None,
    settings: Settings = None,
    folder: Folder = None,
    as_json: Json = False,
) -> int:
    """Tell why an order exists and what became of it, from the log alone."""
    return commands.why(_log(log, settings, folder), order_id, as_json=as_json)


@app.command(epilog=REPORT_EXAMPLES)
def report(
    log: Log = None,
    settings: Settings = None,
    folder: Folder = None,
    as_json: Json = False,
) -> int:
    """Sum a session up: orders, fills, and what they cost against the backtest's model."""
    return commands.report(_log(log, settings, folder), as_json=as_json)


@app.command(epilog=VENUE_EXAMPLES)
def venue(  # noqa: PLR0913, PLR0917  one parameter an option
    front: Annotated[str, typer.Option(help="Its protocol: alpaca, tws or portal.")] = "alpaca",
    host: Annotated[str, typer.Option(help="Address to listen on; loopback by default.")] = HOST,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    symbols: Symbols = "",
    timeframe: Span = None,
    speed: Speed = None,
    seed: Seed = None,
    faults: VenueFaults = None,
    settings: Settings = None,
) -> int:
    """Run the paper venue alone, for any client; its keys are in docs/live.md."""
    words = {
        "data": {"symbols": _listed(symbols), "timeframe": timeframe},
        "paper": {"speed": speed, "seed": seed, "faults": faults},
    }
    chosen = _settings(settings, words)
    return venue_alone.run(front, host, port, chosen.data, chosen.paper)


app.command("rehearse", epilog=rehearse.EXAMPLES)(rehearse.command)
app.command("init", epilog=init.EXAMPLES)(init.command)


@app.command("settings", epilog=SETTINGS_EXAMPLES)
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
