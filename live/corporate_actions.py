"""Splits of a session's symbols: read before each day, told to the broker, and the symbol halted.

Source: alpaca-py#469 (a split changes the units of resting orders, and leaves their prices);
alpaca-trade-api-csharp#276 (a position may be restated a day late).
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from brokers.clock import Clock
from brokers.errors import ConfigError, RiskRefused, SeawallError
from brokers.facts import Split
from brokers.risk import Situation
from feeds.alpaca_actions import StockSplit
from live.paper.hours import Hours

AHEAD = timedelta(days=10)  # so far ahead are splits asked for: a long weekend, and a call missed
SETTLE = timedelta(minutes=1)  # after a close, before the next day's are asked for
RETRY_S, LONGEST_WAIT_S = 300.0, 3600.0

Read = Callable[[Sequence[str], date, date], Awaitable[Iterable[StockSplit]]]
Name = tuple[str, datetime]  # of a split: symbol, and the open of its ex-day

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitHalt:
    """No entry in a symbol from the last close before its split on.

    Its indicators are of the old price, and Backtrader cannot warm them up again in a run.
    """

    known: Mapping[str, Split]

    def __call__(self, situation: Situation) -> None:
        """Refuse what would open or add to a position."""
        order = situation.order
        split = self.known.get(order.symbol)
        if split and situation.bar_at >= split.eve_at.timestamp() and situation.growth > 0:
            limit = f"{in_words(split)}: no entry until a session begins with --fresh"
            raise RiskRefused("split", limit, f"{order.side} {order.quantity:f}")


@dataclass
class CorporateActions:
    """What a session knows of splits; `watch` is the store's loop's, the rest Cerebro's.

    Args:
        hours: of the exchange.
        began_at: of the session; what splits before its first day's end is none of its business.
        told: symbol and ex-day's open of those that the log has already.
    """

    symbols: tuple[str, ...]
    hours: Hours
    began_at: datetime
    told: set[Name]
    known: dict[str, Split] = field(default_factory=dict)
    _halted: set[Name] = field(default_factory=set)

    async def watch(self, read: Read, tell: Callable[[Split], None], clock: Clock) -> None:
        """Ask now and after each close; a call that fails is logged, and made again."""
        while True:
            now = clock.now()
            today = now.astimezone(self.hours.zone).date()
            try:
                found = await read(self.symbols, today, today + AHEAD)
            except SeawallError as error:
                _log.warning("corporate actions of %s could not be read: %s", today, error)
                await clock.wait(RETRY_S)
                continue
            for split in self.news(found):
                tell(split)
            due_at = self.hours.close_of(now) + SETTLE
            while (wait_s := clock.until_s(due_at)) > 0:
                await clock.wait(min(wait_s, LONGEST_WAIT_S))

    def news(self, splits: Iterable[StockSplit]) -> list[Split]:
        """Those that are the session's business and that nobody was told of, each once."""
        fresh = []
        for fact in (fact_of(split, self.hours) for split in splits):
            name = fact.symbol, fact.ex_at
            if fact.eve_at > self.began_at and name not in self.told:
                self.told.add(name)
                fresh.append(fact)
        return fresh

    def learn(self, split: Split) -> str:
        """Take note of a split that the broker was told of; what a person must know of it."""
        self.known[split.symbol] = split
        return (
            f"{in_words(split)}: after the close before it all its orders are cancelled, exits "
            "too, and entries are refused; begin anew with --fresh and data.adjustment = split"
        )

    def halting(self, turn_end_at: datetime | None) -> list[Split]:
        """Splits whose eve has come with this turn, each once."""
        if not self.known or turn_end_at is None:
            return []
        due = [split for split in self.known.values() if split.eve_at <= turn_end_at]
        fresh = [split for split in due if (split.symbol, split.ex_at) not in self._halted]
        self._halted.update((split.symbol, split.ex_at) for split in fresh)
        return fresh


def told_in(records: Iterable[Mapping[str, Any]]) -> set[Name]:
    """The splits that a log has."""
    return {
        (record["symbol"], datetime.fromisoformat(record["ex_at"]))
        for record in records
        if record["kind"] == "venue" and record["fact"] == Split.__name__
    }


def fact_of(split: StockSplit, hours: Hours) -> Split:
    """A split with the instants at which it begins to count."""
    midnight = datetime.combine(split.ex_date, time(), hours.zone)
    ex_at = hours.open_of(midnight)
    return Split(split.symbol, split.new_rate, split.old_rate, hours.close_before(ex_at), ex_at)


def check_start(
    splits: Iterable[StockSplit],
    firsts: Mapping[str, datetime],
    hours: Hours,
    at: datetime,
    adjustment: str,
) -> None:
    """Refuse a warm-up at one price for a session at another.

    Args:
        firsts: start of each symbol's first warm-up bar.
        at: when the session begins.
        adjustment: of the warm-up.

    Raises:
        ConfigError: a split lies within the warm-up, or between it and the first live bar.
    """
    for split in (fact_of(each, hours) for each in splits):
        if split.eve_at <= at < split.ex_at:
            raise ConfigError(
                f"{in_words(split)}: nobody can tell whether history and position are restated "
                "yet: begin after that day's open"
            )
        first = firsts.get(split.symbol)
        if adjustment == "none" and first is not None and first < split.ex_at <= at:
            raise ConfigError(
                f"{in_words(split)}, within the warm-up, whose prices are as traded: set "
                'data.adjustment = "split"'
            )


def in_words(split: Split) -> str:
    """A split for a person."""
    rates = f"{split.new_rate.normalize():f}-for-{split.old_rate.normalize():f}"
    return f"{split.symbol} splits {rates} on {split.ex_at:%Y-%m-%d}"
