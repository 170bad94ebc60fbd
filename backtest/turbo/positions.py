"""A position that is told the time and the price of a bar only when somebody looks."""

from typing import Any, SupportsIndex

import backtrader as bt
from backtrader.position import Position as StockPosition


class Position(StockPosition):
    """Backtrader's Position for the length of a run; `datetime` and `adjbase` come when read.

    Its broker marks it with the clock and the number of a bar; the instant is made of them here.
    """

    broker: Any

    def __bool__(self) -> bool:
        return True if self.size else False  # noqa: SIM210  every bar asks: bool() would be a call

    def mark(self, clock: Any, number: float, close: float) -> None:
        """What the end of a turn of BackBroker writes on a position that is held."""
        own = self.__dict__
        own["datetime"] = (clock, number)
        own["adjbase"] = close

    @property
    def datetime(self) -> Any:
        """The feed's instant at the last turn in which it was held or changed."""
        self.broker.mark()
        own = self.__dict__
        try:
            at = own["datetime"]
        except KeyError:
            raise AttributeError("datetime") from None
        if type(at) is tuple:
            clock, number = at
            at = own["datetime"] = bt.num2date(number, tz=clock._tz)
        return at

    @datetime.setter
    def datetime(self, at: Any) -> None:
        self.__dict__["datetime"] = at

    @property
    def adjbase(self) -> float | None:
        """The price up to which cash has been adjusted for it."""
        self.broker.mark()
        base: float | None = self.__dict__["adjbase"]
        return base

    @adjbase.setter
    def adjbase(self, price: float | None) -> None:
        self.__dict__["adjbase"] = price

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """A copy is Backtrader's own."""
        state = {name: value for name, value in vars(self).items() if name != "broker"}
        state["adjbase"] = self.adjbase
        if "datetime" in state:
            state["datetime"] = self.datetime
        return StockPosition, (), state

    def restore(self) -> None:
        """Become Backtrader's own again."""
        if "datetime" in vars(self):
            self.__dict__["datetime"] = self.datetime
        del self.broker
        self.__class__ = StockPosition


def lean_position(position: StockPosition, broker: Any) -> Position:
    """The same object for the length of a run; `broker.mark()` brings all of its marks up."""
    position.__class__ = Position
    position.broker = broker
    lean: Position = position
    return lean
