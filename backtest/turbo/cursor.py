"""One position shared by all lines that move together, in place of one in every line.

For the length of a run each line has a faster class, made from its own, whose position is the
cursor's: what moved dozens of lines moves one number. Lines keep their identity, and afterwards
have their own class back and the position in which stock leaves them.
"""

from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import backtrader as bt

_TICK = "tick_"
_BY_FIRST = ("__getitem__", "__len__")


class Cursor:
    """The index of the present bar; -1 before the first."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = -1


class Leader(Cursor):
    """A cursor that takes others along.

    Args:
        sets: which others it moves at each of its steps.
    """

    __slots__ = ("_now", "_sets")

    def __init__(self, sets: Sequence[tuple[Cursor, ...]]) -> None:
        self._now, self._sets = -1, sets

    @property
    def at(self) -> int:
        """The index of the present bar; -1 before the first."""
        return self._now

    @at.setter
    def at(self, index: int) -> None:
        self._now = index
        for cursor in self._sets[index]:
            cursor.at += 1


class Behind:
    """A cursor that follows another at a distance of `bars`."""

    __slots__ = ("_ahead", "bars")

    def __init__(self, ahead: Cursor) -> None:
        self._ahead = ahead
        self.bars = 1

    @property
    def at(self) -> int:
        """The index of its bar; -1 before the first."""
        return max(self._ahead.at - self.bars, -1)


class OnCursor:
    """Mixed into a line's class: its position is the cursor's.

    Whoever moves such a line by hand takes the whole run off its cursors; it goes on as stock.
    """

    _cursor: Cursor | Behind
    _ride: "Ride"
    array: Any
    bindings: list[Any]

    def __getitem__(self, ago: int) -> Any:
        return self.array[self._cursor.at + ago]

    def __setitem__(self, ago: int, value: Any) -> None:
        self.array[self._cursor.at + ago] = value
        for binding in self.bindings:
            binding[ago] = value

    def __len__(self) -> int:
        return self._cursor.at + 1

    def get(self, ago: int = 0, size: int = 1) -> Any:
        """The `size` values up to the one `ago`, oldest first."""
        end = self._cursor.at + ago + 1
        return self.array[end - size : end]

    @property
    def idx(self) -> int:
        """The index of the present bar."""
        return self._cursor.at

    @idx.setter
    def idx(self, index: int) -> None:
        self._ride.end()
        self.idx = index  # the line's own property again

    _idx = idx

    @property
    def lencount(self) -> int:
        """How many bars there have been."""
        return self._cursor.at + 1

    @lencount.setter
    def lencount(self, count: int) -> None:
        self._ride.end()
        self.lencount = count


class OnTimes(OnCursor):
    """Mixed into the class of a line known beforehand: it grows up to its bar when it is read."""

    _times: "array[float]"

    @property
    def array(self) -> Any:
        """The values so far."""
        own, count = self.__dict__["array"], self._cursor.at + 1
        if len(own) < count:
            own.extend(self._times[len(own) : count])
        return own

    @array.setter
    def array(self, values: Any) -> None:
        self.__dict__["array"] = values


class ByFirstLine:
    """Mixed into the class of a feed or an indicator: it is its first line, without a detour."""

    _first: Any

    def __getitem__(self, ago: int) -> Any:
        line = self._first
        return line.array[line._cursor.at + ago]

    def __len__(self) -> int:
        at: int = self._first._cursor.at
        return at + 1


class WithTicks:
    """Mixed into the class of a feed's lines: Backtrader's tick_close and so on, when read."""

    def __getattr__(self, name: str) -> Any:
        lines: Any = self
        alias = "close" if name == "tick_last" else name.removeprefix(_TICK)
        if alias in {name, "datetime"} or alias not in lines.getlinealiases() or not len(lines):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(lines, alias)[0] if len(lines) < lines.buflen() else None


class Ride:
    """All that rides on cursors in one run, until `end`."""

    def __init__(self) -> None:
        self.has_ended = False
        self._own_classes: list[tuple[Any, type]] = []
        self._named: list[tuple[Any, str, Any]] = []
        self._feeds: list[bt.AbstractDataBase] = []
        self._before_end: list[Callable[[], object]] = []

    def take(self, line: Any, cursor: Cursor | Behind, mixin: type = OnCursor) -> None:
        """Put one line on a cursor; a line that is on one already stays there."""
        if "_cursor" not in vars(line):
            line._cursor, line._ride = cursor, self
            self._change(line, mixin)

    def take_feed(self, data: Any, cursor: Cursor) -> None:
        """Put all lines of a feed on a cursor."""
        for name in [name for name in vars(data) if name.startswith(_TICK)]:
            delattr(data, name)
        for line in data.lines:
            self.take(line, cursor)
        self.take_series(data)
        self._change(data.lines, WithTicks)
        self._feeds.append(data)

    def take_series(self, it: Any) -> None:
        """Let a feed or an indicator, whose lines are on the ride, find them without a search.

        Backtrader's search by name, which fails in the class and in the object first, costs more
        than all the rest of a read.
        """
        for alias, line in zip(it.getlinealiases(), it.lines, strict=False):
            if alias not in vars(it) and not hasattr(type(it), alias):
                self._name(it, alias, line)
        if all(getattr(type(it), name) is getattr(bt.LineSeries, name) for name in _BY_FIRST):
            self._name(it, "_first", it.lines[0])
            self._change(it, ByFirstLine)

    def _name(self, it: Any, name: str, line: Any) -> None:
        vars(it)[name] = line
        self._named.append((it, name, line))

    def take_times(self, line: Any, cursor: Cursor, times: "array[float]") -> None:
        """Put a line on a cursor that will be given these values, one at each bar."""
        self._name(line, "_times", times)
        self.take(line, cursor, OnTimes)
        self.before_end(lambda: line.array)

    def before_end(self, act: Callable[[], object]) -> None:
        """Have something done while everything still rides."""
        self._before_end.append(act)

    def end(self) -> None:
        """Give everything its own class back, and the position that it has come to."""
        if self.has_ended:
            return
        self.has_ended = True
        for act in self._before_end:
            act()
        for it, alias, line in self._named:
            if vars(it).get(alias) is line:
                del vars(it)[alias]
        for it, own_class in self._own_classes:
            it.__class__ = own_class
            if "_cursor" in vars(it):
                del it._ride
                index = vars(it).pop("_cursor").at
                it._idx, it.lencount = index, index + 1
        for data in self._feeds:
            _leave_ticks(data)

    def _change(self, it: Any, mixin: type) -> None:
        self._own_classes.append((it, type(it)))
        own_class: Any = type(it)
        it.__class__ = _mixed(mixin, own_class)


def _leave_ticks(data: Any) -> None:
    """The tick prices as stock's last `advance` leaves them: none at a feed's last bar."""
    if len(data):
        data._tick_nullify()
        if len(data) < data.buflen():
            data._tick_fill()


@lru_cache(maxsize=256)
def _mixed(mixin: Any, own_class: Any) -> type:
    """A class as its own, and faster; made past Backtrader's metaclasses, which keep registers."""
    members = {"__module__": own_class.__module__, "__qualname__": own_class.__qualname__}
    made: type = type.__new__(type(own_class), own_class.__name__, (mixin, own_class), members)
    return made
