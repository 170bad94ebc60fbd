"""What an execution costs and does, with the arithmetic of `BackBroker._execute`."""

from typing import Any

import backtrader as bt
from backtrader.order import OrderExecutionBit
from backtrader.position import Position

from backtest.turbo.orders import fill
from backtest.turbo.quotes import Quote


def reserve(broker: Any, order: Any, cash: float, position: Position) -> float:
    """Cash left if `order` were executed at its creation price; `position` is moved by it."""
    price, scheme = order.created.price, broker.getcommissioninfo(order.p.data)
    _, _, opened, closed = position.update(order.executed.remsize, price)
    shortcash = broker.p.shortcash
    if closed:
        cash, _, _ = _closed(scheme, shortcash, cash, closed, price, price, 0)
    if opened:
        cash, _, _ = _opened(scheme, shortcash, cash, opened, price)
    return cash


def fill_order(broker: Any, order: Any, quote: Quote, price: float, at: float) -> None:
    """Execute all that remains of `order`, as far as the cash reaches.

    Args:
        broker: a LeanBroker; its cash and position are moved, and it is told.
        at: Backtrader's date number for the fill.
    """
    scheme, shortcash = broker.getcommissioninfo(quote.data), broker.p.shortcash
    position, account = broker.positions[quote.data], broker.__dict__
    cash, paid = account["cash"], position.price
    psize, pprice, opened, closed = _moved(position, order.executed.remsize, price)
    pnl = scheme.profitandloss(-closed, paid, price)
    closedvalue = closedcomm = openedvalue = openedcomm = 0.0
    if closed:
        cash, closedvalue, closedcomm = _closed(scheme, shortcash, cash, closed, paid, price, pnl)
        account["cash"] = cash = cash + scheme.cashadjust(-closed, position.adjbase, price)
    wanted = opened
    if opened:
        cash, openedvalue, openedcomm = _opened(scheme, shortcash, cash, opened, price)
        if cash < 0.0:
            opened, openedvalue, openedcomm = 0, 0.0, 0.0
        else:
            if abs(psize) > abs(opened):
                cash += scheme.cashadjust(psize - opened, position.adjbase, price)
            position.__dict__["adjbase"] = price
            account["cash"] = cash
    if closed + opened:
        if closed and broker.p.int2pnl:
            closedcomm += broker.d_credit.pop(quote.data, 0.0)
        bit = OrderExecutionBit(
            at, closed + opened, price, closed, closedvalue, closedcomm,
            opened, openedvalue, openedcomm, pnl, psize, pprice,
        )  # fmt: skip
        scheme.confirmexec(bit.size, price)
        position.update(bit.size, price, (quote.clock, quote.clock[0]))
        fill(order, bit, scheme)
        broker.notify(order)
        broker._ococheck(order)
    if wanted and not opened:
        refuse(broker, order)


def refuse(broker: Any, order: bt.Order) -> None:
    """End an order, and its kin, for want of cash."""
    order.margin()
    broker.notify(order)
    broker._ococheck(order)
    broker._bracketize(order, cancel=True)


def _moved(position: Position, size: float, price: float) -> tuple[float, float, float, float]:
    """Size, price, opened and closed that an update would give."""
    scratch = object.__new__(Position)
    scratch.size, scratch.price = position.size, position.price
    moved: tuple[float, float, float, float] = scratch.update(size, price)
    return moved


def _closed(
    scheme: bt.CommInfoBase,
    shortcash: bool,
    cash: float,
    closed: float,
    paid: float,
    price: float,
    pnl: float,
) -> tuple[float, float, float]:
    """Cash after closing, the value closed, the commission."""
    if shortcash:
        value = scheme.getvaluesize(-closed, paid)
    else:
        value = scheme.getoperationcost(closed, paid)
    regained = value
    if value > 0:
        regained /= scheme.get_leverage()
    cash += regained + pnl * scheme.stocklike
    commission = scheme.getcommission(closed, price)
    return cash - commission, value, commission


def _opened(
    scheme: bt.CommInfoBase, shortcash: bool, cash: float, opened: float, price: float
) -> tuple[float, float, float]:
    """Cash after opening, the value opened, the commission."""
    if shortcash:
        value = scheme.getvaluesize(opened, price)
    else:
        value = scheme.getoperationcost(opened, price)
    spent = value
    if value > 0:
        spent /= scheme.get_leverage()
    commission = scheme.getcommission(opened, price)
    return cash - spent - commission, value, commission
