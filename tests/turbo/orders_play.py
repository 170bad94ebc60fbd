"""Strategies that do what a script says, and note all that can be seen of orders and accounts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import backtrader as bt

from tests.turbo.orders_plain import Plain


@dataclass(frozen=True)
class Deed:
    """One thing that a strategy does on a bar; prices are fractions away from the last close."""

    kind: str
    buy: bool = True
    size: int = 1
    near: float = 0.01
    far: float = 0.02
    feed: int = 0
    valid: Any = None
    tradeid: int = 0


@dataclass(frozen=True)
class Script:
    """What a strategy does and when, by its number of bars.

    Args:
        looks: the bars on which it reads its whole account; on others it stays unread.
        replies: done one after the other, on every third notification.
    """

    deeds: dict[int, list[Deed]]
    looks: frozenset[int] = frozenset()
    replies: list[Deed] = field(default_factory=list)


class Silent(bt.Strategy):
    """Overrides no notification."""

    params = (("script", None),)

    def __init__(self) -> None:
        self.plain = Plain()
        self.seen: list[Any] = []
        self.placed: list[Any] = []
        self.held: Any = None

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        number = len(self)
        if number == 2:
            self.held = self.getposition(self.datas[-1])  # kept, and looked at when it is done
        if number in self.p.script.looks:
            self.seen.append((number, self.plain.account(self.broker)))
        for deed in self.p.script.deeds.get(number, ()):
            self.do(deed)
        if number in self.p.script.looks:
            orders = [self.plain.order(order) for order in self.placed[-3:]]
            self.seen.append((number, orders, self.plain.account(self.broker)))

    def do(self, deed: Deed) -> None:
        data = self.datas[deed.feed % len(self.datas)]
        if len(data):
            made = DOING.get(deed.kind, place)(self, data, deed)
            made = made if isinstance(made, list) else [made]
            self.placed += [order for order in made if isinstance(order, bt.Order)]


class Listening(Silent):
    """Notes every notification, and answers some with orders."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0

    def reply(self) -> None:
        self.heard += 1
        number, rest = divmod(self.heard, 3)
        if not rest and number <= len(self.p.script.replies):
            self.do(self.p.script.replies[number - 1])

    def notify_order(self, order: bt.Order) -> None:
        self.seen.append((len(self), self.plain.order(order)))
        self.reply()

    def notify_trade(self, trade: bt.Trade) -> None:
        self.seen.append((len(self), self.plain.trade(trade)))
        self.reply()


class Counting(Listening):
    """Wants to know of its account on every bar."""

    def notify_cashvalue(self, cash: float, value: float) -> None:
        self.seen.append((len(self), "cash", cash.hex(), value.hex()))

    def notify_fund(self, cash: float, value: float, fundvalue: float, shares: float) -> None:
        self.seen.append((len(self), "fund", fundvalue.hex(), shares.hex()))


class Hearing(bt.Analyzer):
    """Hears everything, and holds another that hears orders."""

    def start(self) -> None:
        self.plain, self.heard = Plain(), []

    def notify_order(self, order: bt.Order) -> None:
        self.heard.append(self.plain.order(order))

    def notify_trade(self, trade: bt.Trade) -> None:
        self.heard.append(self.plain.trade(trade))

    def notify_fund(self, cash: float, value: float, fundvalue: float, shares: float) -> None:
        self.heard.append([x.hex() for x in (cash, value, fundvalue, shares)])

    def get_analysis(self) -> Any:
        return self.heard


class Relaying(bt.Analyzer):
    """Has its own way of hearing."""

    def start(self) -> None:
        self.heard: list[Any] = []

    def _notify_order(self, order: bt.Order) -> None:
        self.heard.append((order.status, order.executed.size))

    def get_analysis(self) -> Any:
        return self.heard


class Nested(bt.Analyzer):
    """Holds another analyzer, which alone hears."""

    def __init__(self) -> None:
        self.inner = bt.analyzers.TradeAnalyzer()

    def get_analysis(self) -> Any:
        return self.inner.get_analysis()


