"""Backtrader's orders, made and copied without its metaclass: the same objects for less work."""

import datetime as dt
import math
from collections import deque
from typing import Any

import backtrader as bt
from backtrader.order import OrderData, OrderExecutionBit
from backtrader.utils import AutoOrderedDict

from backtest.turbo.quotes import Quote

_new = object.__new__
_CREATED, _PARTIAL, _COMPLETED = bt.Order.Created, bt.Order.Partial, bt.Order.Completed
_TRAILING = (bt.Order.StopTrail, bt.Order.StopTrailLimit)


def new_order(kind: type[bt.Order], terms: Any, quote: Quote) -> bt.Order:
    """What ``kind(**terms)`` makes of them, attribute by attribute.

    Args:
        kind: bt.BuyOrder or bt.SellOrder.
        terms: the parameters of an order that is not simulated, all of them; kept.
    """
    order, exectype = _new(kind), terms.exectype
    buys = kind.ordtype == bt.Order.Buy
    size = terms.size if buys else -terms.size
    order.params = order.p = terms
    order.ref = next(kind.refbasis)
    order.broker = None
    order.info = AutoOrderedDict()
    order.comminfo = None
    order.triggered = False
    order._active = terms.parent is None
    order.status = _CREATED
    order._plimit = terms.pricelimit
    if exectype is None:
        order.exectype = bt.Order.Market
    if not buys:
        order.size = size
    order.created = _created(terms, size, quote)
    order._limitoffset = 0.0
    order.executed = _unexecuted(size)
    order.position = 0
    if exectype in _TRAILING:
        _start_trail(order, buys)
    if terms.valid is not None:
        _set_validity(order, terms.valid, quote)
    order.dteos = quote.session_end()
    return order


def _created(terms: Any, size: float, quote: Quote) -> OrderData:
    price, limit = terms.price, terms.pricelimit
    created = _new(OrderData)
    created.pclose = quote.close[0]
    created.exbits = deque()
    created.p1 = created.p2 = 0
    created.dt = quote.clock[0]
    created.size = size
    created.remsize = 0
    created.price = price = price or limit or created.pclose
    created.pricelimit = limit or price
    created.trailamount = terms.trailamount
    created.trailpercent = terms.trailpercent
    created._plimit = limit
    return _unfilled(created)


def _unexecuted(size: float) -> OrderData:
    executed = _new(OrderData)
    executed.pclose = 0.0
    executed.exbits = deque()
    executed.p1 = executed.p2 = 0
    executed.dt = None
    executed.size = 0
    executed.remsize = size
    executed.price = executed.pricelimit = 0.0
    executed.trailamount = executed.trailpercent = 0.0
    executed._plimit = 0.0
    return _unfilled(executed)


def _unfilled(half: OrderData) -> OrderData:
    half.value = half.comm = 0.0
    half.margin = None
    half.pnl = 0.0
    half.psize = half.pprice = 0
    return half


def _start_trail(order: bt.Order, buys: bool) -> None:
    created = order.created
    price = created.price
    order._limitoffset = price - created.pricelimit
    created.price = math.inf if buys else -math.inf
    order.trailadjust(price)


def _set_validity(order: bt.Order, valid: Any, quote: Quote) -> None:
    """Instants become date numbers; numbers stay, as in stock."""
    if isinstance(valid, dt.date):
        order.valid = quote.data.date2num(valid)
    elif isinstance(valid, dt.timedelta):
        now = quote.clock.datetime()
        end_of_day = dt.time(23, 59, 59, 9999)
        until = now + valid if valid else dt.datetime.combine(now.date(), end_of_day)
        order.valid = quote.data.date2num(until)


def clone(order: bt.Order) -> bt.Order:
    """What ``order.clone()`` gives, without marking the fills that are pending."""
    copied, executed = _new(type(order)), _new(OrderData)
    copied.__dict__ = order.__dict__.copy()
    executed.__dict__ = order.executed.__dict__.copy()
    copied.executed = executed
    return copied


def fill(order: bt.Order, bit: OrderExecutionBit, scheme: bt.CommInfoBase) -> None:
    """What ``order.execute`` and ``order.addcomminfo`` do with an execution."""
    executed, size = order.executed, bit.size
    executed.exbits.append(bit)
    executed.remsize -= size
    executed.dt = bit.dt
    value = executed.size * executed.price + size * bit.price
    executed.size += size
    executed.price = value / executed.size
    executed.value += bit.value
    executed.comm += bit.comm
    executed.pnl += bit.pnl
    executed.psize = bit.psize
    executed.pprice = bit.pprice
    executed.margin, order.comminfo = scheme.margin, scheme
    order.status = _PARTIAL if executed.remsize else _COMPLETED
