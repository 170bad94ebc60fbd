"""BackBroker's turn over one run's orders; its rules of fill, cash and position are brokers.fills.

numba compiles these functions. They do what bbroker.py of backtrader 1.9.78.123 does with market,
limit and stop orders, families of an entry and its legs, and OCO pairs.
"""

import math

from backtest.compiled import columns as col
from backtest.compiled.desk import Desk, Market, Terms
from brokers import fills
from brokers.fills import (
    Bar,
    Execution,
    Position,
    commission_of,
    execute,
    fill_limit,
    fill_market,
    fill_stop,
    reserve,
)


def broker_turn(desk: Desk, market: Market, terms: Terms, step: int) -> None:
    """Wake legs, check what was submitted, try what is at work, forget what has ended."""
    orders = desk.orders
    count = desk.counts[col.ORDERS]
    is_new = False
    for i in range(count):
        if orders[i, col.AWAKE] == col.WAKES:
            orders[i, col.AWAKE] = col.IS_AWAKE
        is_new |= orders[i, col.STATE] == col.SUBMITTED
    if is_new:
        check_submitted(desk, terms, count)
    has_ended = False
    for i in range(count):
        if orders[i, col.STATE] == col.WORKING and orders[i, col.AWAKE] == col.IS_AWAKE:
            try_order(desk, market, terms, step, i)
    for i in range(count):
        has_ended |= orders[i, col.STATE] == col.ENDED
    if has_ended:
        forget_ended(desk, count)


def check_submitted(desk: Desk, terms: Terms, count: int) -> None:
    """Reserve cash in the order of submission; who finds none left ends in Margin."""
    orders, feeds = desk.orders, desk.feeds
    for feed in range(feeds.shape[0]):
        feeds[feed, col.PAPER_UNITS] = feeds[feed, col.UNITS]
        feeds[feed, col.PAPER_COST] = feeds[feed, col.COST]
    cash = desk.money[col.CASH]
    for i in range(count):
        if orders[i, col.STATE] != col.SUBMITTED:
            continue
        feed = int(orders[i, col.FEED])
        on_paper = Position(feeds[feed, col.PAPER_UNITS], feeds[feed, col.PAPER_COST], 0.0, 0.0)
        cash, after = reserve(
            cash, on_paper, orders[i, col.SIZE], orders[i, col.PRICE], terms.commission
        )
        feeds[feed, col.PAPER_UNITS], feeds[feed, col.PAPER_COST] = after.size, after.price
        if cash >= 0.0:
            orders[i, col.STATE] = col.WORKING
        else:
            end_order(desk, i, col.REFUSED)
            end_group(desk, i)
            end_family(desk, i)


def try_order(desk: Desk, market: Market, terms: Terms, step: int, i: int) -> None:
    """Fill one order on the bar that its feed shows, if the bar reaches it."""
    orders = desk.orders
    feed, size = int(orders[i, col.FEED]), orders[i, col.SIZE]
    kind, price = int(orders[i, col.KIND]), orders[i, col.PRICE]
    side = 1 if size > 0.0 else -1
    bar = Bar(
        market.open[feed, step],
        market.high[feed, step],
        market.low[feed, step],
        market.close[feed, step],
    )
    if kind == fills.MARKET:
        if market.bar[feed, step] <= orders[i, col.BORN]:
            return
        price = fill_market(side, bar, bar.open, terms.slippage)
    elif kind == fills.LIMIT:
        price = fill_limit(side, bar, price, terms.slippage)
    else:
        price = fill_stop(side, bar, price, terms.slippage)
    if not math.isnan(price):
        fill_order_at(desk, market, terms, step, i, price)


def fill_order_at(
    desk: Desk, market: Market, terms: Terms, step: int, i: int, price: float
) -> None:
    """Move cash and position, and end the order, its OCO partner and its family as they do."""
    orders, feeds = desk.orders, desk.feeds
    feed, size = int(orders[i, col.FEED]), orders[i, col.SIZE]
    held = Position(feeds[feed, col.UNITS], feeds[feed, col.COST], 0.0, 0.0)
    done = execute(desk.money[col.CASH], held, size, price, terms.commission)
    desk.money[col.CASH] = done.cash
    if done.size != 0.0:
        feeds[feed, col.UNITS], feeds[feed, col.COST] = done.position.size, done.position.price
        book_fill(desk, market, terms, step, feed, price, done)
    if done.is_margin:
        end_order(desk, i, col.REFUSED)
        end_group(desk, i)
        end_family(desk, i)
        return
    if done.size != size:
        desk.counts[col.FAULT] = col.INEXACT
    end_order(desk, i, col.COMPLETED)
    end_group(desk, i)
    if orders[i, col.ROLE] == col.ENTRY:
        wake_legs(desk, i)
    else:
        end_family(desk, i)


def wake_legs(desk: Desk, entry: int) -> None:
    """Legs of a filled entry work from the next turn on."""
    orders = desk.orders
    family = orders[entry, col.FAMILY]
    if family == 0.0:
        return
    for j in range(desk.counts[col.ORDERS]):
        if orders[j, col.FAMILY] == family and orders[j, col.AWAKE] == col.ASLEEP:
            orders[j, col.AWAKE] = col.WAKES


