"""What no transport tells: the venue's time, its sessions, and what may be traded there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from analyzers.both_times import both_times
from brokers.errors import SchemaRefused, VenueRefused
from brokers.wire.http import Http
from brokers.wire.ibkr import Ibkr
from brokers.wire.portal import Portal
from live.asking import ask
from live.paper.hours import Hours
from live.permissions import Size, objections

WEEK = timedelta(days=7)
NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class ExchangeTime:
    """The venue's time; the next open and close are for a person to read."""

    at: datetime
    is_open: bool
    next_open: str
    next_close: str


class Exchange(Protocol):
    """What a start and `check` ask a venue beside account and bars."""

    async def time(self) -> ExchangeTime:
        """What time it is there, and whether it trades."""

    async def next_session(self, day: date) -> str:
        """The first session from a day on, for a person; empty: none within a week."""

    async def objections(self, symbols: Sequence[str], sizes: Iterable[Size]) -> list[str]:
        """What speaks against trading these symbols, a sentence each."""


@dataclass(frozen=True, slots=True)
class AlpacaExchange:
    """Alpaca tells all of it.

    Args:
        where: names the account in errors.
    """

    http: Http
    where: str = "the venue"

    async def time(self) -> ExchangeTime:
        """See `Exchange.time`; errors as of `ask`."""
        told = await ask(self.http, "/v2/clock", where=self.where)
        at = datetime.fromisoformat(told["timestamp"])
        opens, closes = (
            both_times(datetime.fromisoformat(told[name]), NEW_YORK)
            for name in ("next_open", "next_close")
        )
        return ExchangeTime(at, bool(told["is_open"]), opens, closes)

    async def next_session(self, day: date) -> str:
        """See `Exchange.next_session`."""
        span = {"start": day.isoformat(), "end": (day + WEEK).isoformat()}
        days = await ask(self.http, "/v2/calendar", span, where=self.where)
        if not days:
            return ""
        return f"{days[0]['date']} {days[0]['open']} to {days[0]['close']} New York"

    async def objections(self, symbols: Sequence[str], sizes: Iterable[Size]) -> list[str]:
        """See `Exchange.objections`."""
        return await objections(self.http, symbols, sizes)


@dataclass(frozen=True, slots=True)
class IbkrExchange:
    """IBKR tells the time and its contracts, by either gateway; sessions are the calendar's."""

    account: Ibkr | Portal
    hours: Hours

    async def time(self) -> ExchangeTime:
        """See `Exchange.time`; in whole seconds."""
        at = await self.account.time()
        opens, closes = self.hours.next_open(at), self.hours.close_of(at)
        told = (both_times(instant, self.hours.zone) for instant in (opens, closes))
        return ExchangeTime(at, self.hours.is_open(at), *told)

    async def next_session(self, day: date) -> str:
        """See `Exchange.next_session`."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.hours.zone)
        for opened, closed in self.hours.sessions(midnight, midnight + WEEK)[:1]:
            first, last = opened.astimezone(self.hours.zone), closed.astimezone(self.hours.zone)
            return f"{first:%Y-%m-%d %H:%M} to {last:%H:%M} {self.hours.zone.key}"
        return ""

    async def objections(self, symbols: Sequence[str], sizes: Iterable[Size]) -> list[str]:
        """See `Exchange.objections`; parts of a share are not traded through this API."""
        wrong = []
        if any(isinstance(size, float) and size % 1 for size in sizes):
            wrong.append("IB's API takes whole units only: give a whole size")
        for symbol in symbols:
            try:
                await self.account.look_up(symbol)
            except VenueRefused as refused:
                wrong.append(f"{symbol} is unknown to IB ({refused.text}): correct data.symbols")
            except SchemaRefused as refused:
                wrong.append(str(refused))
        return wrong
