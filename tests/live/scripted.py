"""A strategy by script, which at one bar sends trouble to the venue or does a deed.

It is loaded from its file by every session anew; see `hosted.py`.
"""

import os
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import backtrader as bt

from live.paper.control import Remote

BEFORE = 40  # bars of warm-up
ROOM = 900  # bytes that a disk still takes: two short lines, no decision


class Scripted(bt.Strategy):
    """Holds two from its first bar on, with exits or none, and may rest an entry at its third.

    It counts calm bars alone, those at which the venue has answered all of its orders and filled
    those at the market: so its script is the same however busy the machine is.

    Args (Backtrader params):
        door: the venue's control address and its token.
        folder: the session's.
        at: the bar at which trouble is sent and a deed is done.
        trouble: a fault plan, in TOML.
        deed: one of `DEEDS`.
        ends: bars from which on the session is interrupted, each in another of its lives, and not
            while that repeats an earlier one, which may have seen more bars on its way down.
        entry: the resting entry's share of the last close; 0: none.
        exits: whether what is held has a stop and a limit.
        every: after the trouble so many units of the last feed are bought every so many bars, and
            of the first one sold again when they are held; 0: never.
        size: of these.
        tells: the reason of these names all threads.
        answers: what is held gets a limit, in notify_order.
    """

    params: Any = (
        ("door", ""),
        ("folder", ""),
        ("at", 5),
        ("trouble", ""),
        ("deed", ""),
        ("ends", ()),
        ("entry", 0.0),
        ("exits", False),
        ("every", 0),
        ("size", 1.0),
        ("tells", False),
        ("answers", False),
    )

    def __init__(self) -> None:
        self._bar = 0
        self._open: set[int] = set()
        self._is_live = self._is_ending = False

    def notify_order(self, order: Any) -> None:
        """Note whether the order is still waited for."""
        is_new = order.exectype == bt.Order.Market or order.status < bt.Order.Accepted
        if not (order.alive() and is_new):
            self._open.discard(order.ref)
        if self.p.answers and order.status == bt.Order.Completed:
            limit = round(order.executed.price * 1.3, 2)
            self.sell(size=2, exectype=bt.Order.Limit, price=limit, reason="answer")

    def notify_data(self, _data: Any, status: int, *_: Any, **__: Any) -> None:
        """Note whether bars come from the venue."""
        self._is_live = status == bt.DataBase.LIVE

    def next(self) -> None:
        """Do what the script says for the bar."""
        if len(self) <= BEFORE or self._open:
            return
        self._bar += 1
        if self._bar in (1, 3):
            self._begin(self._bar, self.data.close[0])
        if self._bar == self.p.at and self.p.trouble:
            self._send_trouble()
        if self._bar == self.p.at and self.p.deed:
            self._do(self.p.deed, self._bar)
        if self._is_live and not self._is_ending:
            self._is_ending = any(
                self._do("interrupt", bar) for bar in self.p.ends if self._bar >= bar
            )
        if self.p.every and self._bar > self.p.at and (self._bar - self.p.at) % self.p.every == 1:
            self._turn_over()

    def _begin(self, bar: int, close: float) -> None:
        if bar == 1 and self.p.exits:
            stop, limit = round(close * 0.8, 2), round(close * 1.2, 2)
            kind = bt.Order.Market
            self._await(*self.buy_bracket(size=2, exectype=kind, stopprice=stop, limitprice=limit))
        elif bar == 1:
            self._await(self.buy(size=2, reason="hold two"))
        elif self.p.entry:
            price = round(close * self.p.entry, 2)
            self._await(self.buy(size=1, exectype=bt.Order.Limit, price=price, reason="rest"))

    def _await(self, *orders: Any) -> None:
        """Count no bar before these are answered; those of other feeds may take their time."""
        self._open.update(order.ref for order in orders if order.data is self.data)

    def _do(self, deed: str, bar: int) -> bool:
        """Do what is due at a bar, once in all lives of the session; whether this one did."""
        folder = Path(self.p.folder)
        done = folder.with_name(f"{deed} at {bar}")
        if done.exists():
            return False
        done.touch()
        DEEDS[deed](folder)
        return True

    def _send_trouble(self) -> None:
        url, token = self.p.door.split()
        remote = Remote(url, token)
        remote.arm(self.p.trouble)
        remote.close()

    def _turn_over(self) -> None:
        data = self.datas[-1]
        is_more = data is self.data and self.position.size > 2
        act = self.sell if is_more else self.buy
        names = sorted(thread.name for thread in threading.enumerate())
        reason = ", ".join(names) if self.p.tells else "now and then"
        self._await(act(data=data, size=self.p.size, reason=reason))


def _fill_the_disk(folder: Path) -> None:
    """Let no file of this process grow any more."""
    size = (folder / "decisions.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + ROOM, resource.RLIM_INFINITY))


def _interrupt_twice(folder: Path) -> None:
    del folder
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)


def _fail(folder: Path) -> None:
    raise RuntimeError("on purpose")


DEEDS: Mapping[str, Callable[[Path], Any]] = {
    "fail": _fail,
    "fill the disk": _fill_the_disk,
    "remove the folder": shutil.rmtree,
    "touch the kill file": lambda folder: (folder / "KILL").touch(),
    "interrupt": lambda folder: os.kill(os.getpid(), signal.SIGINT),
    "interrupt twice": _interrupt_twice,
    "terminate": lambda folder: os.kill(os.getpid(), signal.SIGTERM),
}
