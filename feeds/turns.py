"""What a session's feeds have in common: one turn at a time, and one wait for all of them."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import backtrader as bt
import pandas as pd

from brokers.wire.transport import Reconnected, VenueBar
from feeds import calendars
from feeds.barrier import Arrival, Barrier
from feeds.bars import COLUMNS
from feeds.frames import bar_ends
from feeds.passport import passport_of
from feeds.timeframe import Timeframe

BUSY_S = 0.01  # without an arrival; so long need nobody look round while others are busy

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """The bars of one time.

    Args:
        number: counts the turns of a session's life from 1; 0 is warm-up.
        end_at: the bars' end, aware UTC.
        bars: by symbol, at least one.
    """

    number: int
    end_at: datetime
    bars: Mapping[str, VenueBar]

    def as_record(self) -> dict[str, Any]:
        """Plain values for the log; `from_record` reads them back."""
        starts = {at: at.isoformat() for at in {bar.start_at for bar in self.bars.values()}}
        bars = {
            symbol: [starts[bar.start_at], bar.open, bar.high, bar.low, bar.close, bar.volume]
            for symbol, bar in self.bars.items()
        }
        return {"turn": self.number, "at_bar": self.end_at.isoformat(), "bars": bars}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Turn":
        """The turn that `as_record` wrote."""
        bars = {
            symbol: VenueBar(symbol, datetime.fromisoformat(start), *values)
            for symbol, (start, *values) in record["bars"].items()
        }
        return cls(record["turn"], datetime.fromisoformat(record["at_bar"]), bars)


@dataclass(frozen=True, slots=True)
class Outage:
    """The stream of bars is down, or mute; `Reconnected` follows when it is up again."""

    at: datetime
    text: str


Item = VenueBar | Reconnected | Outage


class Arrivals(Protocol):
    """The bars' lane of the inbox."""

    def drain(self) -> Sequence[Item]:
        """What came since the last time, in order."""

    def wait(self, timeout_s: float) -> bool:
        """Block until something is in ANY lane, at most `timeout_s` seconds; say whether it is."""


class Recorded(Protocol):
    """The turns of this session before it was restarted, as its log has them."""

    @property
    def is_over(self) -> bool:
        """True when there is nothing left to repeat."""

    def take(self) -> Turn | None:
        """The next turn; None while the log has something else before it, such as a fill."""


class Listening(Protocol):
    """A feed, as its turns see it."""

    def put_notification(self, status: int) -> None:
        """Tell the strategy of a new status."""


