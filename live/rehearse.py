"""`python -m live rehearse`: the same strategy, bars and rules through backtest and live stack.

Exit code 0 only when both halves did the same, 1 when they did not, 2 for bad input.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import orjson
import pandas as pd
import typer

from analyzers.options import End, Json, PathTo, Start, Symbols, Text
from backtest import texts
from backtest.engine import execute
from backtest.options import Cash, Commission, Params, Size
from backtest.parameters import found, parse_params
from backtest.spec import BarsSpec, RunSpec
from brokers.errors import ConfigError
from feeds.market import CALENDAR
from feeds.universe import names
from live.rehearsal.anew import begin_anew
from live.rehearsal.certificate import BUY_AND_HOLD, FEWEST_BARS, FEWEST_ORDERS, Certificate
from live.rehearsal.in_memory import rehearse
from live.rehearsal.kept import PAGE, keep
from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Front, Play, RuleSet

IDENTICAL, NOT_IDENTICAL = 0, 1
SPANS: Mapping[str, tuple[tuple[str, str], ...]] = {  # ever longer ones
    "1m": tuple(("2024-01-02", end) for end in ("2024-01-04", "2024-01-08", "2024-02-01")),
    "1d": tuple((start, "2025-12-31") for start in ("2024-01-02", "2022-01-03", "2016-01-04")),
}
FEW_SYMBOLS = 3
ACCOUNTS = get_args(RuleSet)
Way = Callable[[Play, Path, str], Certificate]
WAYS: Mapping[str, Way] = {"loopback": rehearse_over_loopback, "memory": rehearse}
FRONTS: Mapping[str, Front] = {
    "paper": "alpaca",
    "paper-tws": "tws",
    "paper-portal": "portal",
}

Strategy = Annotated[str, typer.Argument(help="A name from the list, or file.py:Class.")]
Feed = Annotated[Text, typer.Option(help="Source of the bars, as for backtest run.")]
Span = Annotated[str, typer.Option("--timeframe", help="1m or 1d.")]
Faults = Annotated[str, typer.Option(help="What goes wrong: none, storm, seed:N or a plan.toml.")]
Venue = Annotated[
    str, typer.Option(help="Whose protocol: paper (Alpaca's), paper-tws, paper-portal.")
]
Account = Annotated[str, typer.Option(help="The venue's rules: backtrader, alpaca.")]
Over = Annotated[
    str,
    typer.Option(help="loopback: session and venue are processes; memory: in one, and faster."),
]
Seed = Annotated[int, typer.Option(help="Of the synthetic market and the venue's ids.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for the certificate and both logs; earlier logs are kept aside."),
]

EXAMPLES = """Examples:

python -m live rehearse sma_cross --faults storm --out out/rehearsal

python -m live rehearse my_strategy.py:MyStrategy --path bars --timeframe 1d --over memory

python -m live rehearse donchian_bracket --symbols SPY,XLK --account alpaca --faults seed:3

Exit codes: 0 identical, 1 not identical, or too little to tell, 2 bad input."""


def command(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: Strategy,
    feed: Feed = None,
    path: PathTo = None,
    symbols: Symbols = "",
    param: Params = None,
    start: Start = None,
    end: End = None,
    timeframe: Span = "1m",
    size: Size = None,
    cash: Cash = 100_000.0,
    commission: Commission = 0.0,
    venue: Venue = "paper",
    faults: Faults = "none",
    account: Account = "backtrader",
    over: Over = "loopback",
    seed: Seed = 7,
    out: Out = None,
    as_json: Json = False,
) -> int:
    """Play a strategy through its backtest and through the live stack; they must not differ."""
    _one_of("--venue", venue, tuple(FRONTS))
    _one_of("--account", account, ACCOUNTS)
    _one_of("--over", over, tuple(WAYS))
    if over == "memory" and FRONTS[venue] == "portal":
        raise ConfigError("--over memory: ibind asks over sockets alone: use --over loopback")
    params = parse_params(found(strategy), texts.pairs("--param", param))
    spec = RunSpec(
        strategy, params, cash=cash, commission=commission, size=texts.size(size) or None
    )
    source = feed or ("files" if path else "synthetic")
    options = _options(source, path, seed, timeframe)
    bars = BarsSpec(source, texts.symbols(symbols), start, end, timeframe, options)
    rules = cast("RuleSet", account)
    frames, front = bars_for(spec, bars), FRONTS[venue]
    play = Play(spec, frames, account=rules, front=front, seed=seed, strategy=strategy)
    with _folder(out) as folder:
        certificate = WAYS[over](play, folder, faults)
    if out:
        keep(certificate, out)
    return _show(certificate, out, as_json)


def _options(source: str, path: Text, seed: int, timeframe: str) -> dict[str, Any]:
    """The source's own; daily files are given the closes after which daily bars come live."""
    options: dict[str, Any] = {"path": path} if path else {}
    if source == "synthetic":
        options["seed"] = seed
    if source == "files" and timeframe == "1d":
        options["calendar"] = CALENDAR
    return options


def _one_of(option: str, given: str, choice: Sequence[str]) -> None:
    if given not in choice:
        raise ConfigError(f"{option} {given}: use {' or '.join(choice)}")


def _show(certificate: Certificate, out: Path | None, as_json: bool) -> int:
    if as_json:
        told = orjson.dumps(certificate.as_dict(), default=str, option=orjson.OPT_SERIALIZE_NUMPY)
        sys.stdout.write(told.decode() + "\n")
    else:
        where = f"\n  certificate        {out / PAGE}" if out else ""
        sys.stdout.write(f"{certificate.text}{where}\n")
    return IDENTICAL if certificate.identical else NOT_IDENTICAL


def bars_for(spec: RunSpec, bars: BarsSpec) -> dict[str, pd.DataFrame]:
    """The bars asked for; of the synthetic market, without dates, as many as it takes.

    Where no symbols were asked for, it takes a few of them before it takes more years.
    """
    spans = SPANS.get(bars.timeframe or "", ())
    if bars.source != "synthetic" or bars.start or bars.end or not spans:
        return bars.fetch()
    first, *_ = choices = [replace(bars, start=start, end=end) for start, end in spans]
    if not bars.symbols:
        few = names()[:FEW_SYMBOLS]
        choices = [first, *(replace(choice, symbols=few) for choice in choices)]
    for choice in choices:
        frames = choice.fetch()
        if _is_enough(spec, frames):
            break
    return frames


def _is_enough(spec: RunSpec, frames: Mapping[str, pd.DataFrame]) -> bool:
    result = execute(spec, frames)
    is_busy = len(result.orders) >= FEWEST_ORDERS or spec.strategy_name == BUY_AND_HOLD
    return is_busy and len(result.equity) >= FEWEST_BARS


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    begin_anew(out)
    yield out
