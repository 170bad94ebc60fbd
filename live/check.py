"""Go or no-go: everything that can be known before a session begins, as a table."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from analyzers.both_times import both_times
from analyzers.chain import tail, verify
from brokers.clock import Clock
from brokers.errors import SeawallError
from brokers.wire.transport import BarSource, Transport
from live.exchange import NEW_YORK, Exchange
from live.permissions import Size

SKEW_S = 2.0  # seconds by which our clock may differ from the venue's
HISTORY = timedelta(days=7)
_STYLES = {"go": "green", "no-go": "bold red", "note": "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing looked at; `note` is worth a look and stops nothing."""

    name: str
    verdict: Literal["go", "no-go", "note"]
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at.

    Args:
        clock: of the session; its skew against the venue's is measured.
        log: which a session would go on with; None: it would begin anew.
        is_fast: the venue's clock runs faster than ours, so that skew says nothing.
        sizes: the stakes of the strategies.
        own: what is looked at besides at this venue, first of all.
    """

    transport: Transport
    bars: BarSource
    exchange: Exchange
    clock: Clock
    symbols: tuple[str, ...]
    timeframe: str
    log: Path | None
    is_fast: bool = False
    sizes: tuple[Size, ...] = ()
    own: "Mapping[str, Look]" = field(default_factory=dict)


Look = Callable[[Subject], Awaitable[Row]]


async def checked(subject: Subject) -> AsyncIterator[Row]:
    """Look at one thing after the other; what cannot be read is a no-go that says why, once."""
    said = dict[str, str]()
    for name, look in {**subject.own, **LOOKS}.items():
        try:
            yield await look(subject)
        except SeawallError as error:
            text = str(error)
            yield Row(name, "no-go", f"as {said[text]}" if text in said else text)
            said.setdefault(text, name)


def is_go(rows: list[Row]) -> bool:
    """Whether nothing speaks against a start."""
    return all(row.verdict != "no-go" for row in rows)


def table(rows: list[Row]) -> Table:
    """The rows as a person reads them."""
    shown = Table(title="GO" if is_go(rows) else "NO GO", title_justify="left", box=None)
    for column in ("check", "", "what was found"):
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(row.name, f"[{_STYLES[row.verdict]}]{row.verdict}[/]", row.text)
    return shown


async def _account(subject: Subject) -> Row:
    account = await subject.transport.account()
    if account.blocked:
        return Row("account", "no-go", f"{account.account_id}: {account.blocked}")
    return Row("account", "go", f"{account.account_id}, equity {account.equity} {account.currency}")


async def _buying_power(subject: Subject) -> Row:
    account = await subject.transport.account()
    verdict: Literal["go", "no-go"] = "go" if account.buying_power > 0 else "no-go"
    return Row("buying power", verdict, f"{account.buying_power} {account.currency}")


async def _clock(subject: Subject) -> Row:
    before = subject.clock.now()
    told = await subject.exchange.time()
    after = subject.clock.now()
    skew_s = (told.at - (before + (after - before) / 2)).total_seconds()
    market = f"market {'open' if told.is_open else 'closed'}"
    when = f"next open {told.next_open}, next close {told.next_close}"
    text = f"{skew_s:+.1f} s to the venue's; {market}, {when}"
    if subject.is_fast or abs(skew_s) <= SKEW_S:
        return Row("clock", "go" if told.is_open else "note", text)
    return Row("clock", "no-go", f"{text}: set this machine's clock (NTP)")


async def _calendar(subject: Subject) -> Row:
    found = await subject.exchange.next_session(subject.clock.now().date())
    if not found:
        return Row("calendar", "no-go", "the venue's calendar has no session in the next week")
    return Row("calendar", "go", found)


async def _symbols(subject: Subject) -> Row:
    wrong = await subject.exchange.objections(subject.symbols, subject.sizes)
    if wrong:
        return Row("symbols", "no-go", "; ".join(wrong))
    return Row("symbols", "go", ", ".join(subject.symbols))


async def _data(subject: Subject) -> Row:
    now = subject.clock.now()
    found = await subject.bars.history(subject.symbols, now - HISTORY, now, subject.timeframe)
    missing = [symbol for symbol in subject.symbols if not found.get(symbol)]
    if missing:
        return Row("market data", "no-go", f"no bars of the last week: {', '.join(missing)}")
    newest = max(bars[-1].start_at for bars in found.values())
    return Row("market data", "go", f"bars up to {both_times(newest, NEW_YORK)}")


async def _open_orders(subject: Subject) -> Row:
    orders = await subject.transport.orders_since(subject.clock.now())
    known = set(_intents(subject.log))
    strangers = [order for order in orders if order.client_order_id not in known]
    if strangers:
        told = ", ".join(f"{order.side} {order.quantity} {order.symbol}" for order in strangers)
        return Row("open orders", "note", f"{told}: not of this session's log")
    return Row("open orders", "go", f"{len(orders)} at work, all of this session's log")


async def _positions(subject: Subject) -> Row:
    theirs = {held.symbol: held.quantity for held in await subject.transport.positions()}
    ours = _held(subject.log)
    wrong = [
        f"{symbol}: log {ours.get(symbol, Decimal(0)):f}, venue {theirs.get(symbol, Decimal(0)):f}"
        for symbol in sorted(theirs.keys() | ours.keys())
        if theirs.get(symbol, Decimal(0)) != ours.get(symbol, Decimal(0))
    ]
    if not wrong:
        return Row("positions", "go", f"{len(theirs)} held, as the log has it")
    return Row("positions", "no-go" if ours else "note", "; ".join(wrong))


async def _log(subject: Subject) -> Row:
    if subject.log is None:
        return Row("log", "go", "a new one: the venue begins with the session, and ends with it")
    if not subject.log.exists():
        return Row("log", "go", f"{subject.log}: a first start")
    verdict = verify(subject.log)
    if verdict.state == "damaged":
        return Row("log", "no-go", f"{subject.log}: damaged at line {verdict.line}: {verdict.text}")
    return Row("log", "go", f"{subject.log}: {verdict.state}, {verdict.lines} lines")


async def _unanswered(subject: Subject) -> Row:
    open_ids = [order_id for order_id, is_open in _intents(subject.log).items() if is_open]
    if open_ids:
        text = f"{', '.join(open_ids)}: without an outcome in the log; the start will look them up"
        return Row("unreconciled intents", "note", text)
    return Row("unreconciled intents", "go", "none")


LOOKS: Mapping[str, Look] = {
    "account": _account,
    "buying power": _buying_power,
    "clock": _clock,
    "calendar": _calendar,
    "symbols": _symbols,
    "market data": _data,
    "open orders": _open_orders,
    "positions": _positions,
    "log": _log,
    "unreconciled intents": _unanswered,
}


def _intents(log: Path | None) -> dict[str, bool]:
    """Orders that the log sent, legs too, and whether the venue never said a word of them."""
    intents: dict[str, bool] = {}
    for record in _records(log):
        if record["kind"] == "decision" and record["order"] and not record["refusal"]:
            order = record["order"]
            legs = {leg["client_order_id"]: False for leg in order.get("legs", ())}
            intents |= {order["client_order_id"]: True, **legs}
        elif record["kind"] == "venue" and record.get("order_id") in intents:
            intents[record["order_id"]] = False
    return intents


def _held(log: Path | None) -> dict[str, Decimal]:
    """Signed units by symbol after the log's last fill, those that are not flat."""
    held: dict[str, Decimal] = {}
    for record in _records(log):
        if record["kind"] == "fill":
            held[record["symbol"]] = Decimal(repr(record["position"]))
    return {symbol: units for symbol, units in held.items() if units}


def _records(log: Path | None) -> list[Mapping[str, Any]]:
    return [record for record, _ in tail(log)] if log and log.exists() else []
