"""The session so far: what its bars have added up to, minute by minute."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from analyzers.outliers.sessions import Sessions, shown_last

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tape:
    """State after each of T minutes, (T, N); NaN before a symbol's first bar.

    Args:
        slots: (T,) minutes of session, counted in bars from 0.
        has_bar: whether the minute has one; 1.0 or 0.0.
        open: of the first bar.
        high, low: of all so far.
        close: of the last bar.
        volume: of all so far.
        turnover: typical price (high + low + close) / 3 times volume, of all so far.
        bars: how many so far.
        last: slot of the last bar, -1 before the first.
        hole: longest run of bars missing between two bars, or before the first.
    """

    slots: Rows
    has_bar: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    turnover: Floats
    bars: Floats
    last: Floats
    hole: Floats

    @staticmethod
    def of(sessions: Sessions, row: int) -> "Tape":
        """All minutes of one of the screened sessions at once."""
        place = row - sessions.screened.start
        length = int(sessions.lengths[row])
        open_, high, low, close, volume = (
            table[place][:length] if name in {"open", "high", "low"} else table[row][:length]
            for name, table in (
                ("open", sessions.open), ("high", sessions.high), ("low", sessions.low),
                ("close", sessions.close), ("volume", sessions.volume),
            )
        )  # fmt: skip
        held = ~np.isnan(close)
        slots = np.arange(length)
        begun = np.maximum.accumulate(held, axis=0)
        last = np.maximum.accumulate(np.where(held, slots[:, None], -1), axis=0)
        before = np.concatenate((np.full((1, last.shape[1]), -1), last[:-1]))
        missing = np.where(held, slots[:, None] - before - 1, 0)
        traded = np.where(held, (high + low + close) / 3.0 * volume, 0.0)
        return Tape(
            slots=slots,
            has_bar=held.astype(np.float64),
            open=_first(open_, held, begun),
            high=np.fmax.accumulate(high, axis=0),
            low=np.fmin.accumulate(low, axis=0),
            close=shown_last(close),
            volume=np.where(begun, np.cumsum(np.where(held, volume, 0.0), axis=0), np.nan),
            turnover=np.where(begun, np.cumsum(traded, axis=0), np.nan),
            bars=np.cumsum(held, axis=0).astype(np.float64),
            last=last.astype(np.float64),
            hole=np.maximum.accumulate(missing, axis=0).astype(np.float64),
        )

    @staticmethod
    def blank(count: int) -> "Tape":
        """One row before the first minute."""
        zero, nan = np.zeros((1, count)), np.full((1, count), np.nan)
        return Tape(
            np.array([-1]),
            zero,
            nan,
            nan,
            nan,
            nan,
            nan,
            nan,
            zero,
            np.full((1, count), -1.0),
            zero,
        )

    def rows(self, first: int, after: int) -> "Tape":
        """Some of the minutes."""
        return Tape(*(getattr(self, field.name)[first:after] for field in fields(self)))

    def then(self, slot: int, bars: Floats) -> "Tape":
        """The one row that follows this one, given bars (5, N): open to volume, NaN for none."""
        open_, high, low, close, volume = bars[:, None, :]
        held = ~np.isnan(close)
        first = held & np.isnan(self.close)
        typical = (high + low + close) / 3.0
        hole = np.maximum(self.hole, np.where(held, slot - self.last - 1.0, 0.0))
        return Tape(
            slots=np.array([slot]),
            has_bar=held.astype(np.float64),
            open=np.where(first, open_, self.open),
            high=np.fmax(self.high, high),
            low=np.fmin(self.low, low),
            close=np.where(held, close, self.close),
            volume=_added(self.volume, volume, held),
            turnover=_added(self.turnover, typical * volume, held),
            bars=self.bars + held,
            last=np.where(held, float(slot), self.last),
            hole=hole,
        )


def _first(open_: Floats, held: npt.NDArray[np.bool_], begun: npt.NDArray[np.bool_]) -> Floats:
    opened = np.take_along_axis(open_, held.argmax(axis=0)[None], axis=0)
    return np.where(begun, opened, np.nan)


def _added(total: Floats, more: Floats, held: npt.NDArray[np.bool_]) -> Floats:
    grown = np.where(np.isnan(total), 0.0, total) + np.where(held, more, 0.0)
    return np.where(held | ~np.isnan(total), grown, np.nan)
