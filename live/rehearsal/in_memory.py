"""A rehearsal in this process: no sockets, no threads, and virtual time; same seed, same bytes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from backtest.engine import RUN_ID_LENGTH, execute
from backtest.inputs import named_feeds
from live.rehearsal.actor import Actor
from live.rehearsal.certificate import Certificate
from live.rehearsal.halves import Far, judge
from live.rehearsal.lockstep import LockStep
from live.rehearsal.memory import FarSide
from live.rehearsal.play import Play
from live.rehearsal.still import StillLoop, VirtualClock

BACKTEST, LIVE = "backtest.jsonl", "live.jsonl"


def rehearse(play: Play, folder: Path) -> Certificate:
    """Play both halves and compare them; their logs stay in `folder`."""
    feeds = play.with_ticks(named_feeds(play.stamped))
    execute(play.spec, feeds, log=folder / BACKTEST, profile=play.profile)
    clock = VirtualClock(play.starts_at)
    far = FarSide(play, play.venue.venue(play.stamped, clock), clock)
    lives = perform(play, far, clock, folder / LIVE)
    return judge(play, folder / BACKTEST, folder / LIVE, _told(far, lives), lives)


def perform(play: Play, far: FarSide, clock: VirtualClock, log: Path) -> int:
    """Play the live half; how many lives it took."""
    session_id = play.spec.fingerprint(play.passports)[:RUN_ID_LENGTH]
    with _stage(clock) as loop:
        lock_step = LockStep(far, loop, clock)
        actor = Actor(play, session_id, far, (loop, clock), log, lock_step.idle)
        actor.run()
    return 1


@contextmanager
def _stage(clock: VirtualClock) -> Iterator[StillLoop]:
    loop = StillLoop(clock)
    try:
        yield loop
    finally:
        loop.close()


def _told(far: FarSide, lives: int) -> Far:
    venue, trouble = far.venue, far.venue.trouble
    kills = {"kill": lives - 1} if lives > 1 else {}
    return Far(
        equity=pd.Series(
            [float(mark.equity) for mark in venue.marks],
            index=pd.DatetimeIndex([mark.at for mark in venue.marks]),
        ),
        fills=len(venue.executions),
        hits=trouble.hits | kills,
        missed=tuple(fault.kind for fault in trouble.missed),
        longest_row=trouble.longest_row,
    )
