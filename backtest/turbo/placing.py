"""How a LeanBroker places orders: BackBroker's `buy` to `check_submitted`, with less work.

Each function here stands for the method of its name; whatever is out of the ordinary goes on to
BackBroker's own.
"""

from collections.abc import Callable
from typing import Any

import backtrader as bt
from backtrader.brokers.bbroker import BackBroker
from backtrader.position import Position

from backtest.turbo.executions import refuse, reserve
from backtest.turbo.orders import new_order

_new = object.__new__
_SUBMITTED, _ACCEPTED = bt.Order.Submitted, bt.Order.Accepted


def _placing(kind: type[bt.Order]) -> Callable[..., bt.Order]:
    """`BackBroker.buy` or `sell`: make an order of its words, and submit it."""

    def place(  # noqa: PLR0913, PLR0917  the words are Backtrader's
        broker: Any,
        owner: Any,
        data: Any,
        size: float,
        price: float | None = None,
        plimit: float | None = None,
        exectype: int | None = None,
        valid: Any = None,
        tradeid: int = 0,
        oco: Any = None,
        trailamount: float | None = None,
        trailpercent: float | None = None,
        parent: Any = None,
        transmit: bool = True,
        histnotify: bool = False,
        _checksubmit: bool = True,
        **info: Any,
    ) -> bt.Order:
        broker.mark()
        terms = _new(kind.params)
        terms.owner, terms.data = owner, data
        terms.size, terms.price, terms.pricelimit = size, price, plimit
        terms.exectype, terms.valid, terms.tradeid, terms.oco = exectype, valid, tradeid, None
        terms.trailamount, terms.trailpercent = trailamount, trailpercent
        terms.parent, terms.transmit = parent, transmit
        terms.simulated, terms.histnotify = False, histnotify
        order = new_order(kind, terms, broker.quote(data))
        if info:
            order.info.update(info)
        broker._ocoize(order, oco)
        return submit(broker, order, _checksubmit)

    return place


buy, sell = _placing(bt.BuyOrder), _placing(bt.SellOrder)


def submit(broker: Any, order: bt.Order, check: bool = True) -> bt.Order:
    """Take an order in, and its family if it is the last of one."""
    parent = order.p.parent
    if parent is not None or not order.p.transmit:
        if parent is not None and parent.status != bt.Order.Created:
            broker._has_repeats = True
        return BackBroker.submit(broker, order, check=check)
    broker._pchildren[order.ref].append(order)
    return transmit(broker, order, check)


def transmit(broker: Any, order: bt.Order, check: bool = True) -> bt.Order:
    """Queue an order for the check of its cash, or take it into the book at once."""
    if not (check and broker.p.checksubmit):
        submit_accept(broker, order)
        return order
    order.status, order.broker = _SUBMITTED, None
    order.plen = broker.quote(order.p.data).count
    broker.submitted.append(order)
    broker.orders.append(order)
    broker.notify(order)
    return order


def submit_accept(broker: Any, order: bt.Order) -> None:
    """Take an order into the book."""
    order.pannotated = None
    order.status, order.broker = _ACCEPTED, None
    order.plen = broker.quote(order.p.data).count
    broker.pending.append(order)
    broker.notify(order)


def ococheck(broker: Any, order: bt.Order) -> None:
    """End the others of its OCO group; most orders have none.

    A leg that comes after its entry has stock send the entry once more: that one is looked for.
    """
    leader = broker._ocos.get(broker._ocos[order.ref])
    if broker._ocol.get(leader) == [order.ref] and not broker._has_repeats:
        del broker._ocol[leader]
    else:
        BackBroker._ococheck(broker, order)


def bracketize(broker: Any, order: bt.Order, cancel: bool = False) -> None:
    """Wake the legs of an entry that is done, or end what is left of a family."""
    if cancel or order.p.parent is not None:
        BackBroker._bracketize(broker, order, cancel=cancel)
    else:
        family = broker._pchildren[order.ref]
        family.popleft()
        broker._toactivate.extend(family)


def check_submitted(broker: Any) -> None:
    """Accept what the cash would pay for, order by order."""
    moved: dict[Any, Position] = {}
    cash = broker.cash
    while broker.submitted:
        order = broker.submitted.popleft()
        terms = order.p
        if terms.parent is not None and broker._take_children(order) is None:
            continue
        data = terms.data
        position, held = moved.get(data), broker.positions[data]
        if position is None:
            position = moved[data] = _new(Position)
            position.size, position.price = held.size, held.price
        if broker.p.coo or data._compensate is not None:
            cash = BackBroker._execute(broker, order, cash=cash, position=position)
        else:
            cash = reserve(broker, order, cash, position)
        if cash >= 0.0:
            submit_accept(broker, order)
        else:
            refuse(broker, order)
