"""Backtrader's trades, updated and copied: the same objects for less work."""

from backtrader.order import Order
from backtrader.trade import Trade

from backtest.turbo.quotes import Quote

Part = tuple[float, float, float]  # signed units, their price, their commission


def copied(trade: Trade) -> Trade:
    """What ``copy.copy(trade)`` gives."""
    copy = object.__new__(Trade)
    copy.__dict__ = trade.__dict__.copy()
    return copy


def update(trade: Trade, order: Order, part: Part, quote: Quote) -> None:
    """What ``trade.update`` does with a part of a fill; `quote` is that of the trade's feed."""
    size, price, commission = part
    scheme, before = order.comminfo, trade.size
    if trade.historyon:
        trade.update(order, size, price, 0.0, commission, 0.0, comminfo=scheme)
        return
    now, count = quote.clock[0], quote.count
    trade.commission += commission
    trade.size = after = before + size
    trade.justopened = not before
    if trade.justopened:
        trade.baropen, trade.dtopen, trade.long = count, now, after > 0
    trade.isopen = bool(after)
    trade.barlen = count - trade.baropen
    trade.isclosed = bool(before) and not after
    if trade.isclosed:
        trade.barclose, trade.dtclose, trade.status = count, now, Trade.Closed
    else:
        trade.status = Trade.Open
    if abs(after) > abs(before):
        trade.price = (before * trade.price + size * price) / after
    else:
        trade.pnl += scheme.profitandloss(-size, trade.price, price)
    trade.pnlcomm = trade.pnl - trade.commission
    trade.value = scheme.getvaluesize(after, trade.price)
