"""From wishes to orders: strategies.base and what the guard's schema refuses, for numba."""

import math

from backtest.compiled import columns as col
from backtest.compiled.broker import end_family, end_order, is_entry_alive, know_position
from backtest.compiled.desk import Asked, Desk, Floats, Market, Terms
from brokers import fills


def strategy_turn(desk: Desk, market: Market, terms: Terms, wishes: Floats, step: int) -> None:
    """Pursue the wishes of this bar, (col.OUTPUTS, N), and those that wait: Strategy.next."""
    count = gather_wants(desk, wishes, market, step)
    desk.counts[col.WAITING] = 0
    stepping = 0
    for place in range(count):
        feed = desk.queues[col.WANTING_FEEDS, place]
        if clear_way(desk, market, terms, feed, step):
            desk.queues[col.STEPPING_FEEDS, stepping] = feed
            stepping += 1
    for turn in range(4):  # sells before buys; of each, what reduces a position first
        for place in range(stepping):
            feed = desk.queues[col.STEPPING_FEEDS, place]
            held, wanted = desk.feeds[feed, col.UNITS], desk.feeds[feed, col.WANTED_UNITS]
            after_others = 0 if is_reduction(held, wanted) else 1
            if turn == (2 if wanted - held > 0.0 else 0) + after_others:
                take_step(desk, market, terms, feed, step)


def gather_wants(desk: Desk, wishes: Floats, market: Market, step: int) -> int:
    """Queue the feeds with a want: those that waited, in their order, then those with a wish."""
    feeds, queues = desk.feeds, desk.queues
    count = 0
    for place in range(desk.counts[col.WAITING]):
        feed = queues[col.WAITING_FEEDS, place]
        queues[col.WANTING_FEEDS, count] = feed
        count += 1
    for feed in range(feeds.shape[0]):
        wish = wishes[col.TARGET, feed]
        if math.isnan(wish) or market.bar[feed, step] < 0:
            continue
        for output in range(col.OUTPUTS):
            feeds[feed, col.WANTS + output] = wishes[output, feed]
            if math.isinf(wishes[output, feed]):
                desk.counts[col.FAULT] = col.NOT_FINITE
        if feeds[feed, col.IS_WAITING] == 0.0:
            queues[col.WANTING_FEEDS, count] = feed
            count += 1
    for place in range(count):
        feeds[queues[col.WANTING_FEEDS, place], col.IS_WAITING] = 0.0
    return count


def wait(desk: Desk, feed: int) -> None:
    """Keep the feed's want for the next bar."""
    desk.queues[col.WAITING_FEEDS, desk.counts[col.WAITING]] = feed
    desk.counts[col.WAITING] += 1
    desk.feeds[feed, col.IS_WAITING] = 1.0


def clear_way(desk: Desk, market: Market, terms: Terms, feed: int, step: int) -> bool:
    """Withdraw what a want contradicts; False when nothing can or need be sent now."""
    mine = desk.feeds[feed]
    is_same = are_same(mine, col.WANTS, col.TERMS, col.OUTPUTS)
    if is_entry_alive(desk, feed):
        if is_same:
            if mine[col.CLOSES_FIRST] != 0.0:
                wait(desk, feed)
            return False
        withdraw_entry(desk, feed)
    elif is_same and mine[col.CLOSES_FIRST] != 0.0 and mine[col.ENTRY_STATE] == col.REFUSED:
        mine[col.CLOSES_FIRST] = 0.0
        return False
    measure(desk, market, terms, feed, step)
    if not do_exits_stand(desk, feed):
        withdraw_exits(desk, feed)
        return True
    return bool(mine[col.WANTED_UNITS] - mine[col.UNITS] != 0.0)


def are_same(row: Floats, first: int, second: int, count: int) -> bool:
    """Compare two stretches of a row; NaN equals NaN."""
    for k in range(count):
        a, b = row[first + k], row[second + k]
        if not (a == b or (math.isnan(a) and math.isnan(b))):
            return False
    return True


def measure(desk: Desk, market: Market, terms: Terms, feed: int, step: int) -> None:
    """Set the wanted units; those that are as good as held are what is held."""
    know_position(desk, feed)
    held = desk.feeds[feed, col.UNITS]
    wanted = wanted_units(desk, market, terms, feed, step)
    if abs(wanted) > col.LARGEST_UNITS:
        desk.counts[col.FAULT] = col.TOO_LARGE
    desk.feeds[feed, col.WANTED_UNITS] = held if is_close(held, wanted) else wanted


def is_close(a: float, b: float) -> bool:
    """math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)."""
    away = abs(a - b)
    return bool(a == b or away <= abs(1e-9 * b) or away <= abs(1e-9 * a) or away <= 1e-12)


