"""Bars into a feed's lines all at once, where stock takes them one by one."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import backtrader as bt
import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.turbo.explain import FEED, Explanation
from feeds.frames import FrameFeed, to_num

_Floats = npt.NDArray[np.float64]
_NUMBERS = tuple(np.dtype(code) for code in "fdbhilqBHILQ")
_EARLIEST, _LATEST = 1678, 2261  # years that nanoseconds can count


@contextmanager
def loads_at_once(datas: Sequence[Any], explanation: Explanation) -> Iterator[None]:
    """Let every feed that can fill its lines at once do so for as long as the block lasts."""
    changed = [data for data in datas if "preload" not in vars(data)]
    for data in changed:
        data.preload = lambda data=data: _preload(data, explanation)
    try:
        yield
    finally:
        for data in changed:
            del data.preload


def _preload(data: Any, explanation: Explanation) -> None:
    """What ``data.preload()`` does, at once or, for a reason that is noted, bar by bar."""
    reason = _reason(data)
    columns: dict[str, _Floats] | str = {}
    if not reason and not isinstance(data, FrameFeed):
        columns = _columns(data)
        reason = columns if isinstance(columns, str) else ""
    explanation.note(FEED, data._name, reason)
    if isinstance(columns, str) or not columns:
        type(data).preload(data)
        return
    _fill(data, columns)


def _reason(data: Any) -> str:
    """Why the feed has to go bar by bar; empty when it has not."""
    return next(_reasons(data), "")


def _reasons(data: Any) -> Iterator[str]:
    cls = type(data)
    known = next((it for it in (bt.feeds.PandasData, FrameFeed) if isinstance(data, it)), None)
    if known is None:
        yield f"{cls.__name__} has its bars from elsewhere"
        return
    internals = ("preload", "load", "_load", "start", "forward", "backwards", "_fromstack", "_last")
    for name in internals:
        if getattr(cls, name) is not getattr(known, name):
            yield f"{cls.__name__} has its own {name}"
    if data._filters or data._ffilters or data._tzinput:
        yield "a filter or an input zone looks at each bar"
    if isinstance(data, FrameFeed) and not _is_whole(data):
        yield "a range of dates looks at each bar"
    if any(line.mode != line.UnBounded or line.bindings for line in data.lines):
        yield "its lines are bound or bounded"
    if data.lines.fullsize() != len(data.getlinealiases()):
        yield "it has lines without a name"


def _is_whole(data: Any) -> bool:
    return bool(data.fromdate == float("-inf") and data.todate == float("inf"))


def _columns(data: Any) -> dict[str, _Floats] | str:
    """Values by line of a PandasData, or the reason why they cannot be had at once."""
    frame, places = data.p.dataname, data._colmapping
    place = places["datetime"]
    times = frame.index if place is None else frame.iloc[:, place]
    numbers = _numbers(times)
    if isinstance(numbers, str):
        return numbers
    columns = {"datetime": numbers}
    for alias in data.getlinealiases():
        place = places[alias]
        if alias == "datetime" or place is None:
            continue
        values = frame.iloc[:, place]
        if values.ndim != 1 or values.dtype not in _NUMBERS:
            return f"its {alias} is no plain column of numbers"
        columns[alias] = values.to_numpy(dtype=np.float64)
    return columns


def _numbers(times: Any) -> _Floats | str:
    """Backtrader's date numbers, as date2num gives them one by one."""
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        return "its times are no timestamps"
    instants = pd.DatetimeIndex(times)
    if instants.hasnans:
        return "a time is missing"
    if len(instants) and not _EARLIEST <= instants.min().year <= instants.max().year <= _LATEST:
        return "its times are beyond nanoseconds"
    if instants.unit == "ns" and (instants.asi8 % 1000).any():
        return "its times are finer than a microsecond"
    return to_num(instants)


def _fill(data: Any, columns: dict[str, _Floats]) -> None:
    """Leave the feed as stock's preload does: lines filled, at home, its source exhausted."""
    numbers = columns["datetime"]
    beyond = np.flatnonzero(numbers > data.todate)
    end = int(beyond[0]) if len(beyond) else len(numbers)
    kept = numbers[:end] >= data.fromdate
    rows = int(kept.sum())
    missing = array("d", [float("nan")]) * rows
    for alias, line in zip(data.getlinealiases(), data.lines, strict=True):
        values = columns.get(alias)
        whole = missing if values is None else array("d", values[:end][kept].tobytes())
        line.array[0:0] = whole
    data._idx = end  # PandasData's own count of the rows it has read
    data._last()
    data.home()
