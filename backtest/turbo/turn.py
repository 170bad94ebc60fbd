"""How a LeanBroker takes a turn: BackBroker's `next` and what it calls, with less work."""

from typing import Any

import backtrader as bt
from backtrader.brokers.bbroker import BackBroker

from backtest.turbo.executions import fill_order

_MARKET, _CLOSE, _LIMIT = bt.Order.Market, bt.Order.Close, bt.Order.Limit
_PARTIAL, _COMPLETED = bt.Order.Partial, bt.Order.Completed
_STOPS = (bt.Order.Stop, bt.Order.StopTrail)
_STOP_LIMITS = (bt.Order.StopLimit, bt.Order.StopTrailLimit)


def take(broker: Any) -> None:
    """Take a turn; one without anything at work only notes that time has passed."""
    if (
        broker.pending
        or broker.submitted
        or broker.is_restless
        or broker._toactivate
        or broker._cash_addition
        or broker._userhist
    ):
        broker._unmarked = broker._unvalued = False  # nobody asked about the bar before
        _turn(broker)
    else:
        broker._unmarked = broker._unvalued = True


def _turn(broker: Any) -> None:
    while broker._toactivate:
        broker._toactivate.popleft().activate()
    if broker.p.checksubmit:
        broker.check_submitted()
    if broker.comminfo.bear_interest:
        _charge_interest(broker)
    if broker._userhist:
        broker._process_order_history()
    _match(broker)
    _close_turn(broker)
    if broker.comminfo.are_custom or broker.p.filler is not None:
        broker.settle()  # user code may ask within the next turn, when this bar is past


def _charge_interest(broker: Any) -> None:
    credit = 0.0
    for data, position in broker.positions.items():
        if position.size:
            now = data.datetime.datetime()
            scheme = broker.getcommissioninfo(data)
            due = scheme.get_credit_interest(data, position, now)
            broker.d_credit[data] += due
            credit += due
            position.datetime = now
    broker.cash -= credit


def _match(broker: Any) -> None:
    """Try every order in the book once."""
    pending = broker.pending
    pending.append(None)
    while (order := pending.popleft()) is not None:
        may_expire = order.p.valid is not None or "valid" in order.__dict__
        if may_expire and order.expire():
            broker.notify(order)
            broker._ococheck(order)
            broker._bracketize(order, cancel=True)
        elif not order._active:
            pending.append(order)
        else:
            broker._try_exec(order)
            if order.status <= _PARTIAL:
                pending.append(order)
            elif order.status == _COMPLETED:
                broker._bracketize(order)


def _close_turn(broker: Any) -> None:
    """Adjust cash for what futures gained, and leave the account to be valued when read."""
    moves = broker.comminfo.moves_cash
    for data, position in broker.positions.items():
        if position.size:
            quote = broker.quote(data)
            close = quote.close[0]
            if moves:
                scheme = broker.getcommissioninfo(data)
                broker.cash += scheme.cashadjust(position.size, position.adjbase, close)
            position.mark(quote.clock, quote.clock[0], close)
    if broker._cash_addition:
        broker._get_value()
    else:
        broker._unvalued = True


def try_exec(broker: Any, order: bt.Order) -> None:
    """Execute an order if the bar reaches its price."""
    quote, created, kind = broker.quote(order.p.data), order.created, order.p.exectype or _MARKET
    opened = quote.open[0]
    if kind == _MARKET and not (broker.p.coc or broker.p.coo or broker.p.slip_open):
        if quote.clock[0] > created.dt:
            broker._execute(order, 0, opened)
        return
    high, low, close = quote.high[0], quote.low[0], quote.close[0]
    if kind == _MARKET:
        broker._try_exec_market(order, opened, high, low)
    elif kind == _LIMIT:
        broker._try_exec_limit(order, opened, high, low, created.price)
    elif kind in _STOPS:
        broker._try_exec_stop(order, opened, high, low, created.price, close)
    elif kind in _STOP_LIMITS and order.triggered:
        broker._try_exec_limit(order, opened, high, low, created.pricelimit)
    elif kind in _STOP_LIMITS:
        prices = (created.price, created.pricelimit)
        broker._try_exec_stoplimit(order, opened, high, low, close, *prices)
    elif kind == _CLOSE:
        broker._try_exec_close(order, close)
    else:
        broker._try_exec_historical(order)


def execute(  # the words are Backtrader's
    broker: Any,
    order: bt.Order,
    ago: int | None = None,
    price: float | None = None,
    cash: float | None = None,
    position: Any = None,
    dtcoc: float | None = None,
) -> float | None:
    """Execute an order at `price`, or reckon the cash that would be left if `ago` is None."""
    data = order.p.data
    if ago is None or broker.p.filler is not None or data._compensate is not None:
        paid: float | None = BackBroker._execute(broker, order, ago, price, cash, position, dtcoc)
        return paid
    if price is not None:
        quote = broker.quote(data)
        fill_order(broker, order, quote, price, dtcoc or quote.clock[ago])
    return None
