"""Every indicator of a strategy over all bars, before the first of them is played."""

from array import array
from itertools import chain
from typing import Any

import backtrader as bt
import numpy as np
from backtrader.linebuffer import LineActions, LineBuffer
from backtrader.lineiterator import LineIterator
from backtrader.lineseries import LineSeries

from backtest.turbo.explain import INDICATOR, Explanation
from backtest.turbo.stepping import step_through
from backtest.turbo.vectors import vector_of


def compute(it: Any, explanation: Explanation) -> None:
    """Do what ``it._once()`` does, vectorised where the result is the same."""
    own = type(it)._once
    if own is LineActions._once and "_once" not in vars(it):
        _lengthen([it], it._clock.buflen())
        it.home()
        _fill(it, it.buflen(), explanation)
        it.oncebinding()
    elif own is LineIterator._once and "_once" not in vars(it):
        _compute_all(it, explanation)
    else:
        explanation.note(INDICATOR, type(it).__name__, "it has its own _once")
        it._once()


def _compute_all(it: Any, explanation: Explanation) -> None:
    """LineIterator._once, line by line."""
    if type(it).forward is LineSeries.forward:
        _lengthen(it.lines, it._clock.buflen())
    else:
        it.forward(size=it._clock.buflen())
    for indicator in it._lineiterators[it.IndType]:
        compute(indicator, explanation)
    for observer in it._lineiterators[it.ObsType]:
        _lengthen(observer.lines, it.buflen())
    indicators, observers = (it._lineiterators[kind] for kind in (it.IndType, it.ObsType))
    for moved in chain(it.datas, indicators, observers):
        moved.home()
    it.home()
    _fill(it, it.buflen(), explanation)
    for line in it.lines:
        line.oncebinding()


def _fill(it: Any, end: int, explanation: Explanation) -> None:
    """The values of one line, or whatever a class computes for itself."""
    if isinstance(it, bt.Indicator) and step_through(it):
        explanation.note(INDICATOR, type(it).__name__)
        return
    period = it._minperiod
    it.preonce(0, period - 1)
    it.oncestart(period - 1, period)
    vector, values = vector_of(it), None
    if vector is not None and period < end:
        with np.errstate(all="ignore"):  # Python's floats overflow and divide in silence, too
            values = vector(it, period, end)
    if values is None:
        it.once(period, end)
        if type(it).once is not LineIterator.once and period < end:
            explanation.note(INDICATOR, type(it).__name__, _reason(it, vector is not None))
        return
    explanation.note(INDICATOR, type(it).__name__)
    line = it if isinstance(it, LineBuffer) else it.line
    if isinstance(values, np.ndarray):
        np.frombuffer(line.array)[period:end] = values
    else:
        line.array[period:end] = array("d", values)


def _reason(it: Any, has_vector: bool) -> str:
    if has_vector:
        return "the values or operands at hand need its own arithmetic"
    via_next = type(it).once is getattr(type(it), "once_via_next", None)
    return "it goes bar by bar, by next()" if via_next else "it has its own once()"


def _lengthen(lines: Any, size: int) -> None:
    """``forward(size=size)``, all at once."""
    for line in lines:
        if type(line).forward is LineBuffer.forward and not line.mode:
            line.array.extend(array("d", [float("nan")]) * size)
            line._idx += size
            line.lencount += size
        else:
            line.forward(size=size)
