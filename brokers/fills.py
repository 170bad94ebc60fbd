"""Backtrader's fill rules as plain functions, shared by the paper venue and the numba kernel.

Equal to the last bit to bbroker.py, order.py, position.py and comminfo.py of backtrader
1.9.78.123, for stock-like assets: multiplier and leverage 1, no interest, cash from shorts
(shortcash) and no volume filler. `side` is +1 for buy and -1 for sell; sizes are signed units of
the instrument, prices and cash its quote currency; NaN is a price that is not there: no fill.

Only fill_market and fill_close care when an order was created. Every other order is tried on
whatever bar the broker meets next, also on one that it was created on when another feed alone
moved. The functions keep to what numba compiles: arithmetic, tuples and constants.
"""

import math
from typing import Final, NamedTuple

MARKET: Final = 0
MARKET_ON_CLOSE: Final = 1
LIMIT: Final = 2
STOP: Final = 3
STOP_LIMIT: Final = 4
TRAILING_STOP: Final = 5
TRAILING_STOP_LIMIT: Final = 6


class Bar(NamedTuple):
    """Prices of one bar."""

    open: float
    high: float
    low: float
    close: float


class Slippage(NamedTuple):
    """How much worse than asked a fill may be; the defaults are BackBroker's own.

    Args:
        frac: of the price (slip_perc); when it is not 0, `fixed` is not looked at.
        fixed: in price units (slip_fixed).
        at_open: fills at the open slip too (slip_open).
        match: past the bar's range, fill at its edge instead of not at all (slip_match).
        match_limit: the same for limit prices, even without `match` (slip_limit).
        beyond: past the edge, fill there all the same (slip_out).
    """

    frac: float = 0.0
    fixed: float = 0.0
    at_open: bool = False
    match: bool = True
    match_limit: bool = True
    beyond: bool = False


class Commission(NamedTuple):
    """What a fill costs: `rate` is a fraction of its value, or, when `is_fixed`, cash a unit."""

    rate: float = 0.0
    is_fixed: bool = False


class Position(NamedTuple):
    """Units held and their average price (0.0 when flat), after an update.

    `opened` and `closed` say how the update's size was used; both have its sign.
    """

    size: float
    price: float
    opened: float = 0.0
    closed: float = 0.0


class Execution(NamedTuple):
    """What a fill did to order, position and cash.

    Args:
        size: executed units, signed; 0.0 when nothing could be.
        value: cost of what it closed plus value of what it opened (order.executed.value).
        commission: paid for it.
        pnl: realised, before commission.
        cash: afterwards.
        position: afterwards.
        is_margin: cash did not reach for the opening part; the order ends in status Margin.
    """

    size: float
    value: float
    commission: float
    pnl: float
    cash: float
    position: Position
    is_margin: bool


def is_expired(order_type: int, valid_until: float, at: float) -> bool:
    """Say whether an order lapses before bar `at` is tried; a market order never does.

    `valid_until` and `at` are instants on one scale; NaN is good till cancelled.
    """
    return order_type != MARKET and at > valid_until


def slip(side: int, price: float, edge: float, slippage: Slippage, is_limit: bool) -> float:
    """Make `price` worse, but not past `edge` (highest to buy at, lowest to sell at).

    Returns:
        The price; NaN when it lies past `edge` and slippage says not to match then.
    """
    if slippage.frac != 0.0:
        slipped = price * (1.0 + side * slippage.frac)
    elif slippage.fixed != 0.0:
        slipped = price + side * slippage.fixed
    else:
        return price
    if _reaches(side, edge, slipped):
        return slipped
    if not (slippage.match or (is_limit and slippage.match_limit)):
        return math.nan
    return slipped if slippage.beyond else edge


def fill_market(side: int, bar: Bar, price: float, slippage: Slippage) -> float:
    """Return the price of a market order, on the first bar strictly later than its creation.

    `price` is that bar's open, or, cheating on close, the close at the order's creation.
    """
    if not slippage.at_open:
        return price
    return slip(side, price, bar.high if side > 0 else bar.low, slippage, False)


def fill_close(
    close: float, noted: float, at: float, created_at: float, session_end: float
) -> tuple[float, bool]:
    """Return the price of a market-on-close order, and whether it is the previous bar's.

    Args:
        close: of this bar.
        noted: close of the last bar on which it was tried without a fill; NaN before that.
        at: this bar's instant.
        created_at: the order's.
        session_end: the end of the session that the order was created in, on the same scale.

    Returns:
        The price is NaN while the session lasts; note this bar's close then.
    """
    if not (at > created_at and at >= session_end):
        return math.nan, False
    if at > session_end and not math.isnan(noted) and noted != 0.0:
        return noted, True
    return close, False


def fill_limit(side: int, bar: Bar, limit: float, slippage: Slippage) -> float:
    """Return the price of a limit order: a better open, else the limit if the bar touches it."""
    if _reaches(side, limit, bar.open):
        if not slippage.at_open:
            return bar.open
        # Stock caps a slipped buy at the bar's high too, but a slipped sell at the limit alone.
        edge = min(bar.high, limit) if side > 0 else limit
        return slip(side, bar.open, edge, slippage, True)
    return limit if _reaches(side, limit, bar.low if side > 0 else bar.high) else math.nan


def fill_stop(side: int, bar: Bar, stop: float, slippage: Slippage) -> float:
    """Return the price of a stop order: the open after a gap, else the stop if the bar hits it.

    A trailing stop is one whose `stop` moves after each bar without a fill: see trail_stop.
    """
    edge = bar.high if side > 0 else bar.low
    if _reaches(side, bar.open, stop):
        return slip(side, bar.open, edge, slippage, False) if slippage.at_open else bar.open
    if _reaches(side, edge, stop):
        return slip(side, stop, edge, slippage, False)
    return math.nan


