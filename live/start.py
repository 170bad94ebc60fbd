"""How a session begins: anew, or where its log ends."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.facts import Mismatch
from brokers.wire.transport import VenuePosition
from feeds.alpaca_actions import StockSplit
from feeds.alpaca_client import CALENDAR, AlpacaData
from feeds.passport import passport_of
from feeds.timeframe import Timeframe
from live.briefing import Briefing, brief
from live.corporate_actions import check_start
from live.folder import Folder, Record, passports_in
from live.market_clock import SessionClock
from live.paper.hours import Hours
from live.same_data import of_backtest, require_same
from live.settings import LiveSettings
from live.venues import Access
from live.warm_up import fetched, promised

SENTINEL = "SPY"
ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Start:
    """A session's beginning.

    Args:
        records: of its log; none at a first start.
        frames: the warm-up by symbol.
        cash: of the account before the session's first order.
        holdings: its positions then.
        began_at: nothing at the venue before this instant is the session's.
        data: what is wanted of the data feed.
        calendar: of the exchange.
        splits: that the vendor tells of.
        notes: what was accepted or adopted, one sentence each.
        adopted: differences that --adopt settled.
    """

    session_id: str
    records: tuple[Record, ...]
    frames: Mapping[str, pd.DataFrame]
    cash: float
    holdings: tuple[VenuePosition, ...]
    began_at: datetime
    clock: SessionClock
    data: AlpacaData
    is_open: bool
    calendar: str = CALENDAR
    splits: tuple[StockSplit, ...] = ()
    notes: tuple[str, ...] = ()
    adopted: tuple[Mismatch, ...] = ()

    @property
    def is_restart(self) -> bool:
        """Whether a log is taken up again."""
        return bool(self.records)

    def account_record(self) -> dict[str, Any]:
        """What a restart must know of the beginning, for the session line."""
        held = [
            {"symbol": it.symbol, "quantity": it.quantity, "average_price": it.average_price}
            for it in self.holdings
        ]
        return {"cash": self.cash, "holdings": held, "began_at": self.began_at}


def begin(
    settings: LiveSettings,
    access: Access,
    folder: Folder,
    real: Clock,
    rng: random.Random,
    *,
    accept_data: bool,
    adopt: bool,
    fresh: bool,
) -> Start:
    """Ask the venue, and look at the log.

    Raises:
        ConfigError: the keys, the data or the log do not fit; the text says which.
        DataError: the log is damaged, or there are no bars.
        TransportError: the venue cannot be reached.
    """
    earlier = folder.records() if not (fresh or access.is_embedded) else ()
    data = wanted(settings, access)
    told = brief(access, settings, data, real, rng)
    notes = _check_backtest(settings, access, accept=accept_data)
    if earlier and not adopt:
        start = _again(earlier, told, data, folder)
    else:
        if settings.data.warmup_source:
            told = replace(told, frames=fetched(settings.data, told.clock.now()))
            notes += _check_warm_up(settings, access, told.frames, accept=accept_data)
        start = _anew(settings, told, data)
        firsts = {symbol: frame.index[0] for symbol, frame in start.frames.items()}
        hours, adjustment = Hours(settings.data.calendar), _adjustment(start.frames)
        check_start(told.splits, firsts, hours, start.began_at, adjustment)
        folder.keep(start.frames)
    adopted = tuple(_differences(earlier, told)) if adopt else ()
    return replace(
        start,
        calendar=settings.data.calendar,
        splits=told.splits,
        notes=notes,
        adopted=adopted,
    )


def wanted(settings: LiveSettings, access: Access) -> AlpacaData:
    """What the session wants of the data feed."""
    needs_sentinel = not access.is_ours and SENTINEL not in settings.data.symbols
    return AlpacaData(
        timeframe=Timeframe(settings.data.timeframe),
        feed=settings.data.feed,
        adjustment=settings.data.adjustment,
        sentinel=SENTINEL if needs_sentinel else None,
        mute_s=settings.data.mute_s,
        gather_s=settings.data.barrier_s / 2,  # so that the barrier still waits for what lacks
        timeout_s=settings.wire.timeout_s,
    )


def _anew(settings: LiveSettings, told: Briefing, data: AlpacaData) -> Start:
    at = told.clock.now()
    words = settings.model_dump_json(exclude={"alerts"}, fallback=str)
    seed = f"{words}|{told.account.account_id}|{at}"
    return Start(
        session_id=sha256(seed.encode()).hexdigest()[:ID_LENGTH],
        records=(),
        frames=told.frames,
        cash=float(told.account.cash),
        holdings=told.positions,
        began_at=at,
        clock=told.clock,
        data=replace(data, since=_newest(told.frames)),
        is_open=told.is_open,
    )


def _again(records: tuple[Record, ...], told: Briefing, data: AlpacaData, folder: Folder) -> Start:
    session = records[0]
    if session["kind"] != "session" or "account" not in session.get("config", {}):
        raise ConfigError(f"{folder.log}: is the log of no live session: choose another folder")
    account = session["config"]["account"]
    frames = folder.warm_up(passports_in(records))
    turns = [record for record in records if record["kind"] == "bars"]
    seen = [datetime.fromisoformat(bar[0]) for bar in turns[-1]["bars"].values()] if turns else []
    return Start(
        session_id=session["run_id"],
        records=records,
        frames=frames,
        cash=account["cash"],
        holdings=tuple(_position(held) for held in account["holdings"]),
        began_at=datetime.fromisoformat(account["began_at"]),
        clock=told.clock,
        data=replace(data, since=max(seen, default=_newest(frames))),
        is_open=told.is_open,
    )


def _position(held: Mapping[str, Any]) -> VenuePosition:
    return VenuePosition(held["symbol"], Decimal(held["quantity"]), Decimal(held["average_price"]))


def _newest(frames: Mapping[str, pd.DataFrame]) -> datetime:
    newest: datetime = max(frame.index[-1] for frame in frames.values()).to_pydatetime()
    return newest + timedelta(microseconds=1)


def _adjustment(frames: Mapping[str, pd.DataFrame]) -> str:
    """Of the warm-up: as traded where one symbol's is."""
    found = {passport_of(frame, symbol).adjustment for symbol, frame in frames.items()}
    return "none" if "none" in found else "split"


def _check_backtest(settings: LiveSettings, access: Access, *, accept: bool) -> tuple[str, ...]:
    if not settings.data.backtest:
        return ()
    past = of_backtest(Path(settings.data.backtest))
    return require_same("backtest", past, promised(settings.data, access), accept=accept)


def _check_warm_up(
    settings: LiveSettings, access: Access, frames: Mapping[str, pd.DataFrame], *, accept: bool
) -> tuple[str, ...]:
    past = {symbol: passport_of(frame, symbol) for symbol, frame in frames.items()}
    return require_same("warm-up", past, promised(settings.data, access), accept=accept)


def _differences(records: Sequence[Record], told: Briefing) -> list[Mismatch]:
    """What the log holds against what the venue holds."""
    ours: dict[str, Decimal] = {}
    if records:
        for held in records[0].get("config", {}).get("account", {}).get("holdings", ()):
            ours[held["symbol"]] = Decimal(held["quantity"])
    for record in records:
        if record["kind"] == "fill":
            ours[record["symbol"]] = Decimal(repr(record["position"]))
    theirs = {held.symbol: held.quantity for held in told.positions}
    zero = Decimal(0)
    return [
        Mismatch(symbol, ours.get(symbol, zero), theirs.get(symbol, zero))
        for symbol in sorted(ours.keys() | theirs.keys())
        if ours.get(symbol, zero) != theirs.get(symbol, zero)
    ]
