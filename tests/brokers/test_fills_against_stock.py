"""Random bars and orders through stock Cerebro and through a small loop over brokers.fills."""

import math
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

import backtrader as bt
from backtrader.brokers import BackBroker
from backtrader.position import Position as StockPosition
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers import fills
from brokers.fills import Bar, Commission, Position, Slippage

HOURS = (9, 11, 13, 15)
TRAILING = (fills.TRAILING_STOP, fills.TRAILING_STOP_LIMIT)


class Ask(NamedTuple):
    """An order as a strategy asks for it on bar `bar`, in Backtrader's words; size is signed."""

    bar: int
    exectype: int
    size: float
    price: float | None = None
    plimit: float | None = None
    trailamount: float | None = None
    trailpercent: float | None = None
    valid_bars: int | None = None


class Market(NamedTuple):
    """What both sides are given."""

    bars: list[Bar]
    asks: list[Ask]
    cash: float
    slippage: Slippage
    commission: Commission
    coc: bool
    session_end: time | None

    def at(self, index):
        """Four bars a day."""
        day, nth = divmod(index, len(HOURS))
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=HOURS[nth])


class Outcome(NamedTuple):
    """How an order ended and in which bar, with the numbers of order.executed."""

    status: str
    bar: int
    size: float = 0.0
    price: float = 0.0
    value: float = 0.0
    comm: float = 0.0
    pnl: float = 0.0


# -- Stock


class Tape(bt.feed.DataBase):
    params = (("market", None),)

    def _load(self):
        index = self._next_row = getattr(self, "_next_row", -1) + 1
        if index >= len(self.p.market.bars):
            return False
        self.lines.datetime[0] = bt.date2num(self.p.market.at(index))
        for name, value in self.p.market.bars[index]._asdict().items():
            getattr(self.lines, name)[0] = value
        return True


class Asker(bt.Strategy):
    params = (("market", None),)

    def __init__(self):
        self.outcomes, self.accounts, self._nth = {}, [], {}

    def notify_order(self, order):
        if not order.alive():
            done = order.executed
            self.outcomes[self._nth[order.ref]] = Outcome(
                order.getstatusname(),
                len(self.data) - 1,
                *(done.size, done.price, done.value, done.comm, done.pnl),
            )

    def next(self):
        market, bar = self.p.market, len(self.data) - 1
        self.accounts.append((self.broker.cash, self.position.size, self.position.price))
        for nth, ask in enumerate(market.asks):
            if ask.bar == bar:
                place = self.buy if ask.size > 0 else self.sell
                how = ask._asdict()
                valid_bars = how.pop("valid_bars")
                del how["bar"]
                how["size"] = abs(ask.size)
                how["valid"] = None if valid_bars is None else market.at(bar + valid_bars)
                self._nth[place(**how).ref] = nth


def by_stock(market):
    cerebro = bt.Cerebro(stdstats=False)
    frac, fixed, at_open, match, match_limit, beyond = market.slippage
    cerebro.broker = BackBroker(
        cash=market.cash,
        coc=market.coc,
        slip_perc=frac,
        slip_fixed=fixed,
        slip_open=at_open,
        slip_match=match,
        slip_limit=match_limit,
        slip_out=beyond,
    )
    kind = bt.CommInfoBase.COMM_FIXED if market.commission.is_fixed else bt.CommInfoBase.COMM_PERC
    cerebro.broker.setcommission(market.commission.rate, commtype=kind, stocklike=True)
    cerebro.adddata(Tape(market=market, sessionend=market.session_end))
    cerebro.addstrategy(Asker, market=market)
    (strategy,) = cerebro.run()
    return strategy.outcomes, strategy.accounts


# -- Ours


class Working:
    """An order between submission and its end, with the prices that Backtrader would give it."""

    def __init__(self, market, nth, ask):
        close = market.bars[ask.bar].close
        self.nth, self.ask, self.side = nth, ask, 1 if ask.size > 0 else -1
        self.close = close
        self.stop = ask.price or ask.plimit or close
        self.limit = ask.plimit or self.stop
        self.offset = self.stop - self.limit
        self.triggered, self.noted = False, math.nan
        if ask.exectype in TRAILING:
            asked, self.stop = self.stop, self.side * math.inf
            self.trail(asked)
        if ask.exectype == fills.LIMIT:
            self.limit = self.stop
        self.valid_until = math.nan if ask.valid_bars is None else ask.bar + ask.valid_bars
        created_at = market.at(ask.bar)
        end = market.session_end or time(23, 59, 59, 999990)
        end_at = datetime.combine(created_at, end, tzinfo=UTC)
        self.session_end = end_at if end_at >= created_at else end_at + timedelta(days=1)

    def trail(self, price):
        ask = self.ask
        amount, frac = ask.trailamount or 0.0, ask.trailpercent or 0.0
        self.stop = fills.trail_stop(self.side, self.stop, price, amount, frac)
        self.limit = self.stop - self.offset

    def price(self, market, index):
        """Try it on one bar; a trailing stop moves when it was tried as a stop without a fill."""
        ask, bar, as_stop = self.ask, market.bars[index], not self.triggered
        if ask.exectype == fills.MARKET_ON_CLOSE:
            instants = (market.at(index), market.at(ask.bar), self.session_end)
            price, _ = fills.fill_close(bar.close, self.noted, *map(datetime.timestamp, instants))
            self.noted = bar.close
        elif ask.exectype == fills.MARKET and market.coc:
            price = fills.fill_market(self.side, bar, self.close, market.slippage)
        else:
            prices = (self.stop, self.limit, self.triggered)
            price, self.triggered = fills.fill_order(
                ask.exectype, self.side, bar, *prices, market.slippage
            )
        if math.isnan(price) and ask.exectype in TRAILING and as_stop:
            self.trail(bar.close)
        return price