def wanted_units(desk: Desk, market: Market, terms: Terms, feed: int, step: int) -> float:
    """Strategy._units; the bar frame's closes are above zero."""
    want, close = desk.feeds[feed, col.WANTS + col.TARGET], market.close[feed, step]
    if terms.is_weight:
        amount = max(desk.money[col.VALUE], 0.0) * abs(want)
        return float(math.copysign(float(amount // close), want) + 0.0)
    if want == 0.0:
        return 0.0
    if desk.feeds[feed, col.UNITS] * want <= 0.0:
        desk.feeds[feed, col.STAKE] = stake_now(desk, terms, close)
    return float(want * desk.feeds[feed, col.STAKE] + 0.0)


def stake_now(desk: Desk, terms: Terms, close: float) -> float:
    """The sizer's answer: fixed, or strategies.sizing.PercentOfEquity."""
    if not math.isnan(terms.stake):
        return float(terms.stake)
    equity = desk.money[col.VALUE]
    if not equity > 0.0:
        return 0.0
    return float(math.floor(equity * (terms.percent / 100.0) / close))


def is_reduction(held: float, wanted: float) -> bool:
    """Some of what is held goes."""
    return abs(wanted) < abs(held) or held * wanted < 0.0


def kept_units(held: float, wanted: float) -> float:
    """What is held before and after, signed."""
    if not held * wanted > 0.0:
        return 0.0
    return held if abs(held) <= abs(wanted) else wanted


def has_exits(desk: Desk, feed: int) -> bool:
    """Tell whether the want names exits."""
    mine = desk.feeds[feed]
    return not (
        math.isnan(mine[col.WANTS + col.TAKE_PROFIT])
        and math.isnan(mine[col.WANTS + col.STOP_LOSS])
    )


def do_exits_stand(desk: Desk, feed: int) -> bool:
    """Strategy._exits_stand."""
    mine = desk.feeds[feed]
    held, wanted = mine[col.UNITS], mine[col.WANTED_UNITS]
    is_protected = is_guarded(desk, feed)
    if kept_units(held, wanted) == 0.0:
        return not is_protected
    reduces = is_reduction(held, wanted)
    if has_exits(desk, feed):
        is_same = is_protected and are_same(mine, col.WANTS + col.TAKE_PROFIT, col.EXIT_TERMS, 2)
        return is_same and not reduces
    return not is_protected or not reduces


def is_guarded(desk: Desk, feed: int) -> bool:
    """Tell whether exits of the feed are at work."""
    orders = desk.orders
    for i in range(desk.counts[col.ORDERS]):
        if (
            orders[i, col.ROLE] == col.EXIT
            and orders[i, col.FEED] == feed
            and orders[i, col.STATE] != col.ENDED
        ):
            return True
    return False


def withdraw_entry(desk: Desk, feed: int) -> None:
    """Cancel the entry, and with it the legs that it leads."""
    orders = desk.orders
    for i in range(desk.counts[col.ORDERS]):
        is_entry = orders[i, col.ROLE] == col.ENTRY and orders[i, col.FEED] == feed
        if is_entry and orders[i, col.STATE] != col.ENDED:
            end_order(desk, i, col.WITHDRAWN)
            end_family(desk, i)


def withdraw_exits(desk: Desk, feed: int) -> None:
    """Cancel all exits of a feed."""
    orders = desk.orders
    for i in range(desk.counts[col.ORDERS]):
        is_exit = orders[i, col.ROLE] == col.EXIT and orders[i, col.FEED] == feed
        if is_exit and orders[i, col.STATE] != col.ENDED:
            end_order(desk, i, col.WITHDRAWN)


def take_step(desk: Desk, market: Market, terms: Terms, feed: int, step: int) -> None:
    """Strategy._take."""
    mine = desk.feeds[feed]
    held, wanted = mine[col.UNITS], mine[col.WANTED_UNITS]
    gap, names_exits = wanted - held, has_exits(desk, feed)
    for output in range(col.OUTPUTS):
        mine[col.TERMS + output] = mine[col.WANTS + output]
    closes_first = held * wanted < 0.0 and (names_exits or not terms.through_zero)
    mine[col.CLOSES_FIRST] = 1.0 if closes_first else 0.0
    if closes_first:
        send_entry(desk, market, feed, step, -held, math.nan)
        wait(desk, feed)
        return
    kept = kept_units(held, wanted)
    if names_exits and kept != 0.0 and not is_guarded(desk, feed):
        lay_exits(desk, market, feed, step, kept)
    if names_exits and gap != 0.0 and not is_reduction(held, wanted):
        send_bracket(desk, market, feed, step, gap)
    elif gap != 0.0:
        send_entry(desk, market, feed, step, gap, mine[col.WANTS + col.LIMIT_PRICE])
    if names_exits:
        mine[col.EXIT_TERMS] = mine[col.WANTS + col.TAKE_PROFIT]
        mine[col.EXIT_TERMS + 1] = mine[col.WANTS + col.STOP_LOSS]


def send_entry(desk: Desk, market: Market, feed: int, step: int, size: float, limit: float) -> None:
    """One order without legs: at market, or at a limit that the schema may refuse."""
    price = order_price(market, feed, step, limit)
    if price > 0.0:
        kind = fills.MARKET if math.isnan(limit) else fills.LIMIT
        append_order(desk, market, feed, step, Asked(kind, size, price, col.ENTRY, 0.0, 0.0))
        desk.feeds[feed, col.ENTRY_STATE] = col.ALIVE
    else:
        desk.feeds[feed, col.ENTRY_STATE] = col.REFUSED


def order_price(market: Market, feed: int, step: int, asked: float) -> float:
    """Backtrader takes the close where there is no price, and for a price of zero too."""
    return float(market.close[feed, step]) if math.isnan(asked) or asked == 0.0 else asked


def send_bracket(desk: Desk, market: Market, feed: int, step: int, size: float) -> None:
    """An entry and its legs, or none of them where the schema refuses the family."""
    mine = desk.feeds[feed]
    limit, profit, loss = (
        mine[col.WANTS + col.LIMIT_PRICE],
        mine[col.WANTS + col.TAKE_PROFIT],
        mine[col.WANTS + col.STOP_LOSS],
    )
    price = order_price(market, feed, step, limit)
    above = math.nan if math.isnan(profit) else order_price(market, feed, step, profit)
    below = math.nan if math.isnan(loss) else order_price(market, feed, step, loss)
    entry = math.nan if math.isnan(limit) else price
    if not do_prices_stand(size > 0.0, below, entry, above):
        mine[col.ENTRY_STATE] = col.REFUSED
        return
    desk.counts[col.LINKS] += 1
    family = float(desk.counts[col.LINKS])
    kind = fills.MARKET if math.isnan(limit) else fills.LIMIT
    append_order(desk, market, feed, step, Asked(kind, size, price, col.ENTRY, family, 0.0))
    mine[col.ENTRY_STATE] = col.ALIVE
    if not math.isnan(below):
        append_order(
            desk, market, feed, step, Asked(fills.STOP, -size, below, col.EXIT, family, 0.0)
        )
    if not math.isnan(above):
        append_order(
            desk, market, feed, step, Asked(fills.LIMIT, -size, above, col.EXIT, family, 0.0)
        )


def do_prices_stand(is_long: bool, below: float, entry: float, above: float) -> bool:
    """OrderSchema's ladder: prices above zero; stop loss, entry, take profit rise for a long."""
    last = math.nan
    for price in (below, entry, above):
        if math.isnan(price):
            continue
        if price <= 0.0 or (price <= last if is_long else price >= last):
            return False
        last = price
    return True


def lay_exits(desk: Desk, market: Market, feed: int, step: int, held: float) -> None:
    """Exits for a position that is held already; two of them cancel each other."""
    profit, loss = (
        desk.feeds[feed, col.WANTS + col.TAKE_PROFIT],
        desk.feeds[feed, col.WANTS + col.STOP_LOSS],
    )
    group = 0.0
    if not math.isnan(loss):
        price = order_price(market, feed, step, loss)
        if price <= 0.0:
            return  # the schema refuses it, and its partner with it
        if not math.isnan(profit):
            desk.counts[col.LINKS] += 1
            group = float(desk.counts[col.LINKS])
        append_order(
            desk, market, feed, step, Asked(fills.STOP, -held, price, col.EXIT, 0.0, group)
        )
    if not math.isnan(profit):
        price = order_price(market, feed, step, profit)
        if price > 0.0:
            append_order(
                desk, market, feed, step, Asked(fills.LIMIT, -held, price, col.EXIT, 0.0, group)
            )


def append_order(desk: Desk, market: Market, feed: int, step: int, asked: Asked) -> None:
    """Submit an order; a leg sleeps until its entry has filled."""
    i = desk.counts[col.ORDERS]
    if i == desk.orders.shape[0]:
        desk.counts[col.FAULT] = col.FULL
        return
    desk.counts[col.ORDERS] = i + 1
    order = desk.orders[i]
    order[col.FEED], order[col.BORN] = feed, market.bar[feed, step]
    order[col.KIND], order[col.SIZE], order[col.PRICE] = asked.kind, asked.size, asked.price
    order[col.ROLE], order[col.FAMILY], order[col.GROUP] = asked.role, asked.family, asked.group
    order[col.STATE] = col.SUBMITTED
    is_leg = asked.family != 0.0 and asked.role == col.EXIT
    order[col.AWAKE] = col.ASLEEP if is_leg else col.IS_AWAKE
