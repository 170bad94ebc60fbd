"""`python -m live init`: a commented live.toml, after a few questions or from flags alone."""

import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzers import texts
from analyzers.whole import write_whole
from backtest.parameters import found, parse_params
from brokers.errors import ConfigError
from live import options
from live.config import load, merged, specs
from live.exits import ExitCode
from live.reference import as_toml, meaning_of
from live.settings import LiveSettings
from live.venues import VENUES

Ask = Callable[[str], str]
Words = Mapping[str, Any]
QUESTIONS: Mapping[str, Callable[[str], Any]] = {  # a setting's name, and how an answer is read
    "strategies.name": str,
    "strategies.size": texts.number,
    "data.symbols": lambda answer: list(texts.symbols(answer)),
    "data.timeframe": str,
    "venue": str,
    "risk.max_position_share": texts.number,
    "risk.max_daily_loss_frac": texts.number,
}
EXAMPLES = """Examples:

python -m live init

python -m live init donchian_bracket --symbols SPY,XLK --venue alpaca --no-questions

python -m live init --set risk.max_daily_loss_frac=0.02 --set data.warmup_bars=250 --out paper.toml

Exit codes: 0 done, 2 bad input."""

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", help="risk.max_daily_loss_frac=0.02; any setting, once each."),
]
Out = Annotated[Path, typer.Option(help="The file to write.")]
Questions = Annotated[
    bool,
    typer.Option("--questions/--no-questions", help="Ask, where somebody sits at the terminal."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def command(  # noqa: PLR0913, PLR0917  one parameter an option
    strategy: options.Strategy = None,
    venue: options.Venue = None,
    symbols: options.Symbols = "",
    timeframe: options.Span = None,
    param: options.Params = None,
    size: options.Size = None,
    folder: options.Folder = None,
    set_: Sets = None,
    out: Out = Path("live.toml"),
    questions: Questions = True,
    force: Force = False,
) -> int:
    """Write a commented live.toml: what you say is set, all else stands there as its default."""
    if out.exists() and not force:
        raise ConfigError(f"{out} is there: name another file with --out, or replace it by --force")
    words = said(
        {
            "venue": venue,
            "folder": folder,
            "strategies.name": strategy,
            "strategies.size": None if size is None else texts.number(size),
            "strategies.params": _params(strategy, param),
            "data.symbols": list(texts.symbols(symbols)) or None,
            "data.timeframe": timeframe,
            **{name: _value(text) for name, text in texts.pairs("--set", set_).items()},
        }
    )
    settings = checked(words)
    if questions and sys.stdin.isatty():
        sys.stdout.write("Enter takes what stands in brackets.\n")
        try:
            words, settings = asked(words, _typed)
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted: nothing was written\n")
            return int(ExitCode.INTERRUPT)
    write_whole(out, as_toml(words).encode())
    sys.stdout.write(f"wrote {out}\n{_next(settings, out)}")
    return 0


def said(values: Mapping[str, Any]) -> Words:
    """Settings by their names, nested as in the file; None values are left out."""
    words: Words = {}
    for name, value in values.items():
        if value is not None:
            words = merged(words, nested(name, value))
    return words


def asked(words: Words, ask: Ask) -> tuple[Words, LiveSettings]:
    """Ask for what `words` leave open, each question until its answer makes sense.

    Args:
        ask: shows a question, and returns what was typed; nothing takes the default.
    """
    for name, read in QUESTIONS.items():
        if _at(words, name) is not None:
            continue
        told, default = meaning_of(name)
        asking = f"{name} [{_plain(default)}]"
        question = f"{told}\n{asking}"
        while answer := ask(question).strip():
            try:
                answered = merged(words, nested(name, read(answer)))
                checked(answered)
            except ConfigError as error:
                question = f"{error}\n{asking}"
            else:
                words = answered
                break
    return words, checked(words)


def checked(words: Words) -> LiveSettings:
    """The settings that these words make.

    Raises:
        ConfigError: one is unknown or wrong; the text names it.
    """
    settings = load(None, as_read(words))
    if settings.venue not in VENUES:
        raise ConfigError(f"unknown venue {settings.venue!r}: use one of {', '.join(VENUES)}")
    specs(settings)
    return settings


def as_read(words: Words) -> dict[str, Any]:
    """The words as the file will have them: strategies are a list of tables."""
    tables = {"strategies": [words["strategies"]]} if "strategies" in words else {}
    return {**words, **tables}


def nested(name: str, value: Any) -> dict[str, Any]:
    """``data.symbols`` as ``{"data": {"symbols": value}}``."""
    first, _, rest = name.partition(".")
    return {first: nested(rest, value) if rest else value}


def _params(strategy: str | None, typed: list[str] | None) -> dict[str, Any] | None:
    if not typed:
        return None
    cls = found(strategy or LiveSettings().strategies[0].name)
    return parse_params(cls, texts.pairs("--param", typed))


def _at(words: Words, name: str) -> Any:
    value: Any = words
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _plain(default: str) -> str:
    """A default as one would type it."""
    return default.strip("[]").replace('"', "") or "none"


def _value(text: str) -> Any:
    """A value in TOML's form; what is none is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _typed(question: str) -> str:
    sys.stdout.write(f"\n{question}: ")
    sys.stdout.flush()
    return sys.stdin.readline()


def _next(settings: LiveSettings, out: Path) -> str:
    """What to do with the file."""
    here = "" if out == Path("live.toml") else f" --settings {out}"
    steps = [f"python -m live check{here}", f"python -m live{here}"]
    if settings.venue.startswith("alpaca"):
        steps.insert(0, "export APCA_API_KEY_ID=... APCA_API_SECRET_KEY=...")
    if settings.venue.endswith("-live"):
        steps[-1] += " --yes-real-money"
    return "".join(f"{'next' if not at else 'then':6}{step}\n" for at, step in enumerate(steps))
