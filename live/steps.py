"""A strategy's indicators in one list, stepped through as Backtrader does, with less in between.

Backtrader goes down through its indicators at every bar, several calls for each; with 50 feeds that
is most of the time between a bar and a decision. Here the way is walked once and written down.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from backtrader.linebuffer import LineActions, LineBuffer
from backtrader.lineiterator import LineIterator
from backtrader.lineroot import LineRoot
from backtrader.lineseries import LineSeries

from live.direct import direct

_ALWAYS = -1


class _Step(NamedTuple):
    """One indicator's part of a bar.

    Args:
        clock: the line whose length says that there is a new bar.
        own: the first of the indicator's lines.
        lines: all that grow by a value.
        minperiod: length of the clock at which the indicator begins.
        next: computes a value, once the clock is longer than that.
    """

    clock: LineBuffer
    own: LineBuffer
    lines: tuple[LineBuffer, ...]
    minperiod: int
    next: Callable[[], object]
    indicator: Any


class Steps:
    """What a bar does to all indicators of a strategy, in Backtrader's order.

    The calls that an indicator may have written itself (next, nextstart, prenext) are made as
    Backtrader makes them. One that overrides more than these is called as a whole.

    Args:
        strategy: started, so that its periods are known.
    """

    def __init__(self, strategy: Any) -> None:
        self._steps = list(_steps(strategy))

    def take(self) -> None:
        """Go on by what the feeds show now."""
        for clock, own, lines, minperiod, compute, indicator in self._steps:
            length = clock.lencount
            if length != own.lencount:
                for line in lines:  # LineBuffer.forward, without its calls
                    line._idx += 1
                    line.lencount += 1
                    line.array.append(math.nan)
            if length > minperiod:
                compute()
            elif length == minperiod:
                indicator.nextstart()
            elif length:
                indicator.prenext()


def _steps(owner: Any) -> Iterator[_Step]:
    for indicator in owner._lineiterators[LineIterator.IndType]:
        clock, own = _first(indicator._clock), _first(indicator)
        if not _is_ordinary(indicator):
            yield _Step(clock, clock, (), _ALWAYS, indicator._next, indicator)
            continue
        lines = (own,) if isinstance(indicator, LineActions) else tuple(indicator.lines)
        inner = () if isinstance(indicator, LineActions) else tuple(_steps(indicator))
        if inner:  # its lines grow before those inside it, and its values come after theirs
            yield _Step(clock, own, lines, _ALWAYS, _nothing, indicator)
            yield from inner
            lines = ()
        if lines or _computes(indicator):
            yield _Step(clock, own, lines, indicator._minperiod, direct(indicator), indicator)


def _is_ordinary(indicator: Any) -> bool:
    """Whether it is stepped as Backtrader's own are; what it computes is its own affair."""
    kind = type(indicator)
    if isinstance(indicator, LineActions):
        stock: tuple[Any, ...] = (LineActions._next, LineBuffer.forward, LineRoot.prenext)
        return (kind._next, kind.forward, kind.prenext) == stock
    stock = (LineIterator._next, LineIterator._clk_update, LineIterator._notify, LineSeries.forward)
    return (kind._next, kind._clk_update, kind._notify, kind.forward) == stock


def _computes(indicator: Any) -> bool:
    """Whether it does anything itself, beside what those inside it do."""
    kind = type(indicator)
    nothing = (LineIterator.next, LineIterator.nextstart, LineIterator.prenext)
    return (kind.next, kind.nextstart, kind.prenext) != nothing


def _first(line: Any) -> LineBuffer:
    """The line that tells how long a line or a series of lines is."""
    return line if isinstance(line, LineBuffer) else line.lines[0]


def _nothing() -> None:
    """Compute nothing: those inside come first."""