class Loop:
    """BackBroker's turn over independent orders of one feed."""

    def __init__(self, market):
        self.market, self.cash, self.position = market, market.cash, Position(0.0, 0.0)
        self.submitted, self.pending, self.outcomes = [], [], {}

    def turn(self, index):
        self.check_submitted(index)
        for order in list(self.pending):
            if fills.is_expired(order.ask.exectype, order.valid_until, index):
                self.end(order, Outcome("Expired", index))
            elif not math.isnan(price := order.price(self.market, index)):
                self.fill(order, index, price)
        asks = enumerate(self.market.asks)
        self.submitted = [Working(self.market, n, ask) for n, ask in asks if ask.bar == index]

    def check_submitted(self, index):
        cash, position = self.cash, self.position
        for order in self.submitted:
            is_limit = order.ask.exectype == fills.LIMIT
            price = order.limit if is_limit else order.stop
            size = order.ask.size
            cash, position = fills.reserve(cash, position, size, price, self.market.commission)
            if cash >= 0.0:
                self.pending.append(order)
            else:
                self.outcomes[order.nth] = Outcome("Margin", index)

    def fill(self, order, index, price):
        done = fills.execute(
            self.cash, self.position, order.ask.size, price, self.market.commission
        )
        self.cash, self.position = done.cash, done.position
        outcome = Outcome("Margin", index)
        if done.size:
            status = "Margin" if done.is_margin else "Completed"
            executed = fills.average_price(0.0, 0.0, done.size, price)
            numbers = (done.size, executed, done.value, done.commission, done.pnl)
            outcome = Outcome(status, index, *numbers)
        self.end(order, outcome)

    def end(self, order, outcome):
        self.pending.remove(order)
        self.outcomes[order.nth] = outcome


def by_ours(market):
    loop, accounts = Loop(market), []
    for index in range(len(market.bars)):
        loop.turn(index)
        accounts.append((loop.cash, *loop.position[:2]))
    return loop.outcomes, accounts


# -- The comparison

ROUND = st.integers(90, 110).map(float)
PRICES = ROUND | st.floats(88.0, 112.0).map(lambda price: round(price, 2)) | st.floats(88.0, 112.0)
SIZES = st.integers(1, 20).map(float) | st.sampled_from([0.5, 3.7, 0.1])
TRAIL = st.sampled_from([None, 1.0, 2.5, 0.3])
FRACS = st.sampled_from([None, 0.01, 0.003])


@st.composite
def bars(draw):
    low, *inner, high = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
    first, last = draw(st.sampled_from([(0, 1), (1, 0)]))
    return Bar(inner[first], high, low, inner[last])


@st.composite
def asks(draw, count):
    exectype = draw(st.integers(fills.MARKET, fills.TRAILING_STOP_LIMIT))
    has_limit = exectype in (fills.STOP_LIMIT, fills.TRAILING_STOP_LIMIT)
    is_trailing = exectype in TRAILING
    return Ask(
        draw(st.integers(0, count - 1)),
        exectype,
        draw(SIZES) * draw(st.sampled_from([1, -1])),
        draw(
            PRICES if exectype > fills.MARKET_ON_CLOSE and not is_trailing else st.none() | PRICES
        ),
        draw(st.none() | PRICES) if has_limit else None,
        draw(TRAIL) if is_trailing else None,
        draw(FRACS) if is_trailing else None,
        draw(st.none() | st.integers(0, 6)),
    )


@st.composite
def markets(draw):
    tape = draw(st.lists(bars(), min_size=3, max_size=25))
    flag = st.booleans()
    return Market(
        tape,
        draw(st.lists(asks(len(tape)), min_size=1, max_size=12)),
        draw(st.sampled_from([1_000.0, 3_000.3, 100_000.0])),
        Slippage(
            draw(st.sampled_from([0.0, 0.0, 0.002, 0.013])),
            draw(st.sampled_from([0.0, 0.05, 1.3])),
            *(draw(flag) for _ in range(4)),
        ),
        Commission(draw(st.sampled_from([0.0, 0.001, 0.37])), draw(flag)),
        draw(flag),
        draw(st.sampled_from([None, time(15, 0), time(12, 0)])),
    )


random_markets = given(markets())


def same_as_stock(market):
    expected, accounts = by_stock(market)
    assert by_ours(market) == (expected, accounts)


@settings(deadline=None, max_examples=200)
@random_markets
def test_every_fill_price_cost_and_balance_is_stocks_own_to_the_bit(market):
    same_as_stock(market)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(SIZES | st.just(0.0), st.booleans(), PRICES), max_size=12))
def test_positions_add_up_as_stock_positions_do(updates):
    stock, ours = StockPosition(), Position(0.0, 0.0)
    for size, is_buy, price in updates:
        signed = size if is_buy else -size
        ours = fills.update_position(ours, signed, price)
        assert ours == stock.update(signed, price)
