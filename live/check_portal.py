"""What `check` looks at besides, behind a Client Portal gateway: login, entitlement, the night."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from live.check import Look, Row, Subject

ZONE = ZoneInfo("America/New_York")  # of IBKR's own midnight, for accounts of North America
SOON = timedelta(hours=1)
_SEEN = {"R": "in real time", "D": "delayed", "Z": "frozen", "Y": "frozen and delayed"}


class Session(Protocol):
    """The login, as far as it is looked at."""

    async def status(self) -> Mapping[str, Any]:
        """Authenticated, competing, connected."""


class Bars(Protocol):
    """The bars, as far as they are looked at."""

    async def availability(self, symbols: tuple[str, ...]) -> dict[str, str]:
        """IBKR's word for what is seen of each symbol."""


def looks(session: Session, bars: Bars, *, is_ours: bool) -> Mapping[str, Look]:
    """The looks by name.

    Args:
        is_ours: the gateway is our own, where a login lasts.
    """
    return {
        "login": partial(_login, session),
        "market data permission": partial(_permission, bars),
        "next login": partial(_next_login, is_ours),
    }


async def _login(session: Session, subject: Subject) -> Row:
    account = await subject.transport.account()
    told = await session.status()
    if told.get("competing"):
        return Row("login", "no-go", "another session (TWS, a phone, a browser) has this login")
    if not (told.get("authenticated") and told.get("connected")):
        return Row("login", "no-go", "the gateway has no login that may trade: log in again")
    return Row("login", "go", f"logged in, {account.account_id}, no other session")


async def _permission(bars: Bars, subject: Subject) -> Row:
    seen = await bars.availability(subject.symbols)
    lacking = [symbol for symbol, word in seen.items() if word not in _SEEN]
    late = {symbol: _SEEN[word] for symbol, word in seen.items() if word in _SEEN and word != "R"}
    name = "market data permission"
    if lacking:
        text = f"none for {', '.join(lacking)}: subscribe to it in IBKR's account management"
        return Row(name, "no-go", text)
    if late:
        text = ", ".join(f"{symbol} {word}" for symbol, word in late.items())
        return Row(name, "no-go", f"{text}: live bars need real time")
    return Row(name, "go", f"{', '.join(seen)} in real time")


async def _next_login(is_ours: bool, subject: Subject) -> Row:
    if is_ours:
        return Row("next login", "go", "never: the gateway is ours")
    now = subject.clock.now().astimezone(ZONE)
    left = _midnight_after(now) - now
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    text = f"in {hours} h {minutes} min, at midnight of New York: somebody has to log in again"
    return Row("next login", "note" if left < SOON else "go", text)


def _midnight_after(at: datetime) -> datetime:
    day = at.date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)
