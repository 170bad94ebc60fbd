"""What the account was worth at every turn, worked out for many turns at a time.

Between two changes of the account its value follows from the closes alone, with the arithmetic of
BackBroker._get_value. So a turn without a change costs nothing until somebody asks.
"""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from backtrader.comminfo import CommInfoBase

from backtest.turbo.schedule import Schedule

_Floats = npt.NDArray[np.float64]
_Held = tuple[Any, Any, float, float]  # feed, commission scheme, signed units, price
_ARITHMETIC = ("getvaluesize", "profitandloss", "get_leverage", "get_margin")
_FEW = 2  # turns that are sooner worked out one by one


class Valuation:
    """Value and cash at the end of every turn of a run.

    Args:
        broker: a LeanBroker: it appraises itself before anything that decides its value changes.
        schedule: which bar of a feed is the present one at a turn.
        datas: the feeds in the schedule's order.
    """

    def __init__(self, broker: Any, schedule: Schedule, datas: Sequence[Any]) -> None:
        self.turns = 0  # that are over
        self._broker, self._own, self._schedule = broker, vars(broker), schedule
        self._numbers = {data: number for number, data in enumerate(datas)}
        self._closes = [data.lines.close for data in datas]
        self._bars: dict[int, Any] = {}
        self._schemes: dict[Any, Any] = {}
        self._steady = all(np.isfinite(np.frombuffer(line.array)).all() for line in self._closes)
        self._values, self._cash = array("d"), array("d")
        self._known: Any = None  # cash; the very object, for every change makes another
        self._plain = False
        self._changes: list[tuple[int, float, list[_Held]]] = []  # from which turn on
        self._told: dict[int, float] = {}  # values that do not follow, by turn

    def note(self) -> None:
        """Take a turn down when it is over."""
        own = self._own
        if not (self._plain and own["_unvalued"] and own["cash"] is self._known):
            self._record()
        self.turns += 1

    def until_now(self) -> tuple["array[float]", "array[float]"]:
        """Value and cash at the end of each turn so far; grown, not to be changed."""
        first, turns = len(self._values), self.turns
        if first < turns:
            if turns - first <= _FEW and self._changes[-1][0] <= first:
                self._step(turns)
            else:
                self._leap(first, turns)
            self._changes = self._changes[-1:]
            self._told.clear()
        return self._values, self._cash

    def _record(self) -> None:
        """What decides the account's value from this turn on, or its value if nothing does."""
        broker, cash = self._broker, self._own["cash"]
        held = [
            (data, broker.getcommissioninfo(data), position.size, position.price)
            for data, position in broker.positions.items()
            if position.size
        ]
        moves = broker.comminfo.moves_cash or broker._cash_addition or not broker.p.shortcash
        self._plain = self._steady and not moves and all(map(self._follows, held))
        if not (self._plain and self._own["_unvalued"]):
            self._told[self.turns] = broker.getvalue()
        self._known = cash
        self._changes.append((self.turns, cash, held if self._plain else []))

    def _follows(self, held: _Held) -> bool:
        """Tell whether the value of a position follows from the close by Backtrader's own sums."""
        data, scheme, size, price = held
        if self._schemes.get(data) is not scheme:
            known = [
                getattr(getattr(scheme, name), "__func__", None)
                for name in _ARITHMETIC
                if name not in vars(scheme)
            ]
            if known != [getattr(CommInfoBase, name) for name in _ARITHMETIC]:
                return False
            self.until_now()  # with the scheme that was
            self._schemes[data] = scheme
        return data in self._numbers and {type(size), type(price)} <= {int, float}

    def _step(self, turns: int) -> None:
        """Work out some turns one by one."""
        _, cash, held = self._changes[-1]
        for turn in range(len(self._values), turns):
            total = 0.0
            for data, scheme, size, price in held:
                number = self._numbers[data]
                close = self._closes[number].array[self._bar(number)[turn]]
                value, gain = (
                    scheme.getvaluesize(size, close),
                    scheme.profitandloss(size, price, close),
                )
                if value > 0:
                    total += (value - gain) / scheme.get_leverage()
                    total += gain
                else:
                    total += value
            self._values.append(self._told.get(turn, cash + total))
            self._cash.append(cash)

    def _leap(self, first: int, turns: int) -> None:
        """Work out many turns at once; what is not held adds nothing, to the bit."""
        changes = self._changes
        starts = np.array([max(start, first) for start, _, _ in changes] + [turns])
        lengths = np.diff(starts)
        cash = np.repeat([money for _, money, _ in changes], lengths)
        held: dict[Any, _Floats] = {}
        for row, (_, _, positions) in enumerate(changes):
            for data, _, size, price in positions:
                if data not in held:
                    held[data] = np.zeros((2, len(changes)))
                held[data][:, row] = size, price
        total = np.zeros(turns - first)
        for data in self._broker.positions:  # stock's own order: it decides the last bit
            if data in held:
                sizes, prices = np.repeat(held[data], lengths, axis=1)
                self._add(total, data, slice(first, turns), sizes, prices)
        values = cash + total
        for turn, value in self._told.items():
            values[turn - first] = value
        self._values.frombytes(values.tobytes())
        self._cash.frombytes(cash.tobytes())

    def _add(self, total: _Floats, data: Any, span: slice, sizes: _Floats, prices: _Floats) -> None:
        number, scheme = self._numbers[data], self._schemes[data]
        closes = np.frombuffer(self._closes[number].array)[self._bar(number)[span]]
        values, gains = (
            scheme.getvaluesize(sizes, closes),
            scheme.profitandloss(sizes, prices, closes),
        )
        longs = values > 0
        total += np.where(longs, (values - gains) / scheme.get_leverage(), values)
        total += np.where(longs, gains, 0.0)

    def _bar(self, number: int) -> Any:
        """The row of a feed's present bar at each turn."""
        if number not in self._bars:
            calendar, times = self._schedule.calendars[number], self._schedule.times
            self._bars[number] = np.searchsorted(calendar, times, side="right") - 1
        return self._bars[number]
