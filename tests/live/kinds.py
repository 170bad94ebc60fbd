"""A plain strategy that enters and leaves by every kind of order that Alpaca has."""

from typing import Any, ClassVar

import backtrader as bt

Orders = list[Any]
DAY, NEAR = bt.Order.DAY, 0.0005  # of the price: a minute's move


class EveryKind(bt.Strategy):
    """Takes the kinds in turn; what has not filled after some bars is cancelled."""

    params: ClassVar = {"patience": 6}

    def __init__(self) -> None:
        self.waiting: Orders = []
        self.since = self.entries = self.exits = 0

    def next(self) -> None:
        self.waiting = [order for order in self.waiting if order.alive()]
        if self.waiting:
            if len(self) - self.since == self.p.patience:
                self.cancel(self.waiting[0])  # what stands or falls with it goes too
            return
        self.since = len(self)
        if self.position.size % 1:  # Alpaca takes parts of a share in plain day orders alone
            self.waiting = [self.close(valid=DAY)]
        elif self.position.size:
            self.waiting = EXITS[self.exits % len(EXITS)](self)
            self.exits += 1
        else:
            self.waiting = ENTRIES[self.entries % len(ENTRIES)](self)
            self.entries += 1

    def at(self, nearer: float) -> float:
        """A price so many times a minute's move above the close, in cents."""
        return round(self.data.close[0] * (1 + nearer * NEAR), 2)


def market(s: EveryKind) -> Orders:
    return [s.buy(size=10)]


def limit(s: EveryKind) -> Orders:
    return [s.buy(size=10, exectype=bt.Order.Limit, price=s.at(-0.5))]


def stop(s: EveryKind) -> Orders:
    return [s.buy(size=10, exectype=bt.Order.Stop, price=s.at(0.5))]


def stop_limit(s: EveryKind) -> Orders:
    return [s.buy(size=10, exectype=bt.Order.StopLimit, price=s.at(0.3), plimit=s.at(0.6))]


def trail(s: EveryKind) -> Orders:
    return [s.buy(size=10, exectype=bt.Order.StopTrail, trailamount=0.1)]


def part(s: EveryKind) -> Orders:
    return [s.buy(size=2.5, valid=DAY)]


def bracket(s: EveryKind) -> Orders:
    return list(s.buy_bracket(size=10, exectype=bt.Order.Market, stopprice=s.at(-2),
                              limitprice=s.at(2)))  # fmt: skip


def oto(s: EveryKind) -> Orders:
    entry, exit_, _ = s.buy_bracket(size=10, exectype=bt.Order.Market, stopprice=s.at(-1.5),
                                    limitexec=None)  # fmt: skip
    return [entry, exit_]


def close(s: EveryKind) -> Orders:
    return [s.close(valid=DAY)]


def stop_then_target(s: EveryKind) -> Orders:
    size = s.position.size
    first = s.sell(size=size, exectype=bt.Order.Stop, price=s.at(-1))
    return [first, s.sell(size=size, exectype=bt.Order.Limit, price=s.at(1), oco=first)]


def target_then_stop(s: EveryKind) -> Orders:
    size = s.position.size
    first = s.sell(size=size, exectype=bt.Order.Limit, price=s.at(0.7))
    prices = {"price": s.at(-0.7), "plimit": s.at(-0.9)}
    return [first, s.sell(size=size, exectype=bt.Order.StopLimit, oco=first, **prices)]


def trail_amount(s: EveryKind) -> Orders:
    return [s.sell(size=s.position.size, exectype=bt.Order.StopTrail, trailamount=0.2)]


def trail_percent(s: EveryKind) -> Orders:
    return [s.sell(size=s.position.size, exectype=bt.Order.StopTrail, trailpercent=0.0005)]


ENTRIES = (market, limit, bracket, stop, stop_limit, oto, trail, part)
EXITS = (close, stop_then_target, target_then_stop, trail_amount, trail_percent, close)
