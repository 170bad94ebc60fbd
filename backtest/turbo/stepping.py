"""An indicator that is computed bar by bar, by its own `next`, over shared cursors.

Backtrader moves every line of its data and of its parts by hand for each bar, which costs more than
most `next` do.
"""

from typing import Any

import backtrader as bt
from backtrader.feed import AbstractDataBase
from backtrader.linebuffer import LineActions, LineBuffer
from backtrader.lineseries import LineSeriesStub

from backtest.turbo.cursor import Cursor, Ride

_STEPS = {
    "preonce": "preonce_via_prenext",
    "oncestart": "oncestart_via_nextstart",
    "once": "once_via_next",
}


def step_through(it: Any) -> bool:
    """Compute the indicator as its `preonce`, `oncestart` and `once` do, if that is sure; tell so.

    Args:
        it: an indicator whose lines are long enough and at home, as are those of its data.
    """
    cls = type(it)
    if any(getattr(cls, name) is not getattr(bt.Indicator, step) for name, step in _STEPS.items()):
        return False
    lines = _lines(it) if it.buflen() >= it._minperiod else None
    if lines is None:
        return False
    cursor, ride = Cursor(), Ride()
    for data in it.datas:
        if isinstance(data, AbstractDataBase):
            ride.take_feed(data, cursor)
    for line in lines:
        ride.take(line, cursor)
    try:
        _step(it, cursor)
    finally:
        ride.end()
    return True


def _step(it: Any, cursor: Cursor) -> None:
    period = it._minperiod
    for _ in range(period - 1):
        cursor.at += 1
        it.prenext()
    cursor.at += 1
    it.nextstart()
    for _ in range(period, it.buflen()):
        cursor.at += 1
        it.next()


def _lines(it: Any) -> list[Any] | None:
    """All lines that move with the indicator; None where some would move otherwise in stock."""
    lines: list[Any] = []
    for data in it.datas:
        is_feed = type(data).advance is AbstractDataBase.advance
        if not is_feed and (not isinstance(data, LineSeriesStub) or data.slave):
            return None
        lines += data.lines
    moving = {*map(id, it.datas), *map(id, lines)}
    if id(it._clock) not in moving:
        return None
    for part in it._lineiterators[it.IndType]:
        if not _moves(part, moving):
            return None
        own = [part] if isinstance(part, LineBuffer) else list(part.lines)
        moving |= {id(part), *map(id, own)}
        lines += own
    lines += it.lines
    at_home = all(type(line).advance is LineBuffer.advance and not len(line) for line in lines)
    return lines if at_home and len({*map(id, lines)}) == len(lines) else None


def _moves(part: Any, moving: set[int]) -> bool:
    """Tell whether a part moves at every step: by itself, or with a clock that does."""
    if isinstance(part, LineActions):
        return type(part).advance is LineActions.advance
    clock = getattr(part, "_clock", None)
    place = clock.lines[0] if isinstance(clock, LineSeriesStub) else clock
    return type(part).advance is bt.Indicator.advance and id(place) in moving
