"""A rehearsal in this process: no sockets, no threads, and virtual time; same seed, same bytes."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from backtest.engine import RUN_ID_LENGTH, execute
from backtest.inputs import named_feeds
from brokers.errors import RiskRefused
from brokers.risk import Situation
from live.rehearsal.actor import Actor
from live.rehearsal.certificate import Certificate
from live.rehearsal.crash import Crash, Killed, Point
from live.rehearsal.fitting import fitted
from live.rehearsal.halves import Far, judge
from live.rehearsal.lockstep import LockStep
from live.rehearsal.memory import FarSide
from live.rehearsal.memory_gateway import GatewaySide
from live.rehearsal.play import Play
from live.rehearsal.still import StillLoop, VirtualClock

BACKTEST, LIVE = "backtest.jsonl", "live.jsonl"
Deaths = Sequence[tuple[Point, int]]


def rehearse(play: Play, folder: Path, faults: str = "", deaths: Deaths = ()) -> Certificate:
    """Play both halves and compare them; their logs stay in `folder`.

    Args:
        faults: names a plan to be fitted to the run; without one it is the play's own.
        deaths: of the session, besides those that the plan has.

    Raises:
        ConfigError: there is no such plan.
    """
    backtest(play, folder / BACKTEST)
    if faults:
        play = fitted(play, faults, folder / BACKTEST)
    clock = VirtualClock(play.starts_at)
    far = far_side(play, clock)
    crash = Crash((*(("bar", nth) for nth in play.plan.kills), *deaths))
    perform(play, far, clock, crash, folder / LIVE)
    lives = 1 + len(crash.died_at)
    return judge(play, folder / BACKTEST, folder / LIVE, _told(far, crash), lives)


def undisturbed(play: Play, folder: Path) -> Mapping[Point, int]:
    """Play the live half alone, without faults; how often it passed each point."""
    clock, crash = VirtualClock(play.starts_at), Crash()
    far = far_side(play, clock)
    perform(play, far, clock, crash, folder / LIVE)
    return crash.passed


def far_side(play: Play, clock: VirtualClock) -> FarSide | GatewaySide:
    """The venue that the play wants."""
    venue = play.venue.venue(play.stamped, clock)
    return GatewaySide(play, venue, clock) if play.front == "tws" else FarSide(play, venue, clock)


def backtest(play: Play, log: Path) -> None:
    """Play the backtest's half."""
    feeds = play.with_ticks(named_feeds(play.stamped))
    after = play.trades_after
    own = () if after is None else (NotBefore(after.timestamp()),)
    execute(play.spec, feeds, log=log, profile=play.profile, rules=own)


@dataclass(frozen=True, slots=True)
class NotBefore:
    """No orders up to an instant, as in a session's warm-up."""

    until_s: float

    def __call__(self, situation: Situation) -> None:
        """Refuse during the warm-up."""
        if situation.bar_at <= self.until_s:
            raise RiskRefused("warm_up", 0, 1)


def perform(
    play: Play, far: FarSide | GatewaySide, clock: VirtualClock, crash: Crash, log: Path
) -> None:
    """Play the live half, one life after the other."""
    session_id = play.spec.fingerprint(play.passports)[:RUN_ID_LENGTH]
    with _silence(), _stage(clock) as loop:
        lock_step = LockStep(far, loop, clock, crash)
        while True:
            actor = Actor(play, session_id, far, (loop, clock), log, crash, lock_step.idle)
            try:
                actor.run()
            except Killed:
                loop.kill()
                actor.die()
                crash.revive()
                lock_step.restarted()
            else:
                return


@contextmanager
def _silence() -> Iterator[None]:
    """Keep to ourselves what the feeds log of every open of a market of long ago."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _stage(clock: VirtualClock) -> Iterator[StillLoop]:
    loop = StillLoop(clock)
    try:
        yield loop
    finally:
        loop.close()


def _told(far: FarSide | GatewaySide, crash: Crash) -> Far:
    venue, trouble = far.venue, far.venue.trouble
    kills = {"kill": len(crash.died_at)} if crash.died_at else {}
    return Far(
        equity=pd.Series(
            [float(mark.equity) for mark in venue.marks],
            index=pd.DatetimeIndex([mark.at for mark in venue.marks]),
        ),
        fills=len(venue.executions),
        hits=trouble.hits | kills,
        missed=(
            *(fault.kind for fault in trouble.missed),
            *(f"kill at {point} {nth}" for point, nth in crash.left),
        ),
        longest_row=trouble.longest_row,
    )
