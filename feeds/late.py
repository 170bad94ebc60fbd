"""Lines that grow when they are read, or when there is time.

At each bar hundreds of lines would grow by a value, while orders wait; most are read by nobody in
that bar. Each has a class made from its own meanwhile, which catches up before it shows anything.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from backtrader.linebuffer import LineBuffer

MOST = 32  # bars that lines are behind at most: catching up takes time


class Ledger:
    """What some lines are owed: a row of values for each bar that not all of them have taken.

    Args:
        lines: those that grow together, each with its place in the rows.
    """

    def __init__(self, lines: Sequence[tuple[LineBuffer, int]]) -> None:
        self.rows: list[Sequence[float]] = []  # the newest last; some that all have taken are kept
        self.bars = 0  # of all time
        self._kept = self._owed = 0
        kinds: list[Any] = [type(line) for line, _ in lines]
        self._lines = [
            (line, place, kind, _late(kind))
            for (line, place), kind in zip(lines, kinds, strict=True)
        ]
        self._is_open = False

    def keep(self, count: int) -> None:
        """Have `rows` hold so many, as soon as there were so many since somebody set a value."""
        self._kept = max(self._kept, count)

    def owe(self, row: Sequence[float]) -> None:
        """Let each line be longer by its value in a row; nobody else may make them longer."""
        if not self._is_open:
            self._open()
        elif self._owed == MOST:
            self.settle()
        self.rows.append(row)
        self.bars += 1
        self._owed += 1

    def settle(self) -> None:
        """Let all lines grow by what they are owed, and have room for the next value.

        Lines of one length would all move to larger places on the same bar.
        """
        if self._owed or not self._is_open:
            make_room(line for line, _, _, _ in self._lines)
            del self.rows[: -self._kept or None]
            self._owed = 0

    def forget(self) -> None:
        """Settle, and keep no row: what was in them may change."""
        self.settle()
        self.rows.clear()

    def close(self) -> None:
        """Let the lines be as Backtrader made them, until something is owed again."""
        if self._is_open:
            self.forget()
            for line, _, kind, _ in self._lines:
                line.__class__ = kind
            self._is_open = False

    def _open(self) -> None:
        for line, place, _, kind in self._lines:
            vars(line).update(_ledger=self, _place=place, _taken=self.bars)
            line.__class__ = kind
        self._is_open = True


def is_readable(line: LineBuffer) -> bool:
    """Whether it is read and set as every line is, so that it may be owed values."""
    kind, names = type(line), ("__getitem__", "__setitem__", "__len__", "set", "get")
    return all(getattr(kind, name) is getattr(LineBuffer, name) for name in names)


def make_room(lines: Iterable[LineBuffer]) -> None:
    """Let lines catch up, and have room for the next value."""
    for line in lines:
        values = line.array
        values.append(0.0)
        values.pop()


@cache
def _late(kind: Any) -> Any:
    """Lines' class while they are owed values; made past Backtrader's metaclasses' registers."""
    members = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type.__new__(type(kind), kind.__name__, (_Late, kind), members)


class _Late(LineBuffer):
    """Mixed into a line's class: whoever asks for its values or its length lets it catch up."""

    _ledger: Ledger

    def _up(self) -> dict[str, Any]:
        """Its attributes, up to date."""
        own = self.__dict__
        ledger = own["_ledger"]
        behind = ledger.bars - own["_taken"]
        if behind:
            place = own["_place"]
            own["array"].extend([row[place] for row in ledger.rows[-behind:]])
            own["_idx"] += behind
            own["lencount"] += behind
            own["_taken"] = ledger.bars
        return own

    def __getitem__(self, ago: int) -> Any:
        own = self.__dict__
        ledger = own["_ledger"]
        if ago == 0 and ledger.bars != own["_taken"]:
            return ledger.rows[-1][own["_place"]]
        own = self._up()
        return own["array"][own["_idx"] + ago]

    def __setitem__(self, ago: int, value: Any) -> None:
        self._ledger.forget()
        super().__setitem__(ago, value)

    def set(self, value: Any, ago: int = 0) -> None:
        """Set a value, and those of the lines bound to it."""
        self._ledger.forget()
        super().set(value, ago)

    def __len__(self) -> int:
        return self._up()["lencount"]  # type: ignore[no-any-return]

    @property
    def array(self) -> Any:
        """The values so far."""
        return self._up()["array"]

    @array.setter
    def array(self, values: Any) -> None:
        self._up()["array"] = values

    @property
    def _idx(self) -> int:
        return self._up()["_idx"]  # type: ignore[no-any-return]

    @_idx.setter
    def _idx(self, index: int) -> None:
        self._up()["_idx"] = index

    @property
    def lencount(self) -> int:
        """How many bars there have been."""
        return self._up()["lencount"]  # type: ignore[no-any-return]

    @lencount.setter
    def lencount(self, count: int) -> None:
        self._up()["lencount"] = count
