"""A rehearsal over sockets: venue and session are processes, stepped from here."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from brokers.clock import Clock, SystemClock
from live.folder import LOG
from live.paper.child import VenueProcess
from live.paper.control import Counters
from live.rehearsal.away import Pair, SessionProcess, State
from live.rehearsal.certificate import Certificate
from live.rehearsal.fitting import fitted
from live.rehearsal.halves import Far, judge
from live.rehearsal.in_memory import BACKTEST, backtest
from live.rehearsal.play import Play
from live.rehearsal.still import Stalled

WARM_UP = 2  # bars; a session begins with some
SETTLE_S = 60.0  # after which a daily bar is fetched
STEADY_S, STARTING_S = 0.1, 1.0  # real seconds in which nothing moves: then only time can help
LONGEST_S = 30.0  # real seconds: what has not come by then never will
LOOK_EVERY_S, SELDOM_S = 0.001, 0.02  # from at once to seldom, as nothing moves: looks cost both

Quiet = Callable[[State, Counters], bool]
Strikes = Mapping[int, float]


def rehearse_over_loopback(
    play: Play, folder: Path, faults: str = "", strikes: Strikes = MappingProxyType({})
) -> Certificate:
    """Play both halves and compare them; the logs stay in `folder`.

    Args:
        strikes: bar, from 1 -> real seconds after it was sent at which SIGKILL comes, whatever
            the session is doing; besides the kills of the plan, which come in quiet.

    Raises:
        ConfigError: there is no such plan, or the venue did not start.
        SessionDied: the session ended by itself.
        Stalled: something never came.
    """
    play = replace(play, warm_up=WARM_UP)
    backtest(play, folder / BACKTEST)
    if faults:
        play = fitted(play, faults, folder / BACKTEST)
    spec, session = play.venue, folder / "session"
    session.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        VenueProcess(spec, play.stamped, Path(place)) as venue,
    ):
        run = _Run(play, venue, session, SystemClock())
        lives = run.to_its_end(strikes)
        counters = venue.remote.counters()
        summary = venue.stop()
    kills = {"kill": lives - 1} if lives > 1 else {}
    far = Far(
        equity=pd.Series([float(summary["equity"])], index=pd.DatetimeIndex([play.ends_at])),
        fills=summary["fills"],
        hits=counters.hits | kills,
        missed=counters.missed,
        longest_row=counters.longest_row,
    )
    return judge(play, folder / BACKTEST, session / LOG, far, lives)


class _Run:
    """The live half, from its first bar to its last."""

    def __init__(self, play: Play, venue: VenueProcess, folder: Path, clock: Clock) -> None:
        self._play = play
        self._venue = venue
        self._folder = folder
        self._clock = clock
        self._ends = [at.to_pydatetime() for at in play.closes.index]
        settling_s = 0.0 if play.timeframe.is_intraday else SETTLE_S
        venue.remote.wait(settling_s)  # the last day of the warm-up is told by then
        now = self._ends[play.warm_up - 1] + timedelta(seconds=settling_s)
        self._settling_s = settling_s
        self._pair = Pair(venue, SessionProcess(play, venue, folder, now), now)
        self._pair.ceiling = self._ends[play.warm_up]
        self._streams = 0
        self._heard = 0
        self._withheld = 0
        self._compared = 0

    def to_its_end(self, strikes: Strikes) -> int:
        """Step bar by bar; how many lives it took."""
        kills, lives = set(self._play.plan.kills), 1
        try:
            self._until(self._is_quiet)
            for number, at in enumerate(self._ends[self._play.warm_up :], self._play.warm_up + 1):
                self._step(number)
                if number in strikes:
                    self._clock.sleep(strikes[number])
                    self._revive()
                self._take_in(at)
                if number in kills:
                    self._revive()
                lives += (number in strikes) + (number in kills)
            self._pair.session.finish()
        except BaseException:
            self._pair.session.kill()
            raise
        return lives

    def _step(self, number: int) -> None:
        """Match a bar, let its fills be taken in, and send it."""
        pair, end = self._pair, self._ends[number - 1]
        pair.venue.step()
        pair.reach(end, self._ends[number] if number < len(self._ends) else None)
        self._until(self._is_quiet)
        pair.venue.bars()
        if self._settling_s:
            pair.let_pass(self._settling_s)

    def _take_in(self, end: datetime) -> None:
        """Wait until the session has had the bar and done what it will about it."""

        def has_bar(state: State, counters: Counters) -> bool:
            came = bool(state.bar) and datetime.fromisoformat(state.bar) == end
            return came and self._is_quiet(state, counters)

        self._until(has_bar)

    def _revive(self) -> None:
        """Kill the session and take it up from its log."""
        pair = self._pair
        pair.session.kill()
        pair.session = SessionProcess(self._play, self._venue, self._folder, pair.now)
        self._streams = self._heard = self._compared = 0
        self._until(self._is_quiet)

    def _until(self, is_so: Quiet) -> None:
        """Wait until something is so twice running; let time pass when nothing moves."""
        clock, pair, was_so = self._clock, self._pair, False
        began_s = since_s = clock.monotonic()
        known: tuple[State, Counters] | None = None
        while True:
            told = pair.told()
            state, counters = told
            if state.failure:
                raise Stalled(f"at {pair.now}: the session broke: {state.failure}")
            now_s = clock.monotonic()
            if told != known:
                known, since_s = told, now_s
            elif is_so(state, counters):
                if was_so:
                    return
                was_so = True
                continue
            elif now_s - since_s > (STEADY_S if state.state == "live" else STARTING_S):
                self._note_stream(state, counters)
                if state.due_s is not None and not is_so(state, counters):
                    pair.let_pass(max(state.due_s, 0.0))
                since_s = now_s
            was_so = False
            if now_s - began_s > LONGEST_S:
                raise Stalled(f"at {pair.now}: something never came: {state}, {counters}")
            clock.sleep(min(max(LOOK_EVERY_S, (now_s - since_s) / 8), SELDOM_S))

    def _note_stream(self, state: State, counters: Counters) -> None:
        """Count anew from a stream that was opened again: what went before it is lost or known."""
        if state.streams != self._streams and state.is_idle and counters.is_listened_to:
            self._streams = state.streams
            self._heard = counters.updates_sent - state.updates

    def _is_quiet(self, state: State, counters: Counters) -> bool:
        if counters.updates_withheld > self._withheld:
            self._withheld, self._compared = counters.updates_withheld, state.comparisons
        needs_data = self._play.timeframe.is_intraday
        return (
            state.is_awaited
            and state.is_idle
            and counters.in_flight == counters.updates_late == 0
            and counters.is_listened_to
            and (counters.is_data_listened_to or not needs_data)
            and self._has_heard_all(state, counters)
            and (state.comparisons > self._compared or not state.at_work)
        )

    def _has_heard_all(self, state: State, counters: Counters) -> bool:
        """Whether every message that left has come, and every update of it was taken in."""
        if self._play.front != "alpaca":
            return state.heard == counters.told and state.updates == state.told
        is_counted = state.streams == self._streams
        return is_counted and state.updates + self._heard == counters.updates_sent
