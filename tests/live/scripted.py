"""A strategy by script, which at one bar sends trouble to the venue; see `hosted.py`."""

from typing import Any

import backtrader as bt

from live.paper.control import Remote

BEFORE = 40  # bars of warm-up


class Scripted(bt.Strategy):
    """Holds two from the second bar on, with exits or none, and may rest an entry.

    Args (Backtrader params):
        door: the venue's control address and its token.
        trouble: a fault plan, in TOML.
        at: the bar at which the trouble is sent.
        entry: the resting entry's share of the last close; 0: none.
        exits: whether what is held has a stop and a limit.
        every: after the trouble, one unit is bought and sold every so many bars; 0: never.
    """

    params: Any = (
        ("door", ""),
        ("trouble", ""),
        ("at", 8),
        ("entry", 0.0),
        ("exits", False),
        ("every", 0),
    )

    def next(self) -> None:
        """Do what the script says for the bar."""
        bar, close = len(self) - BEFORE, self.data.close[0]
        if bar == 2 and self.p.exits:
            self.buy_bracket(
                size=2,
                exectype=bt.Order.Market,
                stopprice=round(close * 0.8, 2),
                limitprice=round(close * 1.2, 2),
            )
        elif bar == 2:
            self.buy(size=2, reason="hold two")
        if bar == 5 and self.p.entry:
            price = round(close * self.p.entry, 2)
            self.buy(size=1, exectype=bt.Order.Limit, price=price, reason="rest")
        if bar == self.p.at and self.p.trouble:
            url, token = self.p.door.split()
            remote = Remote(url, token)
            remote.arm(self.p.trouble)
            remote.close()
        if self.p.every and bar > self.p.at and (bar - self.p.at) % self.p.every == 1:
            side = self.sell if self.position.size > 2 else self.buy
            side(size=1, reason="now and then")
