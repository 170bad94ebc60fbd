"""Cash, positions and equity, carried forward line by line through a log."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dashboard.column import Column
from dashboard.line_index import EPOCH, MICROSECOND

Record = Mapping[str, Any]
DUST = 1e-9  # units; what sums of floats leave of a closed position


@dataclass(slots=True)
class Holding:
    """One position: signed units, their average price, the last price, results in money.

    A price that a partly read log does not tell is NaN.
    """

    symbol: str
    units: float = 0.0
    average: float = 0.0
    last: float = 0.0
    realised: float = 0.0
    commission: float = 0.0

    @property
    def value(self) -> float:
        """What it is worth at the last price."""
        return self.units * self.last

    @property
    def unrealised(self) -> float:
        """What closing it at the last price would bring."""
        return self.units * (self.last - self.average)

    def fill(self, units: float, price: float) -> None:
        """Take signed units in at a price; what they close is realised against the average."""
        closed = min(abs(units), abs(self.units)) if units * self.units < 0 else 0.0
        self.realised += closed * (price - self.average) * (1 if self.units > 0 else -1)
        after = self.units + units
        if abs(after) < DUST:
            after, self.average = 0.0, 0.0
        elif after * self.units <= 0:
            self.average = price
        elif not closed:
            self.average = (self.units * self.average + units * price) / after
        self.units = after


class Account:
    """What is held and what it is worth.

    Every decision says the account's cash, so fills are needed between decisions only; bars, in the
    log of a live session, revalue what is held.

    Args:
        is_partial: the log is read from somewhere in the middle, and positions are learnt from it.
    """

    def __init__(self, *, is_partial: bool = False) -> None:
        self.holdings: dict[str, Holding] = {}
        self.cash: float | None = None
        self.start_cash: float | None = None
        self.has_bars = False
        self._is_partial = is_partial
        self._at, self._equity = Column(np.int64), Column(np.float64)

    @property
    def equity(self) -> float | None:
        """Cash and positions at their last prices; None: the log has not told."""
        if self.cash is None:
            return None
        return self.cash + sum(held.value for held in list(self.holdings.values()))

    @property
    def positions(self) -> list[Holding]:
        """What is held now, by symbol."""
        held = [holding for holding in list(self.holdings.values()) if holding.units]
        return sorted(held, key=lambda holding: holding.symbol)

    def take(self, record: Record) -> None:
        """Carry on with one line."""
        kind = record["kind"]
        if kind == "bars":
            self._bars(record)
        elif kind == "fill":
            self._fill(record)
        elif kind == "decision":
            self._decision(record["market_context"])
        elif kind == "session":
            self._session(record)
        elif kind == "venue" and record["fact"] == "Restated":
            self._restated(record)

    def curve(self) -> "pd.Series[float]":
        """Equity by aware UTC time: at each turn of bars, or at each decision where none are."""
        length = min(len(self._at), len(self._equity))
        at = pd.DatetimeIndex(self._at.values[:length].astype("M8[us]"), tz="UTC", name="time")
        return pd.Series(self._equity.values[:length], at, name="equity", dtype=np.float64)

    def kept(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.generic]]]:
        """What `restored` needs: plain values, and arrays."""
        plain = {
            "holdings": [asdict(held) for held in self.holdings.values()],
            "cash": self.cash,
            "start_cash": self.start_cash,
            "has_bars": self.has_bars,
        }
        length = min(len(self._at), len(self._equity))
        return plain, {
            "curve_at": self._at.values[:length],
            "curve_equity": self._equity.values[:length],
        }

    @classmethod
    def restored(
        cls, plain: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[np.generic]]
    ) -> "Account":
        """The account as it was kept."""
        account = cls()
        account.holdings = {held["symbol"]: Holding(**held) for held in plain["holdings"]}
        account.cash, account.start_cash = plain["cash"], plain["start_cash"]
        account.has_bars = plain["has_bars"]
        account._at = Column(np.int64, arrays["curve_at"])
        account._equity = Column(np.float64, arrays["curve_equity"])
        return account

    def _session(self, record: Record) -> None:
        begun = record["config"].get("account") or {}
        if self.start_cash is None:
            self.cash = self.start_cash = float(begun["cash"] if begun else record["cash"])
            for held in begun.get("holdings", ()):
                average = float(held["average_price"])
                holding = Holding(held["symbol"], float(held["quantity"]), average, average)
                self.holdings[holding.symbol] = holding
        if self._is_partial:
            self.cash = None  # of long ago
            self.holdings.clear()

    def _bars(self, record: Record) -> None:
        self.has_bars = True
        for symbol, bar in record["bars"].items():
            if symbol in self.holdings:
                self.holdings[symbol].last = bar[4]
        self._note(record["at_bar"])

    def _decision(self, context: Record) -> None:
        self.cash = context["cash"]
        bar, symbol = context["bar"], context["symbol"]
        if self._is_partial and context["position"] and symbol not in self.holdings:
            self.holdings[symbol] = Holding(symbol, context["position"], nan, bar["close"])
        if bar is None:
            return
        if symbol in self.holdings:
            self.holdings[symbol].last = bar["close"]
        if not self.has_bars:
            self._note(bar["time"], context["equity"])

    def _fill(self, record: Record) -> None:
        symbol, price = record["symbol"], record["price"]
        units = record["quantity"] * (1 if record["side"] == "buy" else -1)
        holding = self.holdings.get(symbol)
        if holding is None:
            before = record["position"] - units if self._is_partial else 0.0
            holding = self.holdings[symbol] = Holding(symbol, before, nan if before else 0.0, price)
        holding.fill(units, price)
        holding.last = price
        commission = record["commission"] or 0.0
        holding.commission += commission
        if self.cash is not None:
            self.cash -= units * price + commission

    def _restated(self, record: Record) -> None:
        """After a split: other units, worth as much."""
        holding, units = self.holdings.get(record["symbol"]), float(record["quantity"])
        if holding is not None and holding.units and units:
            ratio = units / holding.units
            holding.units, holding.average = units, holding.average / ratio
            holding.last /= ratio

    def _note(self, at: str, equity: float | None = None) -> None:
        """A point of the curve; the last one of a time counts."""
        value = self.equity if equity is None else equity
        if value is None:
            return
        micros = (datetime.fromisoformat(at) - EPOCH) // MICROSECOND
        if len(self._at) and self._at.values[-1] == micros:
            self._equity.amend(value)
            return
        self._equity.append(value)
        self._at.append(micros)
