"""What a strategy could see at the moment of a decision, as plain values, and when that was."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from inspect import signature
from itertools import chain, count
from typing import Any

import backtrader as bt
from backtrader.lineseries import LineSeriesStub

from analyzers.equity import DAY_US, SECOND_US, SNAP_US
from brokers.situation import units_held
from brokers.translate import symbol

_NESTING = 3  # self.lines[data]["fast"] is an attribute, a key and a key


@lru_cache(maxsize=64)
def instant(number: float) -> datetime:
    """One of Backtrader's date numbers as aware UTC time; `analyzers.equity.instants` does many.

    >>> instant(bt.date2num(datetime(2014, 1, 2, 21))).isoformat()
    '2014-01-02T21:00:00+00:00'
    """
    day = int(number)
    micros = round((number - day) * DAY_US)
    second = (micros + SECOND_US // 2) // SECOND_US * SECOND_US
    tens = (micros + 5) // 10 * 10
    micros = second if abs(micros - second) <= SNAP_US else tens
    return datetime.fromordinal(day).replace(tzinfo=UTC) + timedelta(microseconds=micros)


class BarClock:
    """Tells a journal the end of the bar that a backtest has come to.

    Args:
        start_at: what it says before the first bar, aware UTC.
    """

    def __init__(self, start_at: datetime) -> None:
        self._start_at = start_at
        self._strategy: Any = None

    def follow(self, strategy: Any) -> None:
        """Take the time from this strategy from now on."""
        self._strategy = strategy

    def now(self) -> datetime:
        """The end of the bar, aware UTC."""
        if self._strategy is None or not len(self._strategy):
            return self._start_at
        return instant(self._strategy.lines.datetime[0])


class MarketContext:
    """Bar, indicators, position and account as one strategy sees them.

    Indicators are what the strategy's own `context(data)` says, a mapping by name; without one they
    are Backtrader's indicators of the feed in question and those of no feed in particular, named
    by the strategy's attribute, or by class and period.
    """

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        own = getattr(strategy, "context", None)
        self._own: Callable[..., Mapping[str, Any]] | None = own if callable(own) else None
        self._own_takes_feed = self._own is not None and bool(signature(self._own).parameters)
        self._lines: dict[Any, dict[str, Any]] = {}

    def of(self, data: Any) -> dict[str, Any]:
        """All there is to see of one feed; a bar's time is its end, numbers are units and money."""
        broker = self._strategy.broker
        passport = getattr(data, "passport", None)
        return {
            "symbol": symbol(data),
            "bar": _bar(data) if len(data) else None,
            "indicators": self._indicators(data),
            "position": units_held(broker, data),
            "cash": broker.getcash(),
            "equity": broker.getvalue(),
            "passport": passport.id if passport else None,
        }

    def _indicators(self, data: Any) -> Mapping[str, Any]:
        if self._own is not None:
            return self._own(data) if self._own_takes_feed else self._own()
        if data not in self._lines:
            self._lines = _readings(self._strategy, data)
        lines = self._lines[data]
        return {name: line[0] if len(line) else None for name, line in lines.items()}


def _bar(data: Any) -> dict[str, Any]:
    lines = data.lines
    return {
        "time": instant(lines.datetime[0]),
        "open": lines.open[0],
        "high": lines.high[0],
        "low": lines.low[0],
        "close": lines.close[0],
        "volume": lines.volume[0],
    }


def _readings(strategy: Any, data: Any) -> dict[Any, dict[str, Any]]:
    """The lines to read for `data` and each of the strategy's feeds, by name."""
    given = dict(_named(vars(strategy)))
    readings: dict[Any, dict[str, Any]] = {feed: {} for feed in (*strategy.datas, data)}
    for indicator in strategy.getindicators():
        name = given.get(id(indicator)) or _described(indicator)
        if name is None:
            continue
        feed = _feed(indicator, strategy)
        for lines in readings.values() if feed is None else [readings.get(feed, {})]:
            for part, line in _lines(indicator):
                lines[_free(name + part, lines)] = line
    return readings


def _named(
    members: Mapping[Any, Any], prefix: str = "", depth: int = 1
) -> Iterator[tuple[int, str]]:
    """Identity and name of all that attributes, lists and mappings hold, the first name last."""
    for key, value in reversed(list(members.items())):
        word = symbol(key) if isinstance(key, bt.AbstractDataBase) else str(key)
        if word.startswith("_"):
            continue
        if isinstance(value, Mapping) and depth < _NESTING:
            yield from _named(value, f"{prefix}{word}.", depth + 1)
        elif isinstance(value, list | tuple) and depth < _NESTING:
            yield from _named(dict(enumerate(value)), f"{prefix}{word}.", depth + 1)
        else:
            yield id(value), prefix + word


def _described(indicator: Any) -> str | None:
    """Class and period; None for a nameless step of arithmetic."""
    if not isinstance(indicator, bt.Indicator):
        return None
    period = indicator.p._getkwargs().get("period")
    name = type(indicator).__name__
    return name if period is None else f"{name}({period})"


def _lines(indicator: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(indicator, bt.Indicator):
        yield "", indicator
        return
    aliases = indicator.lines.getlinealiases()
    for number, line in enumerate(indicator.lines):
        yield "" if len(aliases) == 1 else f".{aliases[number]}", line


def _feed(line: Any, strategy: Any) -> Any:
    """The feed whose bars move a line, None when that is the strategy itself."""
    while line is not strategy and not isinstance(line, bt.AbstractDataBase):
        if isinstance(line, LineSeriesStub):
            line = line.lines[0]
        clock = vars(line).get("_clock")
        line = vars(line)["_owner"] if clock is None else clock
    return None if line is strategy else line


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered from 2 where it is taken."""
    numbered = (f"{name}#{number}" for number in count(2))
    return next(free for free in chain([name], numbered) if free not in taken)
