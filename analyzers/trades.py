"""What was ordered, filled and earned in a run, as data frames."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import backtrader as bt
import pandas as pd

from analyzers.equity import instants
from brokers.events import Decision, Event
from brokers.translate import ORDER_TYPES, Request, rejected, symbol

TIME = "datetime64[ns, UTC]"
ORDERS = {
    "order_id": "str",
    "symbol": "str",
    "side": "str",
    "order_type": "str",
    "quantity": "float64",
    "limit_price": "float64",
    "stop_price": "float64",
    "status": "str",
    "created_at": TIME,
    "executed_at": TIME,
    "filled_quantity": "float64",
    "filled_price": "float64",
    "commission": "float64",
    "pnl": "float64",
    "reason": "str",
    "refusal": "str",
}
FILLS = {
    "order_id": "str",
    "symbol": "str",
    "at": TIME,
    "quantity": "float64",
    "price": "float64",
    "commission": "float64",
}
TRADES = {
    "symbol": "str",
    "side": "str",
    "quantity": "float64",
    "entry_at": TIME,
    "entry_price": "float64",
    "exit_at": TIME,
    "exit_price": "float64",
    "pnl": "float64",
    "pnl_net": "float64",
    "commission": "float64",
    "bars": "int64",
    "open": "bool",
}
POSITIONS = {
    "time": TIME,
    "symbol": "str",
    "size": "float64",
    "price": "float64",
    "value": "float64",
}
LIMITED = (bt.Order.Limit, bt.Order.StopLimit, bt.Order.StopTrailLimit)
STOPPED = (bt.Order.Stop, bt.Order.StopLimit, bt.Order.StopTrail, bt.Order.StopTrailLimit)


class Ledger(bt.Analyzer):
    """Orders, fills, trades and positions of one strategy, read when the run has ended.

    Columns and their types are the same in every frame, empty ones too. Times are aware UTC and
    name the END of the bar. `order_id` is the guard's, else the running number in the run.
    """

    def start(self) -> None:
        """Begin anew, and hear what the guard refuses if there is one."""
        self._orders: dict[int, Any] = {}
        self._fills: list[tuple[Any, Any]] = []
        self._held: dict[tuple[Any, int], RoundTrip] = {}
        self._trips: list[RoundTrip] = []
        self._refused: list[Decision] = []
        self._final: dict[str, pd.DataFrame] | None = None
        listen = getattr(self.strategy.broker, "listen", None)
        if listen is not None:
            listen(self._hear)

    def stop(self) -> None:
        """Know that nothing will change any more: a frame is made once from here on."""
        self._final = {}

    def notify_order(self, order: Any) -> None:
        """Keep the order, and each of its fills once."""
        self._orders[order.ref] = order
        for bit in order.executed.iterpending():  # those that came since the last notification
            self._fills.append((order, bit))
            self._book(order, bit)

    def orders(self) -> pd.DataFrame:
        """One row an order, legs too, in the order in which they were created.

        Quantities are units, unsigned; `limit_price` and a trailing `stop_price` are the last
        ones in force; `status` is Backtrader's word; `executed_at` is the last fill; commission
        and `pnl` (realised, gross) are in the account's currency. NaN or NaT: there is none.
        """
        return self._once("orders", self._order_frame)

    def fills(self) -> pd.DataFrame:
        """One row a fill, as they happened; `quantity` is negative for a sale."""
        return self._once("fills", self._fill_frame)

    def trades(self) -> pd.DataFrame:
        """One row a round trip from flat to flat, in the order of their entries.

        `quantity` counts all units entered, `entry_price` is their average cost and `exit_price`
        the average of what was closed; `pnl_net` is `pnl` less commission; `bars` counts the
        feed's bars from entry to exit. A trade with `open` set is valued at the last close, which
        is then its `exit_price`; its `exit_at` is NaT.
        """
        return self._once("trades", lambda: frame((trip.row() for trip in self._trips), TRADES))

    def positions(self) -> pd.DataFrame:
        """One row for each time at which a symbol's position changed, after the change.

        `size` is signed units, `price` the average cost (NaN when flat), `value` the size at the
        price of the fill, in the account's currency.
        """
        return self._once("positions", self._position_frame)

    def get_analysis(self) -> dict[str, pd.DataFrame]:
        """All four frames by name, as Backtrader's analyzers answer."""
        return {
            "orders": self.orders(),
            "fills": self.fills(),
            "trades": self.trades(),
            "positions": self.positions(),
        }

    def _once(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Make a frame, or copy it: Cerebro asks for them too, for writers that nobody added."""
        if self._final is None:
            return make()
        if name not in self._final:
            self._final[name] = make()
        return self._final[name].copy()

    def _order_frame(self) -> pd.DataFrame:
        orders = self._known()
        ids = self._ids(orders)
        rows = [_order_row(ids[order.ref], order) for order in orders]
        told = set(ids.values())
        late = [decision for decision in self._refused if decision.order_id not in told]
        return frame(rows + [_refused_row(decision) for decision in late], ORDERS)

    def _fill_frame(self) -> pd.DataFrame:
        ids = self._ids(self._known())
        rows = (
            (ids[order.ref], symbol(_traded(order)), bit.dt, bit.size, bit.price, bit.comm)
            for order, bit in self._fills
        )
        return frame(rows, FILLS)

    def _position_frame(self) -> pd.DataFrame:
        rows = (
            (
                bit.dt,
                symbol(_traded(order)),
                bit.psize,
                bit.pprice if bit.psize else nan,
                order.comminfo.getvaluesize(bit.psize, bit.price),
            )
            for order, bit in self._fills
        )
        changes = frame(rows, POSITIONS)
        last = ~changes.duplicated(["time", "symbol"], keep="last")
        return changes[last].reset_index(drop=True)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Decision) and event.refusal and event.owner is self.strategy:
            self._refused.append(event)

    def _known(self) -> list[Any]:
        """Every order; those of the last bar, which nobody was notified of, from the broker."""
        unheard = [
            order
            for order in getattr(self.strategy.broker, "orders", ())
            if order.owner is self.strategy and not order.p.simulated
        ]
        orders = self._orders | {order.ref: order for order in unheard}
        return [orders[ref] for ref in sorted(orders)]

    def _ids(self, orders: list[Any]) -> dict[int, str]:
        """Backtrader's references count on from run to run; these do not."""
        guarded = getattr(self.strategy.broker, "order_id", lambda _: None)
        return {order.ref: guarded(order.ref) or str(n) for n, order in enumerate(orders, 1)}

    def _book(self, order: Any, bit: Any) -> None:
        data = _traded(order)
        for size, commission in ((bit.closed, bit.closedcomm), (bit.opened, bit.openedcomm)):
            if size:
                trip = self._held.pop((data, order.tradeid), None)
                if trip is None:
                    trip = RoundTrip(data, order.comminfo, size > 0, bit.dt, len(data))
                    self._trips.append(trip)
                trip.update(size, bit.price, commission, bit.dt)
                if trip.size:
                    self._held[data, order.tradeid] = trip


@dataclass
class RoundTrip:
    """A trade from flat to flat; its arithmetic is that of Backtrader's Trade, to the last bit."""

    data: Any
    comminfo: Any
    long: bool
    entry_at: float
    entry_bar: int
    size: float = 0.0
    entered: float = 0.0
    entry_price: float = 0.0
    exited: float = 0.0
    exit_price: float = 0.0
    exit_at: float = nan
    pnl: float = 0.0
    commission: float = 0.0
    bars: int = 0

    def update(self, size: float, price: float, commission: float, at: float) -> None:
        """Take in one fill; `size` is signed units."""
        before, self.size = self.size, self.size + size
        self.commission += commission
        self.bars = len(self.data) - self.entry_bar
        if abs(self.size) > abs(before):
            self.entry_price = (before * self.entry_price + size * price) / self.size
            self.entered += abs(size)
            return
        self.pnl += self.comminfo.profitandloss(-size, self.entry_price, price)
        closed = self.exited + abs(size)
        self.exit_price = (self.exited * self.exit_price + abs(size) * price) / closed
        self.exited = closed
        if not self.size:
            self.exit_at = at

    def row(self) -> tuple[Any, ...]:
        """The values of TRADES, valued at the last close while it is open."""
        pnl, exit_price, bars = self.pnl, self.exit_price, self.bars
        if self.size:
            exit_price = self.data.close[0]
            pnl += self.comminfo.profitandloss(self.size, self.entry_price, exit_price)
            bars = len(self.data) - self.entry_bar
        return (
            symbol(self.data),
            "long" if self.long else "short",
            self.entered,
            self.entry_at,
            self.entry_price,
            self.exit_at,
            exit_price,
            pnl,
            pnl - self.commission,
            self.commission,
            bars,
            bool(self.size),
        )


def frame(rows: Iterable[tuple[Any, ...]], columns: dict[str, str]) -> pd.DataFrame:
    """Rows as a frame of exactly these columns and types; times are Backtrader's date numbers."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            name: instants(column) if dtype == TIME else pd.Series(column, dtype=dtype)
            for (name, dtype), column in zip(columns.items(), values, strict=True)
        }
    )


def _traded(order: Any) -> Any:
    """The feed whose position the order changes."""
    instead = order.data._compensate  # noqa: SLF001  set by Backtrader's own public compensate()
    return order.data if instead is None else instead


def _refused_row(decision: Decision) -> tuple[Any, ...]:
    """A refusal of the last bar, which came too late for any notification."""
    how = dict(decision.asked)
    side, size = how.pop("side"), how.pop("size")
    order = rejected(Request(side, decision.owner, decision.data, size, how))
    order.addinfo(refusal=decision.refusal.text if decision.refusal else None)
    order.reject()
    return _order_row(decision.order_id, order)


def _order_row(order_id: str, order: Any) -> tuple[Any, ...]:
    created, executed = order.created, order.executed
    stop_price = created.price if order.exectype in STOPPED else nan
    limit_price = created.price if order.exectype == bt.Order.Limit else created.pricelimit
    filled = bool(executed.size)
    return (
        order_id,
        symbol(order.data),
        "buy" if order.isbuy() else "sell",
        ORDER_TYPES.get(order.exectype, "historical"),
        abs(created.size),
        limit_price if order.exectype in LIMITED else nan,
        stop_price if isfinite(stop_price) else nan,
        order.getstatusname(),
        created.dt,
        executed.exbits[-1].dt if filled else nan,
        abs(executed.size),
        executed.price if filled else nan,
        executed.comm,
        executed.pnl if filled else nan,
        order.info.get("reason"),
        order.info.get("refusal"),
    )
