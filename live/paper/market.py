"""The paper venue's prices: bar frames on one time line, shown no earlier than they end."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import ConfigError
from brokers.wire.transport import VenueBar
from feeds.bars import check_bars
from feeds.frames import bar_ends
from feeds.passport import Passport, passport_of
from feeds.timeframe import Timeframe
from live.paper.hours import ALWAYS, Hours
from live.paper.splits import MarketSplit


@dataclass(frozen=True, slots=True)
class Step:
    """What happens at one instant.

    Args:
        bars: those that ended at it, by symbol.
        corrections: of bars of earlier steps; nothing is matched on them.
        splits: that take effect before it.
    """

    at: datetime
    bars: Mapping[str, VenueBar]
    corrections: tuple[VenueBar, ...] = ()
    splits: tuple[MarketSplit, ...] = ()


@dataclass(slots=True)
class _Tape:
    """One symbol's bars; `row` is the first that has not been shown.

    Args:
        values: prices and volume, adjusted for all splits.
        dearer: by how much each row's prices were dearer when they were traded.
    """

    values: npt.NDArray[np.float64]
    dearer: npt.NDArray[np.float64]
    starts: list[datetime]
    ends: list[datetime]
    row: int = 0
    corrected: dict[int, VenueBar] = field(default_factory=dict)

    def bar(self, symbol: str, row: int, *, adjusted: bool = False) -> VenueBar:
        """A bar as it was traded, or as splits up to the newest one make it."""
        factor = float(self.dearer[self.row - 1] if adjusted else self.dearer[row])
        known = self.corrected.get(row)
        if known:
            return _dearer(known, factor / float(self.dearer[row]))
        first, high, low, last, volume = self.values[row].tolist()
        bar = VenueBar(symbol, self.starts[row], first, high, low, last, volume)
        return _dearer(bar, factor)


class Market:
    """Bars of all symbols, one instant after the other.

    Args:
        frames: bar frames by symbol, all of one timeframe.
        calendar: of the exchange; by default that of the frames' passports.
        corrections: bars that vendors mended late: each comes with the step after its bar's, and
            stands in the bar's stead from then on.
        splits: that happen in the market; the frames' prices are those after all of them.

    Raises:
        ConfigError: no frames, two timeframes or two calendars, or a correction of no bar.
        DataError: a frame is no bar frame.
    """

    def __init__(
        self,
        frames: Mapping[str, pd.DataFrame],
        *,
        calendar: str | None = None,
        corrections: Iterable[VenueBar] = (),
        splits: Iterable[MarketSplit] = (),
    ) -> None:
        checked = {symbol: check_bars(frame, symbol) for symbol, frame in frames.items()}
        passports = {symbol: passport_of(bars, symbol) for symbol, bars in checked.items()}
        self.symbols = tuple(checked)
        self.timeframe = Timeframe(_agreed("timeframe", {p.timeframe for p in passports.values()}))
        named = {calendar or p.calendar or ALWAYS for p in passports.values()}
        self.hours = Hours(_agreed("calendar", named))
        self.splits = tuple(splits)
        for split in self.splits:
            if split.symbol not in checked:
                raise ConfigError(f"split {split.text}: the market has no {split.symbol}")
        self._tapes = {
            symbol: self._tape(bars, passports[symbol]) for symbol, bars in checked.items()
        }
        self.at = min(tape.starts[0] for tape in self._tapes.values())
        self._corrections = [self._placed(bar) for bar in corrections]

    @property
    def next_at(self) -> datetime | None:
        """The instant of the next step; None after the last."""
        ends = [t.ends[t.row] for t in self._tapes.values() if t.row < len(t.ends)]
        return min(ends, default=None)

    def advance(self) -> Step | None:
        """Move to the next step; None after the last."""
        at = self.next_at
        return None if at is None else self.move_to(at)

    def move_to(self, at: datetime) -> Step:
        """Move to the next step, known from `next_at`."""
        corrections, splits = self._due(), self._splits_until(at)
        bars: dict[str, VenueBar] = {}
        for symbol, tape in self._tapes.items():
            if tape.row < len(tape.ends) and tape.ends[tape.row] == at:
                bars[symbol] = tape.bar(symbol, tape.row)
                tape.row += 1
        self.at = at
        return Step(at, bars, corrections, splits)

    def bars(
        self, symbol: str, start: datetime, end: datetime, *, adjusted: bool = False
    ) -> tuple[VenueBar, ...]:
        """Finished bars that start in [start, end), oldest first; none of an unknown symbol.

        Args:
            adjusted: for the splits up to now.
        """
        tape = self._tapes.get(symbol)
        if tape is None:
            return ()
        first = bisect_left(tape.starts, start)
        after = min(bisect_left(tape.starts, end), tape.row)
        return tuple(tape.bar(symbol, row, adjusted=adjusted) for row in range(first, after))

    def newest(self, symbol: str) -> VenueBar | None:
        """The last finished bar; None before the first."""
        tape = self._tapes.get(symbol)
        return tape.bar(symbol, tape.row - 1) if tape and tape.row else None

    def price(self, symbol: str) -> Decimal | None:
        """The last price; None before the first bar."""
        bar = self.newest(symbol)
        return Decimal(repr(bar.close)) if bar else None

    def price_before_today(self, symbol: str) -> Decimal | None:
        """The last price before the session of the newest bar; None when there is none."""
        tape = self._tapes.get(symbol)
        if tape is None or tape.row == 0:
            return None
        just_before = tape.ends[tape.row - 1] - timedelta(microseconds=1)
        opened = self.hours.open_of(just_before)
        row = bisect_right(tape.ends, opened) - 1
        return Decimal(repr(tape.bar(symbol, row, adjusted=True).close)) if row >= 0 else None

    def opens(self, split: MarketSplit) -> datetime:
        """When the first session after a split opens."""
        midnight = datetime.combine(split.ex_date, time(), self.hours.zone)
        return self.hours.open_of(midnight.astimezone(UTC))

    def _splits_until(self, at: datetime) -> tuple[MarketSplit, ...]:
        """Splits that take effect between the step before and the one at `at`."""
        return tuple(split for split in self.splits if self.at <= self.opens(split) < at)

    def _tape(self, bars: pd.DataFrame, passport: Passport) -> _Tape:
        calendar = None if self.hours.calendar == ALWAYS else self.hours.calendar
        ends = _instants(bar_ends(bars, replace(passport, calendar=calendar)))
        dearer = np.ones(len(ends))
        for split in self.splits:
            if split.symbol == passport.symbol:
                dearer[: bisect_right(ends, self.opens(split))] *= float(split.ratio)
        return _Tape(bars.to_numpy(), dearer, _instants(pd.DatetimeIndex(bars.index)), ends)

    def _placed(self, bar: VenueBar) -> tuple[str, int, VenueBar]:
        """A correction, with the row that it mends."""
        tape = self._tapes.get(bar.symbol)
        if tape is None or bar.start_at not in tape.starts:
            raise ConfigError(
                f"no bar of {bar.symbol} starts at {bar.start_at}: nothing to correct"
            )
        return bar.symbol, tape.starts.index(bar.start_at), replace(bar, is_correction=True)

    def _due(self) -> tuple[VenueBar, ...]:
        """Corrections of what has been shown; they count from now on."""
        due = [placed for placed in self._corrections if placed[1] < self._tapes[placed[0]].row]
        self._corrections = [placed for placed in self._corrections if placed not in due]
        for symbol, row, bar in due:
            self._tapes[symbol].corrected[row] = replace(bar, is_correction=False)
        return tuple(bar for _, _, bar in due)


def _dearer(bar: VenueBar, factor: float) -> VenueBar:
    """The bar with prices `factor` times as high, to a hundredth of a cent, and fewer units."""
    if factor == 1.0:
        return bar
    return replace(
        bar,
        open=round(bar.open * factor, 4),
        high=round(bar.high * factor, 4),
        low=round(bar.low * factor, 4),
        close=round(bar.close * factor, 4),
        volume=bar.volume / factor,
    )


def _agreed(what: str, values: set[str]) -> str:
    if len(values) != 1:
        found = " and ".join(sorted(values)) or "no symbol at all"
        raise ConfigError(f"a market has one {what}, not {found}: choose symbols that share it")
    return values.pop()


def _instants(index: pd.DatetimeIndex) -> list[datetime]:
    return [stamp.astimezone(UTC) for stamp in index.to_pydatetime()]
