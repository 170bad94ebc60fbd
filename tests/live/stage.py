"""Whole sessions in this process and in virtual time, in lock-step with a venue in memory.

`begin`, `build` and `Session` are the command's own; only sockets, threads and the passing of time
are not real. So a test sees what a session did on every bar, and it is the same in every run.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import pandas as pd
from pydantic import SecretStr

from analyzers.chain import tail
from backtest.engine import execute
from backtest.inputs import named_feeds
from backtest.result import RunResult
from brokers.errors import DataError, SeawallError
from brokers.inbox import Inbox
from brokers.profile import ALPACA
from brokers.store import Store
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.http_asgi import Asgi
from feeds.frames import bar_ends
from feeds.passport import passport_of, stamp
from feeds.turns import Turns
from live.alerts import Alerts
from live.config import specs
from live.exit_report import ExitReport
from live.folder import Folder
from live.paper.gate import Gate
from live.paper.spec import VenueSpec
from live.rehearsal.canon import Canon, canonical
from live.rehearsal.crash import Crash
from live.rehearsal.difference import Difference, first_difference
from live.rehearsal.in_memory import NotBefore
from live.rehearsal.lockstep import LockStep
from live.rehearsal.still import StillLoop, VirtualClock
from live.session import Session
from live.session_log import SessionLog
from live.settings import LiveSettings
from live.shutdown import Policy
from live.stack import Stack, build
from live.start import Start, begin
from live.venues import Access
from live.view import NoView
from tests.live import runs

CENT = 0.01


@dataclass(frozen=True)
class Player:
    """A session, as the lock-step sees it.

    Args:
        ends: of its bars.
    """

    stack: Stack
    ends: frozenset[datetime]

    @property
    def store(self) -> Store:
        return self.stack.store

    @property
    def inbox(self) -> Inbox:
        return self.stack.inbox

    @property
    def turns(self) -> Turns:
        return self.stack.turns

    @property
    def log(self) -> SessionLog:
        return self.stack.log

    @property
    def failure(self) -> SeawallError | None:
        text = self.stack.wires.data_failure
        return DataError(text) if text else None

    def awaits(self, at: datetime) -> bool:
        return at in self.ends


class Stage:
    """A venue in memory, and room for one session after the other at it.

    Args:
        frames: of its market; the first `warm_up` steps are past.
        terms: of the venue.
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame], warm_up: int, **terms: object) -> None:
        first = min(frame.index[0] for frame in frames.values()).to_pydatetime()
        self.clock = VirtualClock(first)
        self.spec = VenueSpec(
            account="alpaca",
            warm_up=warm_up,
            calls_per_minute=0,
            **terms,  # type: ignore[arg-type]
        )
        self.venue = self.spec.venue(frames, self.clock)
        self._front = self.spec.api(self.venue, self.clock)
        self.loop = StillLoop(self.clock)
        self.clock.jump_to(self.venue.at)

    @property
    def gate(self) -> Gate:
        """Counts the calls."""
        return self._front.gate

    def play(
        self,
        settings: LiveSettings,
        bars: Mapping[str, pd.DataFrame],
        *,
        until: datetime | None = None,
        accept_data: bool = False,
    ) -> ExitReport:
        """Play one session to the end of the market, or of the bar that ends at `until`.

        Args:
            bars: the market's, as long as the session's are.
        """
        access, folder, rng = self.access(), Folder(settings.path), Random(1)
        folder.make()
        lock_step = LockStep(self, self.loop, self.clock, Crash(), until)
        start = begin(
            settings,
            access,
            folder,
            self.clock,
            rng,
            accept_data=accept_data,
            adopt=False,
            fresh=False,
        )
        start = replace(start, clock=self.clock)
        players: list[Player] = []
        inbox = Inbox(idle=lambda _: lock_step.idle(players[0]))
        stack = build(
            settings, specs(settings), access, start, folder, rng, inbox=inbox, host=self.loop
        )
        players.append(Player(stack, frozenset(_ends(bars))))
        return _session(stack, start, folder).run()

    def close(self) -> None:
        """End what runs in the loop."""
        self.loop.close()

    def access(self, speed: float = 1.0) -> Access:
        """The way to it; `speed` is what sessions take for the market's."""
        url = "http://127.0.0.1"

        def http(base_url: str, *, connections: int = 1, **how: object) -> Asgi:
            del connections
            return Asgi(self._front, base_url=base_url, **how)  # type: ignore[arg-type]

        return Access(
            name="paper",
            where=url,
            trading=url,
            data=url,
            stream=url,
            keys=AlpacaKeys(SecretStr(self.spec.key_id), SecretStr(self.spec.secret)),
            speed=speed,
            is_ours=True,
            http=http,
        )


@contextmanager
def stage(frames: Mapping[str, pd.DataFrame], warm_up: int, **terms: object) -> Iterator[Stage]:
    """A stage while the block runs."""
    made = Stage(frames, warm_up, **terms)
    try:
        yield made
    finally:
        made.close()


def difference(
    settings: LiveSettings, bars: Mapping[str, pd.DataFrame]
) -> tuple[Difference | None, RunResult]:
    """What a session did otherwise than a backtest on these bars, and that backtest.

    The first ones are those that the session was warmed up on, without orders; whatever was decided
    is compared, what it cost and what came of it, to the last bit.
    """
    (spec,) = specs(settings)
    folder = Folder(settings.path)
    records = runs.records(settings.path)
    turns = [record["at_bar"] for record in records if record["kind"] == "bars"]
    first, last = (datetime.fromisoformat(at) for at in (turns[0], turns[-1]))
    before = max(end for end in _ends(bars) if end < first)
    own = (NotBefore(before.timestamp()),)
    log = folder.path / "backtest.jsonl"
    feeds = named_feeds({symbol: _until(frame, last) for symbol, frame in bars.items()})
    for feed in feeds.values():
        feed.p.tick = CENT
    result = execute(spec, feeds, log=log, profile=ALPACA, rules=own)
    theirs = canonical((record for record, _ in tail(log)), last, before)
    ours = _by_bar(canonical(records, last, before), sorted(_ends(bars)))
    return first_difference(theirs, ours, records), result


def _until(frame: pd.DataFrame, last: datetime) -> pd.DataFrame:
    passport = passport_of(frame)
    return stamp(
        frame[bar_ends(frame, passport) <= pd.Timestamp(last)],
        symbol=passport.symbol,
        source=passport.source,
        timeframe=passport.timeframe,
        calendar=passport.calendar,
    )


def _by_bar(canon: Canon, ends: Sequence[datetime]) -> Canon:
    """The same with each fill told of the session's bar: the venue's own are perhaps shorter."""
    fills = []
    for fill in canon.fills:
        end = ends[bisect_left(ends, datetime.fromisoformat(fill.bar))]
        fills.append(replace(fill, bar=end.astimezone(UTC).isoformat().replace("+00:00", "Z")))
    return replace(canon, fills=tuple(fills))


def _session(stack: Stack, start: Start, folder: Folder) -> Session:
    return Session(
        "staged",
        stack,
        start,
        Policy(),
        (),
        view=NoView(),
        alerts=Alerts(None),
        log_name=str(folder.log),
    )


def _ends(bars: Mapping[str, pd.DataFrame]) -> Iterator[datetime]:
    for symbol, frame in bars.items():
        yield from bar_ends(frame, passport_of(frame, symbol)).to_pydatetime()