def end_order(desk: Desk, i: int, how: float) -> None:
    """Take an order from work; `how` is what its feed's entry state becomes."""
    orders = desk.orders
    orders[i, col.STATE] = col.ENDED
    if orders[i, col.ROLE] == col.ENTRY:
        desk.feeds[int(orders[i, col.FEED]), col.ENTRY_STATE] = how


def end_group(desk: Desk, i: int) -> None:
    """Cancel the OCO partner if it works; one that is only submitted is let go."""
    orders = desk.orders
    group = orders[i, col.GROUP]
    if group == 0.0:
        return
    for j in range(desk.counts[col.ORDERS]):
        if orders[j, col.GROUP] == group:
            orders[j, col.GROUP] = 0.0
            if orders[j, col.STATE] == col.WORKING:
                end_order(desk, j, col.REFUSED)


def end_family(desk: Desk, i: int) -> None:
    """Cancel the others of a bracket."""
    orders = desk.orders
    family = orders[i, col.FAMILY]
    if family == 0.0:
        return
    for j in range(desk.counts[col.ORDERS]):
        if orders[j, col.FAMILY] == family and orders[j, col.STATE] != col.ENDED:
            end_order(desk, j, col.REFUSED)


def forget_ended(desk: Desk, count: int) -> None:
    """Close the gaps that ended orders leave, in order."""
    orders, kept = desk.orders, 0
    for i in range(count):
        if orders[i, col.STATE] != col.ENDED:
            if kept != i:
                for column in range(col.ORDER_COLUMNS):
                    orders[kept, column] = orders[i, column]
            kept += 1
    desk.counts[col.ORDERS] = kept


def book_fill(
    desk: Desk,
    market: Market,
    terms: Terms,
    step: int,
    feed: int,
    price: float,
    done: Execution,
) -> None:
    """Note a fill, and carry its round trips on, as analyzers.trades does."""
    noted = desk.counts[col.FILLS]
    if noted < desk.fills.shape[0]:
        desk.fills[noted, 0] = market.bar[feed, step]
        desk.fills[noted, 1] = feed
        desk.fills[noted, 2] = done.size
        desk.fills[noted, 3] = price
        desk.fills[noted, 4] = done.commission
    desk.counts[col.FILLS] = noted + 1
    since = market.since[feed, step]
    if done.position.closed != 0.0:
        paid = commission_of(done.position.closed, price, terms.commission)
        carry_trip(desk, feed, done.position.closed, price, paid, since)
    if done.position.opened != 0.0:
        paid = commission_of(done.position.opened, price, terms.commission)
        carry_trip(desk, feed, done.position.opened, price, paid, since)


def carry_trip(desk: Desk, feed: int, size: float, price: float, paid: float, since: int) -> None:
    """Open, grow, reduce or close the feed's round trip."""
    trip, counts = desk.feeds[feed], desk.counts
    before = trip[col.TRIP_UNITS]
    if before == 0.0:
        counts[col.TRIPS] += 1
        trip[col.TRIP_COST] = trip[col.TRIP_PNL] = trip[col.TRIP_PAID] = 0.0
        desk.held_changes[since] += 1
    after = before + size
    trip[col.TRIP_UNITS] = after
    trip[col.TRIP_PAID] += paid
    if abs(after) > abs(before):
        trip[col.TRIP_COST] = (before * trip[col.TRIP_COST] + size * price) / after
        return
    trip[col.TRIP_PNL] += -size * (price - trip[col.TRIP_COST])
    if after == 0.0:
        counts[col.CLOSED] += 1
        if trip[col.TRIP_PNL] - trip[col.TRIP_PAID] > 0.0:
            counts[col.WINS] += 1
        desk.held_changes[since] -= 1


def mark_value(desk: Desk, market: Market, step: int) -> None:
    """Value the account at the closes, summed in the order in which feeds were first asked for."""
    unlevered = 0.0
    for place in range(desk.counts[col.HELD]):
        feed = desk.queues[col.HELD_FEEDS, place]
        size = desk.feeds[feed, col.UNITS]
        if size != 0.0:
            cost, close = desk.feeds[feed, col.COST], market.close[feed, step]
            unlevered = add_value(unlevered, size, cost, close)
    desk.money[col.VALUE] = desk.money[col.CASH] + unlevered


def add_value(total: float, size: float, cost: float, close: float) -> float:
    """Add a position's value to those before it, in BackBroker's order of sums."""
    value = size * close
    unrealised = size * (close - cost)
    return (total + (value - unrealised)) + unrealised if value > 0.0 else total + value


def know_position(desk: Desk, feed: int) -> None:
    """Enter a feed among BackBroker's positions, as asking for its position does."""
    if desk.feeds[feed, col.IS_HELD] == 0.0:
        desk.feeds[feed, col.IS_HELD] = 1.0
        desk.queues[col.HELD_FEEDS, desk.counts[col.HELD]] = feed
        desk.counts[col.HELD] += 1


def is_entry_alive(desk: Desk, feed: int) -> bool:
    """Tell whether the feed's last entry may still fill."""
    return bool(desk.feeds[feed, col.ENTRY_STATE] == col.ALIVE)