def fill_stop_limit(
    side: int, bar: Bar, stop: float, limit: float, slippage: Slippage
) -> tuple[float, bool]:
    """Return the price of a stop-limit order not yet triggered, and whether it is so now.

    Inside the bar that triggers it, it fills only where the bar's course leaves no doubt. Once
    triggered it is a limit order: see fill_limit.
    """
    if _reaches(side, bar.open, stop):
        return fill_limit(side, bar, limit, slippage), True
    edge = bar.high if side > 0 else bar.low
    if not _reaches(side, edge, stop):
        return math.nan, False
    if _reaches(side, limit, stop):
        return slip(side, stop, edge, slippage, True), True
    # The bar must have come back after the trigger; an unchanged close is so for a sell only.
    came_back = bar.open > bar.close if side > 0 else bar.open <= bar.close
    return (limit if came_back and _reaches(side, limit, bar.close) else math.nan), True


def trail_stop(
    side: int, stop: float, price: float, trail_amount: float, trail_frac: float
) -> float:
    """Return the stop price after `price` was seen: it follows, and never goes back.

    At creation `stop` is inf to buy and -inf to sell, and `price` the one asked for, else the
    close; afterwards `price` is the close of each bar on which the order was tried as a stop and
    did not end. The limit of a trailing stop-limit is always stop - offset, where offset is the
    price at creation minus the limit asked for.

    Args:
        trail_amount: distance in price units; 0.0 is none.
        trail_frac: distance as a fraction of `price`, when there is no amount; 0.0 is none.
    """
    distance = trail_amount if trail_amount != 0.0 else price * trail_frac
    followed = price + side * distance
    return min(stop, followed) if side > 0 else max(stop, followed)


def fill_order(
    order_type: int,
    side: int,
    bar: Bar,
    stop: float,
    limit: float,
    is_triggered: bool,
    slippage: Slippage,
) -> tuple[float, bool]:
    """Return the price and the triggered flag of any order but market-on-close.

    `stop` and `limit` are looked at where the type has them.
    """
    if order_type == MARKET:
        return fill_market(side, bar, bar.open, slippage), is_triggered
    if order_type == LIMIT or is_triggered:
        return fill_limit(side, bar, limit, slippage), is_triggered
    if order_type in (STOP, TRAILING_STOP):
        return fill_stop(side, bar, stop, slippage), False
    return fill_stop_limit(side, bar, stop, limit, slippage)


def commission_of(size: float, price: float, commission: Commission) -> float:
    """Return what a fill of `size` at `price` costs; never negative for a positive rate."""
    if commission.is_fixed:
        return abs(size) * commission.rate
    return abs(size) * commission.rate * price


def update_position(position: Position, size: float, price: float) -> Position:
    """Add `size` at `price`: growth averages, reduction keeps the price, a flip takes the new."""
    total = position.size + size
    if total == 0.0:
        return Position(total, 0.0, 0.0, size)
    if position.size == 0.0:
        return Position(total, price, size, 0.0)
    is_long = position.size > 0.0
    if size > 0.0 if is_long else size < 0.0:
        average = (position.price * position.size + size * price) / total
        return Position(total, average, size, 0.0)
    if is_long == (total > 0.0):
        return Position(total, position.price, 0.0, size)
    return Position(total, price, total, -position.size)


def reserve(
    cash: float, position: Position, size: float, price: float, commission: Commission
) -> tuple[float, Position]:
    """Execute an order on paper, at submission, and return the cash and position it would leave.

    Below zero cash the order ends in status Margin. The next order submitted in the same bar is
    checked against what this one left, even if it ended so.

    Args:
        cash: free, after the reservations before this one.
        position: held, after the same.
        size: signed.
        price: the stop of a stop order, else the limit, else the close at creation.
    """
    after = update_position(position, size, price)
    cash += -after.closed * price
    cash -= commission_of(after.closed, price, commission)
    cash -= after.opened * price
    cash -= commission_of(after.opened, price, commission)
    return cash, after


def execute(
    cash: float, position: Position, size: float, price: float, commission: Commission
) -> Execution:
    """Fill `size` at `price`; without the cash for all of it, only what closes the position.

    Cash moves in stock's order: value and pnl of what is closed, its commission, the value of
    what is opened, its commission.
    """
    wanted = update_position(position, size, price)
    closed, opened = wanted.closed, wanted.opened
    pnl = -closed * (price - position.price)
    closed_value = -closed * position.price
    closed_commission = commission_of(closed, price, commission)
    cash += closed_value + pnl
    cash -= closed_commission
    opened_value = opened * price
    opened_commission = commission_of(opened, price, commission)
    left = cash - opened_value
    left -= opened_commission
    if opened != 0.0 and left < 0.0:
        kept = update_position(position, closed, price)
        return Execution(closed, closed_value, closed_commission, pnl, cash, kept, True)
    value = closed_value + opened_value
    paid = closed_commission + opened_commission
    return Execution(closed + opened, value, paid, pnl, left, wanted, False)


def average_price(filled: float, average: float, size: float, price: float) -> float:
    """Return an order's executed price after `size` more at `price`.

    `filled` units at `average` came before. For a single fill, (0 + size * price) / size, it can
    be one ulp off `price`, and that is what Backtrader reports.
    """
    return (filled * average + size * price) / (filled + size)


def _reaches(side: int, price: float, level: float) -> bool:
    """Say whether `price` is at `level` or past it: above to buy, below to sell."""
    return price >= level if side > 0 else price <= level
