"""What `check` looks at besides, behind IB Gateway: login, permissions, live bars, the night."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from brokers.wire.ibkr_night import Night
from feeds.ibkr import IbkrBars
from live.check import Look, Row, Subject

SOON = timedelta(hours=1)


def looks(bars: IbkrBars, night: Night | None) -> Mapping[str, Look]:
    """The looks by name.

    Args:
        night: None: the gateway is ours and never restarts.
    """
    return {
        "login": _login,
        "permissions": _permissions,
        "live bars": partial(_live_bars, bars),
        "next restart": partial(_restart, night),
    }


async def _login(subject: Subject) -> Row:
    account = await subject.transport.account()
    if account.blocked:
        return Row("login", "no-go", account.blocked)
    return Row("login", "go", f"logged in, {account.account_id}, and in touch with IB")


async def _permissions(subject: Subject) -> Row:
    """A read-only gateway does not even tell of orders."""
    await subject.transport.orders_since(subject.clock.now())
    return Row("permissions", "go", "the API is not read-only; IB judges each order by itself")


async def _live_bars(bars: IbkrBars, subject: Subject) -> Row:
    await bars.require_live(subject.symbols)
    return Row("live bars", "go", f"no objection for {', '.join(subject.symbols)}")


async def _restart(night: Night | None, subject: Subject) -> Row:
    if night is None:
        return Row("next restart", "go", "never: the gateway is ours")
    now = subject.clock.now()
    if ends_at := night.ends_at(now):
        text = f"now: new orders from {ends_at:%H:%M} UTC on ({night})"
        return Row("next restart", "note", text)
    left = night.next_at(now) - now
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    text = f"in {hours} h {minutes} min ({night})"
    return Row("next restart", "note" if left < SOON else "go", text)
