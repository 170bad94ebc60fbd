"""Minutes gathered into longer intraday bars, as the vendor's own history has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from feeds import calendars
from feeds.timeframe import Timeframe

MINUTE = timedelta(minutes=1)
GRACE_S = 10.0  # after a bar's end by the clock, and of silence: no minute tells that it is over

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class _Open:
    """One bar of one symbol that still gathers.

    Args:
        due_s: when it is given without its last minute, by the clock's seconds; None: not yet.
    """

    end_at: datetime
    minutes: dict[datetime, VenueBar] = field(default_factory=dict)
    due_s: float | None = None


class Gathering:
    """Gathers minutes, which come in order for each symbol, into bars that count from the open.

    A bar is given with its last minute, with the first minute after it, or `deadline_s` after any
    symbol has had a minute that ends it: a minute without a trade keeps nobody waiting. Without any
    such minute it is given `GRACE_S` after its end by the clock and after the newest minute, unless
    the stream `is_paused`. The last bar of a session ends at its close. What comes after its bar
    makes a correction of it.

    Synchronous and without threads: whoever owns it adds, asks what is due, and waits `wait_s()`.

    Args:
        timeframe: intraday, longer than a minute.
        deadline_s: seconds.
        calendar: of the sessions; None: bars count from midnight UTC.
        since: minutes of bars that start at this instant or before are passed over.

    Raises:
        ConfigError: the timeframe is another one.
    """

    def __init__(
        self,
        timeframe: Timeframe,
        deadline_s: float,
        clock: Clock,
        *,
        calendar: str | None = None,
        since: datetime | None = None,
    ) -> None:
        if not timeframe.is_intraday or timeframe.delta is None or timeframe.delta <= MINUTE:
            raise ConfigError(f"minutes make 5m, 15m, 30m and 1h, not {timeframe}")
        self.is_paused = False
        self._width = timeframe.delta
        self._deadline_s = deadline_s
        self._clock = clock
        self._calendar = calendar
        self._since = since
        self._heard_s = clock.monotonic()
        self._open: dict[str, dict[datetime, _Open]] = {}
        self._given: dict[str, tuple[datetime, Mapping[datetime, VenueBar]]] = {}

    def add(self, minute: VenueBar) -> list[VenueBar]:
        """Take a minute in; the bars that it closes, oldest first."""
        start_at, end_at = self._span(minute.start_at)
        if self._since is not None and start_at <= self._since:
            return []
        given_at, given = self._given.get(minute.symbol, (None, {}))
        if given_at is not None and start_at <= given_at:
            return self._corrected(minute, given) if start_at == given_at else []
        is_last = minute.start_at + MINUTE >= end_at
        closed = [] if minute.is_correction else self._close(minute.symbol, before=start_at)
        bars = self._open.setdefault(minute.symbol, {})
        bars.setdefault(start_at, _Open(end_at)).minutes[minute.start_at] = minute
        if not minute.is_correction:
            self._note_time(minute.start_at + MINUTE)
            closed += self._close(minute.symbol, before=end_at) if is_last else []
        return closed

    def due(self) -> list[VenueBar]:
        """Give the bars whose last minute will not come."""
        now_s = self._clock.monotonic()
        late = [
            (symbol, bar.end_at)
            for symbol, start_at, bar in self._each()
            if (bar.due_s is not None and bar.due_s <= now_s) or self._left_s(bar.end_at) <= 0
        ]
        return [bar for symbol, end_at in late for bar in self._close(symbol, before=end_at)]

    def wait_s(self) -> float | None:
        """Give the seconds until a bar is due without any further minute; None: nothing waits."""
        now_s = self._clock.monotonic()
        waits = [
            self._left_s(bar.end_at) if bar.due_s is None else bar.due_s - now_s
            for _, _, bar in self._each()
        ]
        soonest = min(waits, default=None)
        return None if soonest is None or self.is_paused else max(soonest, 0.0)

    def _each(self) -> Iterator[tuple[str, datetime, _Open]]:
        for symbol, bars in self._open.items():
            for start_at, bar in bars.items():
                yield symbol, start_at, bar

    def _left_s(self, end_at: datetime) -> float:
        """Seconds until the clock alone says that a bar is over."""
        if self.is_paused:
            return float("inf")
        silence_s = self._clock.monotonic() - self._heard_s
        to_end_s = (end_at - self._clock.now()).total_seconds()
        return max(to_end_s, -silence_s) + GRACE_S

    def _note_time(self, at: datetime) -> None:
        """Somebody has had a minute that ends at `at`: what ended by then has a deadline."""
        self.is_paused, self._heard_s = False, self._clock.monotonic()
        for _, _, bar in self._each():
            if bar.due_s is None and bar.end_at <= at:
                bar.due_s = self._clock.monotonic() + self._deadline_s

    def _close(self, symbol: str, before: datetime) -> list[VenueBar]:
        """Give a symbol's bars that start before an instant."""
        bars = self._open.get(symbol, {})
        closed = []
        for start_at in sorted(start for start in bars if start < before):
            minutes = bars.pop(start_at).minutes
            self._given[symbol] = (start_at, minutes)
            closed.append(_whole(start_at, minutes))
        return closed

    def _corrected(self, minute: VenueBar, given: Mapping[datetime, VenueBar]) -> list[VenueBar]:
        if not minute.is_correction and minute.start_at in given:
            return []
        start_at = self._span(minute.start_at)[0]
        minutes = {**given, minute.start_at: minute}
        self._given[minute.symbol] = (start_at, minutes)
        return [replace(_whole(start_at, minutes), is_correction=True)]

    def _span(self, at: datetime) -> Span:
        """Start and end of the bar that a minute belongs to."""
        session = calendars.session_of(self._calendar, at) if self._calendar else None
        opened = session[0] if session else datetime.fromtimestamp(0, UTC)
        start_at = opened + (at - opened) // self._width * self._width
        end_at = start_at + self._width
        return start_at, min(end_at, session[1]) if session else end_at


def joined(start_at: datetime, bars: Sequence[VenueBar]) -> VenueBar:
    """One bar of several, which are in the order of time."""
    return VenueBar(
        bars[0].symbol,
        start_at,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )


def _whole(start_at: datetime, minutes: Mapping[datetime, VenueBar]) -> VenueBar:
    return joined(start_at, [minutes[at] for at in sorted(minutes)])
