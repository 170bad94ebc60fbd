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
_PLAIN = ("getvaluesize", "profitandloss", "get_leverage", "get_margin")


class Valuation:
    """Value and cash at the end of every turn of a run.

    Args:
        broker: a LeanBroker: it appraises itself before anything that decides its value changes.
        schedule: which bar of a feed is the present one at a turn.
        datas: the feeds in the schedule's order.
    """

    def __init__(self, broker: Any, schedule: Schedule, datas: Sequence[Any]) -> None:
        self._broker = broker
        closes = [data.lines.close for data in datas]
        self._closes = dict(zip(datas, zip(closes, schedule.calendars, strict=True), strict=True))
        self._times = schedule.times
        self._steady = all(np.isfinite(np.frombuffer(close.array)).all() for close in closes)
        self._values, self._cash = array("d"), array("d")
        self._turns = 0
        self._known_cash: Any = None  # the very object, for every change makes another
        self._held: list[tuple[Any, Any, float, float]] | None = None

    def note(self) -> None:
        """Take a turn down when it is over."""
        self._turns += 1
        own = self._broker.__dict__
        if self._held is None or not own["_unvalued"] or own["cash"] is not self._known_cash:
            self._record()

    @property
    def turns(self) -> int:
        """How many turns are over."""
        return self._turns

    def until_now(self) -> tuple["array[float]", "array[float]"]:
        """Value and cash at the end of each turn so far; grown, not to be changed."""
        self._catch_up(self._turns)
        return self._values, self._cash

    def _record(self) -> None:
        """The account as it is at this turn, and what decides its value from here on."""
        self._catch_up(self._turns - 1)
        broker = self._broker
        self._values.append(broker.getvalue())
        self._cash.append(broker.cash)
        self._known_cash = broker.cash
        held = [
            (data, broker.getcommissioninfo(data), position.size, position.price)
            for data, position in broker.positions.items()
            if position.size
        ]
        moves = broker.comminfo.moves_cash or broker._cash_addition or not broker.p.shortcash
        plain = self._steady and not moves and all(map(self._is_plain, held))
        self._held = held if plain else None

    def _is_plain(self, held: tuple[Any, Any, Any, Any]) -> bool:
        data, scheme, size, price = held
        return (
            data in self._closes
            and type(size) in {int, float}
            and type(price) in {int, float}
            and all(getattr(type(scheme), name) is getattr(CommInfoBase, name) for name in _PLAIN)
            and not any(name in vars(scheme) for name in _PLAIN)
        )

    def _catch_up(self, turns: int) -> None:
        """Work out the turns that only took time."""
        first = len(self._values)
        if first >= turns:
            return
        cash = self._known_cash
        worth = self._worth(first, turns)
        self._values.frombytes((cash + worth).tobytes())
        self._cash.extend(array("d", [cash]) * (turns - first))

    def _worth(self, first: int, turns: int) -> _Floats:
        """What is held was worth at the turns from `first` on, less what is borrowed for it."""
        total = np.zeros(turns - first)
        for data, scheme, size, price in self._held or ():
            line, calendar = self._closes[data]
            bars = np.searchsorted(calendar, self._times[first:turns], side="right") - 1
            closes = np.frombuffer(line.array)[bars]
            value = scheme.getvaluesize(size, closes)
            gain = scheme.profitandloss(size, price, closes)
            total += np.where(value > 0, (value - gain) / scheme.get_leverage(), value)
            total += np.where(value > 0, gain, 0.0)
        return total
