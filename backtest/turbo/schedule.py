"""Which feeds move at which turn of a run, known before the first one.

At each turn Backtrader moves the feeds whose next bar is the earliest, and calls the strategy: so
a turn is a distinct time of any feed. Feeds with the same times share one cursor.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import numpy.typing as npt

from backtest.turbo.cursor import Cursor

_Floats = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """The turns of a run.

    Args:
        times: Backtrader's date number of each turn, increasing.
        turn: the strategy's cursor, which moves at each; also the feeds' where all move together.
        cursors: one a feed.
        moving: the cursors that move at each turn beside `turn`.
        start: the turn at which every feed has the bars that the strategy waits for.
        ready: the turn at which every feed has a bar more; from `start` until then each turn is
            a `nextstart`.
    """

    times: list[float]
    turn: Cursor
    cursors: tuple[Cursor, ...]
    moving: Iterable[tuple[Cursor, ...]]
    start: int
    ready: int

    @classmethod
    def of(cls, calendars: Sequence[_Floats], periods: Sequence[int]) -> "Schedule | None":
        """The schedule; None when the times of a feed do not increase.

        Args:
            calendars: the times of each feed.
            periods: how many bars of each feed the strategy waits for.
        """
        keys = [calendar.tobytes() for calendar in calendars]
        distinct = dict(zip(keys, calendars, strict=True))
        if not all(_increases(calendar) for calendar in distinct.values()):
            return None
        times = np.unique(np.concatenate(list(distinct.values())))
        rows = {key: np.searchsorted(times, calendar) for key, calendar in distinct.items()}
        turn = Cursor()
        cursors = {key: turn if len(rows) == 1 else Cursor() for key in rows}
        together = len(rows) == 1
        waits = [(rows[key], period) for key, period in zip(keys, periods, strict=True)]
        return cls(
            times.tolist(),
            turn,
            tuple(cursors[key] for key in keys),
            repeat(()) if together else _moving(rows, cursors, len(times)),
            max(_reached(where, period, len(times)) for where, period in waits),
            max(_reached(where, period + 1, len(times)) for where, period in waits),
        )


def _increases(calendar: _Floats) -> bool:
    return bool(np.isfinite(calendar).all() and (np.diff(calendar) > 0).all())


def _reached(rows: _Rows, bars: int, turns: int) -> int:
    """The turn at which a feed has so many bars; the number of turns if it never does."""
    if bars <= 0:
        return 0
    return int(rows[bars - 1]) if bars <= len(rows) else turns


def _moving(
    rows: dict[bytes, _Rows], cursors: dict[bytes, Cursor], turns: int
) -> list[tuple[Cursor, ...]]:
    """The cursors to move at each turn; equal sets are one tuple."""
    flags = np.zeros((len(rows), turns), dtype=np.bool_)
    for flag, where in zip(flags, rows.values(), strict=True):
        flag[where] = True
    packed = np.ascontiguousarray(np.packbits(flags, axis=0).T)
    keys = [key.tobytes() for key in packed]
    first = dict(zip(reversed(keys), reversed(range(turns)), strict=True))
    every = list(cursors.values())
    sets = {
        key: tuple(cursor for cursor, moves in zip(every, flags[:, at], strict=True) if moves)
        for key, at in first.items()
    }
    return [sets[key] for key in keys]
