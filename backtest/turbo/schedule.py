"""Which feeds move at which turn of a run, known before the first one.

At each turn Backtrader moves the feeds whose next bar is the earliest, lets the broker work, moves
the indicators of those feeds and the strategy, and calls it: so a turn is a distinct time of any
feed. Feeds with the same times share one cursor, and what they clock another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.turbo.cursor import Cursor, Leader

_Floats = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.int64]
_Moves = list[tuple[int, ...]]  # the numbers of the calendars that move at each turn


@dataclass(frozen=True)
class Schedule:
    """The turns of a run.

    Args:
        calendars: the times of each feed.
        times: Backtrader's date number of each turn, increasing.
        lead: moves at each turn before the broker, and takes `feeds` along.
        turn: moves at each turn after the broker, and takes `followers` along; the strategy's.
        feeds: the cursor of each feed; `lead` where all move together.
        followers: the cursor of what each feed clocks; `turn` where all move together.
        start: the turn at which every feed has the bars that the strategy waits for.
        ready: the turn at which every feed has a bar more; from `start` until then each turn is
            a `nextstart`.
    """

    calendars: tuple[_Floats, ...]
    times: _Floats
    lead: Cursor
    turn: Cursor
    feeds: tuple[Cursor, ...]
    followers: tuple[Cursor, ...]
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
        together = len(distinct) == 1
        times = calendars[0] if together else np.unique(np.concatenate(list(distinct.values())))
        rows = {
            key: np.arange(len(times)) if together else np.searchsorted(times, calendar)
            for key, calendar in distinct.items()
        }
        waits = [(rows[key], period) for key, period in zip(keys, periods, strict=True)]
        moves = [] if together else _moves(list(rows.values()), len(times))
        lead, feeds = _leading(rows, moves)
        turn, followers = _leading(rows, moves)
        return cls(
            tuple(distinct[key] for key in keys),
            times,
            lead,
            turn,
            tuple(feeds[key] for key in keys),
            tuple(followers[key] for key in keys),
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


def _moves(rows: list[_Rows], turns: int) -> _Moves:
    """Which move; equal sets are one tuple."""
    flags = np.zeros((turns, len(rows)), dtype=np.bool_)
    for number, where in enumerate(rows):
        flags[where, number] = True
    packed = np.packbits(flags, axis=1)
    known: dict[bytes, tuple[int, ...]] = {}
    moves = []
    for turn, key in enumerate(map(bytes, packed)):
        if key not in known:
            known[key] = tuple(np.flatnonzero(flags[turn]).tolist())
        moves.append(known[key])
    return moves


def _leading(keys: Iterable[bytes], moves: _Moves) -> tuple[Cursor, dict[bytes, Cursor]]:
    """A cursor that moves at every turn, and those by calendar that it takes along."""
    if not moves:
        lead = Cursor()
        return lead, dict.fromkeys(keys, lead)
    cursors = {key: Cursor() for key in keys}
    numbered = list(cursors.values())
    sets = {numbers: tuple(numbered[number] for number in numbers) for numbers in set(moves)}
    return Leader([sets[numbers] for numbers in moves]), cursors