class Turns:
    """Hands each feed of a session its bar of the current turn, and waits for all of them.

    Belongs to Cerebro's thread. The first feed that Cerebro asks in a round leads: it alone moves
    on to the next turn, or waits for one; the others have theirs of the same turn in the same
    round, so that next() is called once a turn with all symbols at the same time.

    Past turns come first (a warm-up, then what was recorded before a restart), then live ones.
    A live turn goes to `record` before any feed has it.

    Args:
        arrivals: where live bars come from; start its source BEFORE fetching the warm-up, and
            there is no gap at the seam; what overlaps is dropped.
        barrier: makes turns of them.
        record: writes a turn to the log; what it raises ends the run.
        timeframe: of all feeds.
        calendar: by whose closes daily and longer bars end; None: they last their timeframe.
        past: turns of the warm-up, as `warm_up` makes them.
        recorded: turns to repeat after a restart.
        note: told of each bar that is in no turn.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        barrier: Barrier,
        record: Callable[[Turn], None],
        *,
        timeframe: Timeframe,
        calendar: str | None = None,
        past: Iterable[Turn] = (),
        recorded: Recorded | None = None,
        note: Callable[[Arrival, VenueBar], None] | None = None,
    ) -> None:
        self._arrivals = arrivals
        self._barrier = barrier
        self._record = record
        self._timeframe = timeframe
        self._calendar = calendar
        self._past = iter(past)
        self._recorded = recorded
        self._note = note or _log_dropped
        self._is_busy: Callable[[], bool] = lambda: False
        self._feeds: list[Listening] = []
        self._leader: Listening | None = None
        self._unserved: set[int] = set()
        self._ready: deque[Turn] = deque()
        self._current: Turn | None = None
        self._when = 0.0
        self._number = 0
        self._status = bt.feed.DataBase.CONNECTED
        self._is_past_over = False
        self._is_connected = False
        self._is_finished = False
        self._has_ended = False
        self._is_at_rest = False

    @property
    def barrier(self) -> Barrier:
        """What gathers the bars of one time."""
        return self._barrier

    @property
    def has_ended(self) -> bool:
        """True once Cerebro's round has begun in which the feeds say so."""
        return self._has_ended

    @property
    def is_live(self) -> bool:
        """True when warm-up and recorded turns are over: orders may leave."""
        return self._is_past_over

    @property
    def is_at_rest(self) -> bool:
        """True when the last wait brought nothing at all, and nobody is busy."""
        return self._is_at_rest

    def heed(self, is_busy: Callable[[], bool]) -> None:
        """Name what is asked whether another thread has in hand what a rest would hold up."""
        self._is_busy = is_busy

    def finish(self) -> None:
        """End the run after the current turn; may be called from any thread."""
        self._is_finished = True

    def join(self, feed: Listening) -> None:
        """Take a feed in, when it starts."""
        self._feeds.append(feed)

    def has_bar(self, feed: Listening) -> bool:
        """Whether the feed need not wait: a turn is there that it has not had."""
        return id(feed) in self._unserved or bool(self._ready)

    def serve(self, feed: Listening, symbol: str, wait_s: float) -> tuple[float, VenueBar] | None:
        """Give a feed its bar of the current turn, and when it ends, as Backtrader's number.

        None: it has no bar in this turn, or has had it, or there is no turn.

        Args:
            wait_s: the leader waits so long for a turn, and no longer than until something
                arrives, a fill included.
        """
        if self._leader is None:
            self._leader = feed
        if feed is self._leader and not self._unserved:
            self._move_on(wait_s)
        if id(feed) not in self._unserved or self._current is None:
            return None
        self._unserved.discard(id(feed))
        bar = self._current.bars.get(symbol)
        return None if bar is None else (self._when, bar)

    def advance(self, wait_s: float) -> tuple[float, Mapping[str, VenueBar]] | None:
        """The next turn for a loop that serves all feeds itself: when it ends, and its bars.

        None: there is none yet.

        Args:
            wait_s: as for `serve`.
        """
        self._move_on(wait_s)
        self._unserved.clear()
        return None if self._current is None else (self._when, self._current.bars)

    def _move_on(self, wait_s: float) -> None:
        self._current = None
        self._is_at_rest = False
        if self._is_finished:
            self._has_ended = True
            return
        self._current = turn = self._past_turn() or self._live_turn(wait_s)
        if turn is not None:
            self._when = bt.date2num(turn.end_at.astimezone(UTC).replace(tzinfo=None))
            self._unserved = {id(feed) for feed in self._feeds}

    def _past_turn(self) -> Turn | None:
        if self._is_past_over:
            return None
        self._tell(bt.feed.DataBase.DELAYED)
        turn = next(self._past, None)
        if turn is None and self._recorded is not None:
            turn = self._recorded.take()
        if turn is not None:
            self._number = max(self._number, turn.number)
            self._barrier.skip_to(max(bar.start_at for bar in turn.bars.values()))
        return turn

    def _live_turn(self, wait_s: float) -> Turn | None:
        if not self._is_past_over:
            if self._recorded is None or self._recorded.is_over:
                self._is_past_over = True
            if self._recorded is not None:
                # A recorded fill comes first, or the session lets the venue in: in this round.
                return None
        self._await_turn(wait_s)
        if not self._ready:
            return None
        turn = self._ready.popleft()
        self._record(turn)
        return turn

    def _await_turn(self, wait_s: float) -> None:
        """Wait through bars that make no turn yet, not through what needs a round of Cerebro's.

        A round for each of 50 bars would keep the last of them waiting.
        """
        clock = self._barrier.clock
        until_s, waited_s = clock.monotonic() + wait_s, wait_s
        self._collect()
        while not self._ready and (left_s := until_s - clock.monotonic()) > 0:
            due_s = self._barrier.wait_s()
            has_come = self._arrivals.wait(left_s if due_s is None else min(left_s, due_s))
            if self._collect():
                continue
            if has_come or self._ready or not self._is_busy():
                self._is_at_rest = not (has_come or self._ready)
                break
            if waited_s >= BUSY_S:
                break
            until_s += wait_s
            waited_s += wait_s

    def _collect(self) -> bool:
        """Take in what came; says whether bars did."""
        items = self._arrivals.drain()
        for item in items:
            if isinstance(item, VenueBar):
                arrival = self._barrier.add(item)
                if arrival in ("late", "correction"):
                    self._note(arrival, item)
            else:
                self._tell_of(item)
        for bars in self._barrier.due():
            self._number += 1
            start_at = next(iter(bars.values())).start_at
            self._ready.append(Turn(self._number, self._end(start_at), bars))
        return any(isinstance(item, VenueBar) for item in items)

    def _tell_of(self, item: Reconnected | Outage) -> None:
        if isinstance(item, Outage) or self._is_connected:
            self._tell(bt.feed.DataBase.CONNBROKEN)
        self._is_connected = isinstance(item, Reconnected)
        if self._is_connected:
            self._tell(bt.feed.DataBase.LIVE)

    def _tell(self, status: int) -> None:
        """Tell all feeds together: Cerebro spins while some are LIVE and others are not."""
        if status != self._status:
            self._status = status
            for feed in self._feeds:
                feed.put_notification(status)

    def _end(self, start_at: datetime) -> datetime:
        if self._timeframe.delta and (self._calendar is None or self._timeframe.text == "1m"):
            # A minute never outlasts its session, and the calendar would take half a millisecond.
            return (start_at + self._timeframe.delta).astimezone(UTC)
        starts = pd.DatetimeIndex([start_at])
        end = calendars.bar_close(self._calendar, starts, self._timeframe)[0]
        return end.to_pydatetime().astimezone(UTC)


def warm_up(frames: Mapping[str, pd.DataFrame]) -> Iterator[Turn]:
    """Turn history into turns, by the bars' ends.

    Args:
        frames: stamped bar frames by symbol, of one timeframe.
    """
    bars: dict[datetime, dict[str, VenueBar]] = {}
    for symbol, frame in frames.items():
        ends = bar_ends(frame, passport_of(frame, symbol)).as_unit("us").to_pydatetime()
        starts = pd.DatetimeIndex(frame.index).as_unit("us").to_pydatetime()
        values = frame[list(COLUMNS)].to_numpy().tolist()
        for end, start, row in zip(ends, starts, values, strict=True):
            bars.setdefault(end, {})[symbol] = VenueBar(symbol, start, *row)
    return (Turn(0, end, bars[end]) for end in sorted(bars))


def _log_dropped(arrival: Arrival, bar: VenueBar) -> None:
    _log.warning("%s bar of %s at %s is in no turn", arrival, bar.symbol, bar.start_at)