def place(strategy: Any, data: Any, deed: Deed) -> Any:
    """One order of a plain type."""
    side, sign = (strategy.buy, 1) if deed.buy else (strategy.sell, -1)
    last = data.close[0]
    near, far = last * (1 - sign * deed.near), last * (1 + sign * deed.far)
    how: dict[str, dict[str, Any]] = {
        "market": {},
        "sized": {"size": None},
        "close": {"exectype": bt.Order.Close},
        "limit": {"exectype": bt.Order.Limit, "price": near},
        "limit_by_plimit": {"exectype": bt.Order.Limit, "plimit": near},
        "stop": {"exectype": bt.Order.Stop, "price": far},
        "stop_limit": {"exectype": bt.Order.StopLimit, "price": far, "plimit": near},
        "stop_limit_beyond": {
            "exectype": bt.Order.StopLimit, "price": far, "plimit": far * (1 + sign * 0.01),
        },
        "trail": {"exectype": bt.Order.StopTrail, "trailpercent": deed.near},
        "trail_price": {
            "exectype": bt.Order.StopTrail, "trailamount": last * deed.near, "price": last,
        },
        "trail_limit": {
            "exectype": bt.Order.StopTrailLimit, "trailamount": last * deed.near,
            "plimit": last * (1 + sign * deed.near), "price": last,
        },
        "told": {"reason": "because", "coc": deed.size % 2 == 0},
    }  # fmt: skip
    terms = {"data": data, "size": deed.size, "valid": deed.valid, "tradeid": deed.tradeid}
    return side(**(terms | how[deed.kind]))


def bracket(strategy: Any, data: Any, deed: Deed) -> Any:
    make, sign = (strategy.buy_bracket, 1) if deed.buy else (strategy.sell_bracket, -1)
    last = data.close[0]
    return make(
        data=data, size=deed.size, valid=deed.valid, tradeid=deed.tradeid, price=last,
        exectype=bt.Order.Market if deed.far > 0.02 else bt.Order.Limit,
        stopprice=last * (1 - sign * deed.near), limitprice=last * (1 + sign * deed.far),
        stopexec=None if deed.size % 5 == 0 else bt.Order.Stop,
    )  # fmt: skip


def oco(strategy: Any, data: Any, deed: Deed) -> Any:
    side, sign = (strategy.buy, 1) if deed.buy else (strategy.sell, -1)
    terms = {"data": data, "size": deed.size, "valid": deed.valid}
    last = data.close[0]
    first = side(exectype=bt.Order.Limit, price=last * (1 - sign * deed.near), **terms)
    stop = {"exectype": bt.Order.Stop, "price": last * (1 + sign * deed.far)}
    return [first, side(oco=first, **stop, **terms), side(oco=first, **terms)][: 2 + deed.size % 2]


def cancel(strategy: Any, data: Any, deed: Deed) -> None:
    if strategy.placed:
        strategy.cancel(strategy.placed[deed.size % len(strategy.placed)])


def late_child(strategy: Any, data: Any, deed: Deed) -> Any:
    """A leg for an entry that may be filled, refused or at work."""
    if strategy.placed:
        parent = strategy.placed[-1]
        return strategy.sell(data=data, size=deed.size, parent=parent.parent or parent)
    return None


def untransmitted(strategy: Any, data: Any, deed: Deed) -> Any:
    return strategy.buy(data=data, size=deed.size, transmit=False)


def cloned(strategy: Any, data: Any, deed: Deed) -> None:
    """Copies by the user's hand, which move the marks of the fills that are pending."""
    for order in strategy.placed[-2:]:
        order.clone()
    strategy.seen.append([strategy.plain.of(o) for o in strategy.broker.get_orders_open(True)])


def target(kind: str) -> Any:
    def aim(strategy: Any, data: Any, deed: Deed) -> Any:
        goal = (1 if deed.buy else -1) * deed.size
        goals = {"size": goal, "value": goal * data.close[0] * 1.01, "percent": goal / 100}
        return getattr(strategy, f"order_target_{kind}")(data=data, target=goals[kind])

    return aim


DOING = {
    "bracket": bracket,
    "oco": oco,
    "cancel": cancel,
    "late_child": late_child,
    "untransmitted": untransmitted,
    "clone": cloned,
    "exit": lambda strategy, data, deed: strategy.close(data=data),
    "target_size": target("size"),
    "target_value": target("value"),
    "target_percent": target("percent"),
    "add_cash": lambda strategy, data, deed: strategy.broker.add_cash(deed.size * 10.5),
    "set_cash": lambda strategy, data, deed: strategy.broker.set_cash(5000.25 + deed.size),
    "scheme": lambda strategy, data, deed: strategy.broker.setcommission(deed.near),
    "value_of": lambda strategy, data, deed: strategy.seen.append(
        strategy.broker.getvalue([data]).hex()
    ),
    "raise_stop": lambda strategy, data, deed: strategy.env.runstop() if deed.size == 13 else None,
}  # fmt: skip
PLAIN_KINDS = (
    "market", "sized", "close", "limit", "limit_by_plimit", "stop", "stop_limit",
    "stop_limit_beyond", "trail", "trail_price", "trail_limit", "told",
)  # fmt: skip
VALID = (None, None, None, None, 0, timedelta(days=2), timedelta(), datetime(2020, 1, 12, 12))
