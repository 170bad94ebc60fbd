"""live.toml and the command line's own words, read into settings; one clear line when wrong."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from backtest.spec import BarsSpec, RunSpec
from brokers.errors import ConfigError
from brokers.risk import RiskLimits
from live.settings import LiveSettings, Section, StrategySection, section_of

Words = Mapping[str, Any]


def load(path: Path | None = None, words: Words | None = None) -> LiveSettings:
    """Read a session's settings.

    Args:
        path: a live.toml; None takes the defaults.
        words: settings that replace the file's, nested as in the file; None values are left out.

    Raises:
        ConfigError: the file cannot be read, or one setting is unknown or wrong; the text names it.
    """
    content = merged(_read(path) if path else {}, words or {})
    where = str(path) if path else "settings"
    try:
        # Through JSON a list may be a tuple, as TOML knows only the one; all else is strict.
        return LiveSettings.model_validate_json(orjson.dumps(content, default=str))
    except ValidationError as error:
        raise ConfigError(f"{where}: {_first_line(error)}") from None


def specs(settings: LiveSettings) -> tuple[RunSpec, ...]:
    """One run description a strategy, checked.

    Raises:
        ConfigError: a strategy, parameter, size or limit is wrong; the text names it.
    """
    limits = RiskLimits(**settings.risk.model_dump())
    bars = BarsSpec(settings.venue, settings.data.symbols, timeframe=settings.data.timeframe)
    return tuple(_spec(settings, section, limits, bars) for section in settings.strategies)


def _spec(
    settings: LiveSettings, section: StrategySection, limits: RiskLimits, bars: BarsSpec
) -> RunSpec:
    paper = settings.paper
    return RunSpec(
        section.name,
        section.params,
        paper.cash,
        paper.commission,
        paper.slippage_bps,
        section.size,
        limits,
        bars,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}: make it with "
            f"`python -m live init --out {path}`"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from None


def merged(content: Words, words: Words) -> dict[str, Any]:
    """`content` with `words` over it, table by table; None values are left out."""
    together = dict(content)
    for name, value in words.items():
        under = together.get(name, {})
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            together[name] = merged(under, value)
        elif value is not None:
            together[name] = value
    return together


def _first_line(error: ValidationError) -> str:
    """The first fault, by the setting's name as one writes it in the file."""
    fault = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in fault["loc"] if isinstance(part, str))
    if fault["type"] == "extra_forbidden":
        known = _known(fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        return f"unknown setting {name}: {hint}"
    given = fault["input"]
    is_tellable = isinstance(given, str | int | float) and fault["loc"][0] != "alerts"
    shown = f" (it is {given!r})" if is_tellable else ""
    return f"{name}: {fault['msg'][0].lower()}{fault['msg'][1:]}{shown}"


def _known(place: tuple[int | str, ...]) -> list[str]:
    """The settings of the section at `place`."""
    section: type[Section] = LiveSettings
    for part in place:
        if isinstance(part, str):
            section = section_of(section.model_fields[part]) or section
    return list(section.model_fields)
