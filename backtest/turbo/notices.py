"""Notifications of orders, trades and the account, to those alone who listen."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import backtrader as bt
from backtrader.trade import Trade

from backtest.turbo.quotes import Quote
from backtest.turbo.trades import copied, update

_Told = Callable[..., Any]


class Notices:
    """What a strategy's `_addnotification`, `_notify` and `clear` do, for those who listen.

    Who listens is settled when this is made, with strategy and analyzers started.

    Args:
        strategy: one whose delivery is Backtrader's own; a bt.SignalStrategy's is not.
        quote: finds the quote of a feed.
        needs_orders: clone and keep every order's changes, even if nobody listens here.
    """

    def __init__(
        self, strategy: bt.Strategy, quote: Callable[[Any], Quote], needs_orders: bool
    ) -> None:
        analyzers = list(chain(strategy.analyzers, strategy._slave_analyzers))
        self._strategy, self._quote = strategy, quote
        self._own_order = list(_own(strategy, "notify_order"))
        self._orders = [told for one in analyzers for told in _heard(one, "notify_order")]
        self._trades = list(_own(strategy, "notify_trade"))
        self._trades += [told for one in analyzers for told in _heard(one, "notify_trade")]
        self._account = [(told, False) for told in _own(strategy, "notify_cashvalue")]
        self._account += [(told, True) for told in _own(strategy, "notify_fund")]
        for one in analyzers:
            self._account += [(told, False) for told in _heard(one, "notify_cashvalue")]
            self._account += [(told, True) for told in _heard(one, "notify_fund")]
        watched = bool(strategy._lineiterators[bt.LineIterator.ObsType])
        self.hears_orders = bool(needs_orders or watched or self._own_order or self._orders)
        self._hears_trades = bool(watched or self._trades)

    @property
    def every_bar(self) -> bool:
        """Whether `tell` has something to say on bars without orders and trades."""
        return bool(self._account)

    def take(self, order: bt.Order) -> None:
        """Keep a changed order for the strategy, and book its new fills on trades."""
        strategy, terms, executed = self._strategy, order.p, order.executed
        if self.hears_orders:
            strategy._orderspending.append(order)
        if not executed.size:
            return
        data = terms.data if terms.data._compensate is None else terms.data._compensate
        trades = strategy._trades[data][terms.tradeid]
        if not trades:
            self._open(trades, order, data)
        for bit in executed.iterpending():
            self._book(trades, order, bit, self._quote(data))

    def _open(self, trades: list[Trade], order: bt.Order, data: bt.AbstractDataBase) -> None:
        history = self._strategy._tradehistoryon
        trades.append(Trade(data=data, tradeid=order.p.tradeid, historyon=history))

    def _book(self, trades: list[Trade], order: bt.Order, bit: Any, quote: Quote) -> None:
        trade = trades[-1]
        if bit.closed:
            update(trade, order, (bit.closed, bit.price, bit.closedcomm), quote)
            if trade.isclosed:
                self._keep(trade)
        if bit.opened:
            if trade.isclosed:
                self._open(trades, order, trade.data)
                trade = trades[-1]
            update(trade, order, (bit.opened, bit.price, bit.openedcomm), quote)
            if trade.isclosed:  # orders with another tradeid had moved the position
                self._keep(trade)
        if trade.justopened:
            self._keep(trade)

    def _keep(self, trade: Trade) -> None:
        if self._hears_trades:
            self._strategy._tradespending.append(copied(trade))

    def tell(self) -> None:
        """Tell all that was kept, then the account."""
        strategy = self._strategy
        for order in strategy._orderspending:
            if order.exectype != bt.Order.Historical or order.histnotify:
                for told in self._own_order:
                    told(order)
            for told in self._orders:
                told(order)
        for trade in strategy._tradespending:
            for told in self._trades:
                told(trade)
        if self._account:
            self._tell_account()

    def _tell_account(self) -> None:
        broker = self._strategy.broker
        account = broker.getcash(), broker.getvalue(), broker.fundvalue, broker.fundshares
        for told, with_fund in self._account:
            told(*account if with_fund else account[:2])

    def clear(self) -> None:
        """Put what was told away, once analyzers and observers have seen it."""
        self._strategy.clear()


def _overrides(instance: Any, method: str, stock: type) -> bool:
    return getattr(getattr(instance, method), "__func__", None) is not getattr(stock, method)


def _own(strategy: bt.Strategy, method: str) -> Iterator[_Told]:
    if _overrides(strategy, method, bt.Strategy):
        yield getattr(strategy, method)


def _heard(analyzer: bt.Analyzer, method: str) -> Iterator[_Told]:
    """An analyzer's children first, then itself, as Backtrader tells them."""
    if _overrides(analyzer, "_" + method, bt.Analyzer):
        yield getattr(analyzer, "_" + method)
        return
    for child in analyzer._children:
        yield from _heard(child, method)
    if _overrides(analyzer, method, bt.Analyzer):
        yield getattr(analyzer, method)
