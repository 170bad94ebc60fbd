"""What fills cost against what was decided, and against the backtest's model, from a live log.

Source: A. F. Perold, The Implementation Shortfall: Paper versus Reality, Journal of Portfolio
Management 14(3), 1988. Delay is arrival against decision price, impact is fill against arrival.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd

from analyzers.chain import tail
from analyzers.why import entry_of
from brokers import fills

COLUMNS = {
    "order_id": "str",
    "symbol": "str",
    "side": "str",
    "order_type": "str",
    "quantity": "float64",
    "decided_at": "datetime64[us, UTC]",
    "decision_price": "float64",
    "arrival_price": "float64",
    "fill_price": "float64",
    "model_price": "float64",
    "cost_bps": "float64",
    "delay_bps": "float64",
    "impact_bps": "float64",
    "slippage_bps": "float64",
    "commission": "float64",
}
_TYPES = {
    "market": fills.MARKET,
    "market_on_close": fills.MARKET_ON_CLOSE,
    "limit": fills.LIMIT,
    "stop": fills.STOP,
    "stop_limit": fills.STOP_LIMIT,
}
_ENDED = ("Completed", "Canceled", "Expired", "Margin", "Rejected")
_SLIPPING = ("market", "stop")
_NO_SLIPPAGE = fills.Slippage()
Record = Mapping[str, Any]


def fill_cost(log: str | Path) -> pd.DataFrame:
    """One row an order that filled, in the order of their first fills.

    `decision_price` is the close of the bar decided on; `arrival_price` the open of the first bar
    that came after it; `fill_price` the average of the fills; `model_price` what the backtest's
    fill rules make of the recorded bars without slippage. `cost_bps` is fill against decision,
    `delay_bps` arrival against decision, `impact_bps` fill against arrival, `slippage_bps` fill
    against the model; all in hundredths of a per cent, positive when they cost money. NaN: the
    log does not tell (a leg has no decision of its own, a trailing stop no model).

    Raises:
        DataError: the log cannot be read.
    """
    session = _Session()
    for record, _ in tail(log):
        session.take(record)
    rows = [row for row in map(session.row, session.orders.values()) if row]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def matching_slippage_bps(costs: pd.DataFrame) -> float:
    """The backtest's `slippage_bps` that would have cost the same: market and stop orders alone.

    Returns:
        The mean of `slippage_bps`, weighted by what was traded; NaN when no such order filled.
    """
    told = costs[costs["order_type"].isin(_SLIPPING) & costs["slippage_bps"].notna()]
    traded = told["quantity"] * told["model_price"]
    return float((told["slippage_bps"] * traded).sum() / traded.sum()) if len(told) else nan


def averages(costs: pd.DataFrame, names: Iterable[str] = ("cost_bps", "slippage_bps")) -> Record:
    """Means weighted by what was traded; NaN without any."""
    traded = costs["quantity"] * costs["fill_price"]
    return {
        name: float((costs[name] * traded).sum() / traded[costs[name].notna()].sum())
        if costs[name].notna().any()
        else nan
        for name in names
    }


@dataclass(slots=True)
class _Order:
    """One entry or leg, as far as the log has told of it."""

    terms: Record
    symbol: str
    decided_at: datetime
    decision_price: float
    filled: float = 0.0
    paid: float = 0.0
    commission: float = 0.0
    filled_at: datetime | None = None  # the last fill
    has_ended: bool = False
    bars: list[fills.Bar] = field(default_factory=list)  # from the one that could fill it first

    @property
    def side(self) -> int:
        return 1 if self.terms["side"] == "buy" else -1


class _Session:
    """A log, read line by line."""

    def __init__(self) -> None:
        self.orders: dict[str, _Order] = {}
        self._working: list[str] = []

    def take(self, record: Record) -> None:
        kind = record["kind"]
        if kind == "decision" and record["order"] and not record["refusal"]:
            self._decide(record)
        elif kind == "bars":
            self._see(record)
        elif kind == "fill" and record["order_id"] in self.orders:
            self._fill(record)
        elif kind == "order" and record["order_id"] in self.orders:
            self.orders[record["order_id"]].has_ended = record["status"] in _ENDED

    def row(self, order: _Order) -> tuple[Any, ...] | None:
        if not order.filled:
            return None
        price = order.paid / order.filled
        arrival = order.bars[0].open if order.bars else nan
        model = _model(order)
        return (
            order.terms["client_order_id"],
            order.symbol,
            order.terms["side"],
            order.terms["order_type"],
            order.filled,
            order.decided_at,
            order.decision_price,
            arrival,
            price,
            model,
            _bps(order.side, price, order.decision_price),
            _bps(order.side, arrival, order.decision_price),
            _bps(order.side, price, arrival),
            _bps(order.side, price, model),
            order.commission,
        )

    def _decide(self, record: Record) -> None:
        order, bar = record["order"], record["market_context"]["bar"]
        for terms in _members(order):
            is_leg = bool(entry_of(terms["client_order_id"])[1])
            self.orders[terms["client_order_id"]] = _Order(
                terms,
                order["symbol"],
                datetime.fromisoformat(bar["time"]),
                nan if is_leg else bar["close"],
            )
            if not is_leg:
                self._working.append(terms["client_order_id"])

    def _see(self, record: Record) -> None:
        """Give the bar to who may fill in it: a fill may be told before its bar is complete."""
        for order in [self.orders[order_id] for order_id in self._working]:
            if order.symbol not in record["bars"]:
                continue
            start, *prices, _ = record["bars"][order.symbol]
            began_at = datetime.fromisoformat(start)
            if order.filled_at is None or not order.has_ended or began_at <= order.filled_at:
                order.bars.append(fills.Bar(*prices))
        self._working = [known for known in self._working if not self.orders[known].has_ended]

    def _fill(self, record: Record) -> None:
        order = self.orders[record["order_id"]]
        order.filled += record["quantity"]
        order.paid += record["quantity"] * record["price"]
        order.commission += record["commission"] or 0.0
        order.filled_at = datetime.fromisoformat(record["filled_at"])
        entry, role = entry_of(record["order_id"])
        if not role:  # its legs wake up with it
            legs = (entry + "-tp", entry + "-sl")
            self._working += [
                leg for leg in legs if leg in self.orders and leg not in self._working
            ]


def _members(order: Record) -> Iterator[Record]:
    yield order
    yield from order.get("legs", ())


def _model(order: _Order) -> float:
    """The first fill that the backtest's rules give on the bars seen; NaN without one."""
    kind = _TYPES.get(order.terms["order_type"])
    if kind is None or kind == fills.MARKET_ON_CLOSE:
        return nan
    stop, limit = (float(order.terms.get(name) or nan) for name in ("stop_price", "limit_price"))
    return _first_fill(order, kind, stop, limit)


def _first_fill(order: _Order, kind: int, stop: float, limit: float) -> float:
    is_triggered = False
    for bar in order.bars:
        price, is_triggered = fills.fill_order(
            kind, order.side, bar, stop, limit, is_triggered, _NO_SLIPPAGE
        )
        if not isnan(price):
            return price
    return nan


def _bps(side: int, price: float, reference: float) -> float:
    return side * (price - reference) / reference * 1e4
