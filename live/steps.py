"""A strategy's indicators in one list, stepped through as Backtrader does, with less in between.

Backtrader goes down through its indicators at every bar, several calls for each; with 50 feeds that
is most of the time between a bar and a decision. Here the way is walked once and written down.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from backtrader.linebuffer import LineActions, LineBuffer
from backtrader.lineiterator import LineIterator
from backtrader.lineroot import LineRoot
from backtrader.lineseries import LineSeries

from feeds.late import make_room
from live.abreast import Cell, cell, levels
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
        cell: the same for `live/abreast.py`, where that has the like.
    """

    clock: LineBuffer
    own: LineBuffer
    lines: tuple[LineBuffer, ...]
    minperiod: int
    next: Callable[[], object]
    indicator: Any
    cell: Cell | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it may be taken abreast, if others may: a cell, or a series that only grows."""
        return self.next is _nothing or (self.cell is not None and self.lines == (self.own,))


class Steps:
    """What a bar does to all indicators of a strategy, in Backtrader's order.

    The calls that an indicator may have written itself (next, nextstart, prenext) are made as
    Backtrader makes them. One that overrides more than these is called as a whole.

    Args:
        strategy: started, so that its periods are known.
    """

    def __init__(self, strategy: Any) -> None:
        self._steps = list(_steps(strategy))
        self._feeds = [feed.lines[0] for feed in strategy.datas]
        self._abreast, self._others = _parted(self._steps, strategy)
        self._levels = levels(step.cell for step in self._abreast if step.cell)
        self._next: list[int] = []  # lengths of the feeds at which all levels may be taken

    @property
    def chores(self) -> Iterator[Callable[[], None]]:
        """What to do in a quiet moment, in small parts: lines catch up, and have room."""
        yield from (level.ledger.settle for level in self._levels)
        yield lambda: make_room(line for step in self._others for line in step.lines)

    def take(self) -> None:
        """Go on by what the feeds show now; abreast where every feed has one bar more."""
        lengths = [feed.lencount for feed in self._feeds]
        if lengths == self._next:
            for level in self._levels:
                level.take()
            _take(self._others)
            is_steady = True
        else:
            for level in self._levels:
                level.ledger.close()
            _take(self._steps)
            is_steady = all(map(_is_steady, self._abreast))
        self._next = [length + 1 for length in lengths] if is_steady else []


def _take(steps: Iterable[_Step]) -> None:
    """Go on one by one."""
    for clock, own, lines, minperiod, compute, indicator, _ in steps:
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


def _is_steady(step: _Step) -> bool:
    """Whether it is past its first value, level with its clock, and all it reads has that end."""
    lines = (*step.lines, *(step.cell.sources if step.cell else ()))
    return step.own.lencount == step.clock.lencount >= step.minperiod and all(
        line._idx + 1 == line.lencount == len(line.array) for line in lines
    )


def _parted(steps: Sequence[_Step], strategy: Any) -> tuple[list[_Step], list[_Step]]:
    """The steps that may be taken abreast, and all others.

    Abreast are cells that read feeds or earlier such cells, and the series that do no more than
    grow by what these give them; the clock of each is a feed, or a line of such a step.
    """
    feeds = {id(line) for feed in strategy.datas for line in feed.lines}
    bound = Counter(id(to) for step in steps for line in step.lines for to in line.bindings)
    able = [
        step for step in steps if step.is_plain and all(bound[id(own)] < 2 for own in step.lines)
    ]
    while True:
        kept = _kept(able, feeds)
        if len(kept) == len(able):
            break
        able = kept
    chosen = {id(step) for step in able}
    return able, [step for step in steps if id(step) not in chosen]


def _kept(able: Sequence[_Step], feeds: Collection[int]) -> list[_Step]:
    """Those of some steps that may be taken abreast if all of them may."""
    grown = {id(line) for step in able for line in step.lines}
    given = {id(line) for step in able if step.cell for line in step.cell.written}
    kept, ready = [], set(feeds)
    for step in able:
        sources, written = (step.cell.sources, step.cell.written) if step.cell else ((), ())
        is_fed = ready.issuperset(map(id, sources))
        is_whole = given.issuperset(map(id, step.lines)) and grown.issuperset(map(id, written))
        if is_fed and is_whole and id(step.clock) in grown.union(feeds):
            kept.append(step)
            ready.update(map(id, written))
    return kept


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
            compute, same = direct(indicator), cell(indicator)
            yield _Step(clock, own, lines, indicator._minperiod, compute, indicator, same)


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
