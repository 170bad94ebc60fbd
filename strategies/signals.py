"""Strategies that are functions of arrays: fast to sweep, and the same bar by bar."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import backtrader as bt
import numpy as np

from strategies.base import Strategy
from strategies.panel import Bars, Panel, abreast
from strategies.target import Target


class Signals(NamedTuple):
    """What is wanted at each bar, with prices for the order and its exits; shaped like the bars.

    Args:
        target: wanted position; NaN leaves it as it is.
        limit: price of a limit order; None or NaN for a market order.
        take_profit: price of the exit above a long position; None or NaN for none.
        stop_loss: price of the exit below a long position; None or NaN for none.
    """

    target: np.ndarray
    limit: np.ndarray | None = None
    take_profit: np.ndarray | None = None
    stop_loss: np.ndarray | None = None


class SignalStrategy(Strategy):
    """A strategy whose wish at each bar is a function of the bars so far.

    `signals()` is the strategy; `features()` names the numbers that it rests on, for the log, and
    `reason()` puts them into words. It acts from the first bar of the first feed on, and on a feed
    only at bars that it has not seen.
    """

    unit: ClassVar[Literal["stake", "weight"]] = "stake"
    """What a target counts: stakes of the sizer, or shares of the account's equity."""

    across: ClassVar[bool] = False
    """True: one call for all feeds, (T, N), to compare them with each other. False: one call for
    each feed with its own bars, (T,), whatever the calendars of the others."""

    columnwise: ClassVar[bool] = False
    """True: where each feed is for itself, `signals()` may be called with several, (T, N), and then
    gives for each column what it gives for that column alone, rows of NaN above its first bar or
    not. Live, one call for all feeds takes a fraction of the time of one for each."""

    @staticmethod
    def signals(config: Any, bars: Bars) -> np.ndarray | Signals:
        """Wanted position at each bar, negative for short, NaN to leave it.

        Causal: what it gives for a bar does not change when later bars are added or removed, so
        that it may be computed once for all bars.
        """
        raise NotImplementedError

    @staticmethod
    def features(config: Any, bars: Bars) -> dict[str, np.ndarray]:
        """The numbers that `signals()` rests on, by name, shaped like the bars; causal as well."""
        del config, bars
        return {}

    @staticmethod
    def reason(config: Any, now: Mapping[str, float]) -> str:
        """Why, in words.

        Args:
            config: the parameters.
            now: the features of the feed at this bar, its close, and the target.
        """
        del config
        return ", ".join(f"{name} {value:.6g}" for name, value in now.items())

    def prenext(self) -> None:
        """Act although some feed has no bar yet."""
        self.next()

    def decide(self) -> Iterator[Target]:
        """Turn the current row of the signals into targets."""
        moved = [view for view in self._views if view.panel.advance()]
        if self.columnwise and len(moved) > 1 and all(view.panel.is_growing for view in moved):
            self._compute_abreast(moved)
        for view in moved:
            yield from view.targets()

    def context(self, data: bt.DataBase | None = None) -> dict[str, float]:
        """Features of `data` (default: the first feed) at the current bar."""
        view, column = self._places[self.data if data is None else data]
        return view.features(column)

    def _compute_abreast(self, views: Sequence["_View"]) -> None:
        """One call of `signals()` for the newest bars of several feeds."""
        bars = abreast([view.panel for view in views])
        tables = self.tables(bars)
        for column, view in enumerate(views):
            view.take({name: t[-1:, column : column + 1] for name, t in tables.items()})

    def tables(self, bars: Bars) -> dict[str, np.ndarray]:
        """What `signals()` says of some bars, by name, without what it leaves out.

        Raises:
            ValueError: a table is not shaped like the bars.
        """
        answer = self.signals(self.config, bars)
        given = answer if isinstance(answer, Signals) else Signals(answer)
        tables = {name: table for name, table in given._asdict().items() if table is not None}
        for name, table in tables.items():
            if np.shape(table) != np.shape(bars.close):
                raise ValueError(
                    f"{type(self).__name__}.signals gave {name} of shape "
                    f"{np.shape(table)} for bars of shape {np.shape(bars.close)}"
                )
        return tables

    @cached_property
    def _views(self) -> list["_View"]:
        groups = [self.datas] if self.across else [[feed] for feed in self.datas]
        return [_View(self, Panel(group)) for group in groups]

    @cached_property
    def _places(self) -> dict[bt.DataBase, tuple["_View", int]]:
        return {
            feed: (view, column)
            for view in self._views
            for column, feed in enumerate(view.panel.feeds)
        }


class _View:
    """The signals of one call of `signals()`, and where in them the run stands."""

    def __init__(self, strategy: SignalStrategy, panel: Panel) -> None:
        self.panel = panel
        self._strategy = strategy
        self._signals = Signals(np.empty((0, 1)))
        self._signals_of: Bars | None = None
        self._features: dict[str, np.ndarray] = {}
        self._features_of: Bars | None = None

    def targets(self) -> Iterator[Target]:
        """Targets of the newest row."""
        if self._signals_of is not self.panel.bars:
            shape = (len(self.panel.bars.close), len(self.panel.feeds))
            tables = self._strategy.tables(self.panel.bars)
            self.take({name: np.reshape(table, shape) for name, table in tables.items()})
        row = min(self.panel.row, len(self._signals.target) - 1)
        for column, wish in enumerate(self._signals.target[row].tolist()):
            if not math.isnan(wish) and len(self.panel.feeds[column]):
                yield self._target(row, column, wish)

    def take(self, tables: Mapping[str, np.ndarray]) -> None:
        """Take what `signals()` says of the bars as they are now, or of their last row alone."""
        self._signals = Signals(**tables)
        self._signals_of = self.panel.bars

    def features(self, column: int) -> dict[str, float]:
        """Features of one feed at the current row; none before its panel has one."""
        bars, row = self.panel.bars, self.panel.row
        if row < 0:
            return {}
        if self._features_of is not bars:
            self._features = self._strategy.features(self._strategy.config, bars)
            self._features_of = bars
        return {name: _at(table, row, column) for name, table in self._features.items()}

    def _target(self, row: int, column: int, wish: float) -> Target:
        strategy = self._strategy
        close = _at(self.panel.bars.close, self.panel.row, column)
        now = {**self.features(column), "close": close, "target": wish}
        is_weight = strategy.unit == "weight"
        prices = {
            name: None if math.isnan(price := _at(table, row, column)) else price
            for name, table in self._signals._asdict().items()
            if table is not None and name != "target"
        }
        return Target(
            self.panel.feeds[column],
            size=None if is_weight else wish,
            weight=wish if is_weight else None,
            reason=strategy.reason(strategy.config, now),
            **prices,
        )


def _at(table: np.ndarray, row: int, column: int) -> float:
    return float(table[row] if table.ndim == 1 else table[row, column])
