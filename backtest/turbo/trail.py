"""Backtrader's default observers, a turn behind the strategy and filled in when somebody looks.

Cash and value follow from the valuation; what marks orders and trades has nothing to do at a turn
without any. In stock an observer moves after the strategy: for the strategy it is a turn late.
"""

import math
from array import array
from typing import Any

from backtrader import observers as stock

from backtest.turbo.cursor import Behind, OnCursor, Ride
from backtest.turbo.schedule import Schedule
from backtest.turbo.valuation import Valuation

_ACCOUNT = (stock.Broker, stock.CashValue, stock.Cash, stock.Value)
_OF_TRADES = (stock.Trades, stock.DataTrades)
_KNOWN = {*_ACCOUNT, stock.BuySell, *_OF_TRADES}


class OnTrail(OnCursor):
    """Mixed into the class of an observer's lines: filled in before anybody reads them."""

    _trail: "Trail"

    @property
    def array(self) -> Any:
        """The values so far."""
        self._trail.catch_up()
        return self.__dict__["array"]

    @array.setter
    def array(self, values: Any) -> None:
        self.__dict__["array"] = values


class Trail:
    """All observers of a run.

    Args:
        valuation: told of every turn before this one is.
    """

    def __init__(self, strategy: Any, schedule: Schedule, valuation: Valuation) -> None:
        observers = strategy.getobservers()
        self._account = [one for one in observers if isinstance(one, _ACCOUNT)]
        self._fills = {one: 0 for one in observers if isinstance(one, stock.BuySell)}
        self._trades = [one for one in observers if isinstance(one, _OF_TRADES)]
        self._strategy, self._valuation = strategy, valuation
        self._turn, self._behind = schedule.turn, Behind(schedule.turn)
        self._lines = [line for one in observers for line in one.lines]
        self._turns, self._filled = len(schedule.times), 0

    @staticmethod
    def can_follow(strategy: Any) -> bool:
        """Tell whether all observers are such that nobody sees a difference."""
        return all(
            type(one) in _KNOWN
            and not getattr(one, "_fundmode", False)
            and not one._analyzers
            and not {"next", "prenext", "nextstart"} & vars(one).keys()
            for one in strategy.getobservers()
        )

    def board(self, ride: Ride) -> None:
        """Put the observers' lines behind the strategy's cursor, with a place for each turn."""
        places = array("d", [float("nan")]) * self._turns
        for line in self._lines:
            line.array.extend(places)
        for observer in self._account:
            for line in observer.lines:
                line._trail = self
                ride.take(line, self._behind, OnTrail)
        for line in self._lines:
            ride.take(line, self._behind)
        ride.before_end(self.end)

    def mark(self) -> None:
        """Let those look that mark orders and trades, at a turn with some."""
        strategy, self._behind.bars = self._strategy, 0
        fills: dict[Any, list[Any]] = {}
        for order in strategy._orderspending:
            if order.executed.size:
                fills.setdefault(order.p.data, []).append(order)
        for observer in self._fills if fills else ():
            if observer.data in fills:
                self._fills[observer] = self._turn.at + 1
                _mark_fills(observer, fills[observer.data])
        for observer in self._trades if strategy._tradespending else ():
            observer.next()
        self._behind.bars = 1

    def catch_up(self) -> None:
        """Fill in the turns that are over."""
        first, turns = self._filled, self._valuation.turns
        if first == turns:
            return
        self._filled = turns
        values, cash = self._valuation.until_now()
        for observer in self._account:
            for name, line in zip(observer.getlinealiases(), observer.lines, strict=True):
                told = cash if name == "cash" else values
                line.__dict__["array"][first:turns] = told[first:turns]

    def end(self) -> None:
        """Leave the observers as stock does."""
        self.catch_up()
        turns = self._valuation.turns
        self._behind.bars = self._turn.at + 1 - turns
        for line in self._lines:
            line.__dict__.pop("_trail", None)
            values = line.__dict__["array"]
            del values[len(values) - self._turns + turns :]
        for observer, marked in self._fills.items():
            if marked < turns:
                observer.curbuylen = observer.curselllen = 0


def _mark_fills(observer: stock.BuySell, orders: list[Any]) -> None:
    """What BuySell.next does at a turn with fills of its feed, of which there is one at most."""
    bought = [order.executed.price for order in orders if order.isbuy()]
    sold = [order.executed.price for order in orders if not order.isbuy()]
    observer.curbuylen, observer.curselllen = len(bought), len(sold)
    buys, sells = observer.lines
    distance, extremes = observer.p.bardist, observer.data.lines
    if bought:
        buys[0] = _mark(bought, extremes.low[0] * (1 - distance), observer.p.barplot)
    if sold:
        sells[0] = _mark(sold, extremes.high[0] * (1 + distance), observer.p.barplot)


def _mark(prices: list[float], beyond_the_bar: float, is_beyond: bool) -> float:
    mean = (0.0 + math.fsum(prices)) / float(len(prices))
    return beyond_the_bar if is_beyond and not math.isnan(mean) else mean
