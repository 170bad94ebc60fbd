"""One call for the bars of every source: any module in feeds/ with a `history` function is one.

That is `history(symbols, start, end, timeframe, *, options...)`: symbols in a tuple, a bound None
or a date (of the exchange) or an aware UTC datetime, the end exclusive. A default of `timeframe`
is what the source takes when nobody says one; without a default it is given days.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brokers.errors import ConfigError
from feeds.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

    Bars = dict[str, pd.DataFrame]

GROUP = "seawall.feeds"
_OURS = Path(__file__)
_HISTORY = re.compile(r"^def history\(", re.MULTILINE)

Instant = str | date | None


def history(
    source: str,
    symbols: str | Sequence[str],
    start: Instant = None,
    end: Instant = None,
    timeframe: str | Timeframe | None = None,
    **options: Any,
) -> Bars:
    """Fetch checked bars with their passports, by symbol in the order asked.

    Args:
        source: a name from `names()`, such as files, synthetic, yahoo or polygon.
        symbols: "A,B" or a sequence; without any, the source gives what it has or refuses.
        start: first instant; a date (or its text, YYYY-MM-DD) is that day at the exchange where
            the source knows its zone, and in UTC where it does not.
        end: a datetime is EXCLUSIVE, a date INCLUSIVE: the bars of that day still come.
            Datetimes are aware. None leaves that side open.
        timeframe: 1m, 5m, 15m, 30m, 1h, 1d, 1w or 1mo. None: as the source has its bars (files
            tell theirs), and days where it has several.
        options: what the source's own `history` takes beside these.

    Raises:
        ConfigError: no such source, option or timeframe; start not before end; a naive datetime.
        DataError: an unknown symbol, no bars in the range, or bars that are wrong.
    """
    fetch = find(source)
    _check_options(source, fetch, options)
    first, after = parse_range(start, end)
    return fetch(parse_symbols(symbols), first, after, _timeframe(fetch, timeframe), **options)


def names() -> list[str]:
    """List the sources there are, without importing them."""
    ours = {path.stem for path in _OURS.parent.glob("*.py") if _is_source(path)}
    return sorted(ours.union(entry.name for entry in entry_points(group=GROUP)))


def find(source: str) -> Callable[..., Bars]:
    """Import one source and give its `history` function.

    Raises:
        ConfigError: there is none of that name; the nearest is suggested.
    """
    if source.isidentifier() and _is_source(_OURS.with_name(f"{source}.py")):
        return _history_of(importlib.import_module(f"feeds.{source}"))
    for entry in entry_points(group=GROUP, name=source):
        return _history_of(entry.load())
    known = names()
    near = difflib.get_close_matches(source, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    raise ConfigError(f"unknown source {source!r}: {hint}")


def parse_symbols(symbols: str | Sequence[str]) -> tuple[str, ...]:
    """Split "A,B", drop blanks and doubles, keep the order."""
    listed = symbols.split(",") if isinstance(symbols, str) else symbols
    return tuple(dict.fromkeys(text for symbol in listed if (text := symbol.strip())))


def parse_range(start: Instant, end: Instant) -> tuple[date | None, date | None]:
    """Turn what a caller may say into dates and UTC datetimes, the second one exclusive.

    A date remains one, for its midnight at the exchange, which the source knows.

    Raises:
        ConfigError: not a date, a datetime without a zone, or start not before end.
    """
    first, after = _bound(start, "start"), _bound(end, "end")
    if after and not isinstance(after, datetime):
        after += timedelta(days=1)
    if first and after and _at_utc(first) >= _at_utc(after):
        raise ConfigError(f"start ({start}) must be before end ({end}): swap them")
    return first, after


def _bound(value: Instant, side: str) -> date | None:
    if value is None:
        return None
    parsed = _parse(value) if isinstance(value, str) else value
    if not isinstance(parsed, date):
        raise ConfigError(f"{side} is {value!r}, not a date: write it as 2024-07-03")
    if not 1678 <= parsed.year <= 2261:  # what int64 nanoseconds can hold
        raise ConfigError(f"{side} ({value}) lies outside the years 1678 to 2261: leave it out")
    if not isinstance(parsed, datetime):
        return parsed
    if parsed.tzinfo is None:
        raise ConfigError(f"{side} ({value}) has no time zone: add one, such as {value}+00:00")
    return parsed.astimezone(UTC)


def _at_utc(bound: date) -> datetime:
    return bound if isinstance(bound, datetime) else datetime.combine(bound, time(), UTC)


def _parse(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _is_source(path: Path) -> bool:
    return path != _OURS and path.is_file() and bool(_HISTORY.search(path.read_text("utf-8")))


def _history_of(loaded: Any) -> Callable[..., Bars]:
    fetch: Callable[..., Bars] = getattr(loaded, "history", loaded)
    return fetch


def _timeframe(fetch: Callable[..., Bars], asked: str | Timeframe | None) -> Timeframe | None:
    if asked is not None:
        return Timeframe.parse(asked)
    parameter = list(inspect.signature(fetch).parameters.values())[3]
    if parameter.default is parameter.empty:
        return Timeframe("1d")
    own: Timeframe | None = parameter.default
    return own


def _check_options(source: str, fetch: Callable[..., Bars], options: dict[str, Any]) -> None:
    parameters = list(inspect.signature(fetch).parameters.values())[4:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters]
    for option in options:
        if option not in known:
            raise ConfigError(
                f"source {source} has no option {option!r}: it has {', '.join(known) or 'none'}"
            )
    for parameter in parameters:
        if parameter.default is parameter.empty and parameter.name not in options:
            raise ConfigError(f"source {source} needs the option {parameter.name!r}")
