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
    """Holds two from the second bar on, with exits or none, and may rest an entry.

    Args (Backtrader params):
        door: the venue's control address and its token.
        folder: the session's.
        at: the bar at which trouble is sent and a deed is done.
        trouble: a fault plan, in TOML.
        deed: one of `DEEDS`.
        entry: the resting entry's share of the last close; 0: none.
        exits: whether what is held has a stop and a limit.
        every: after the trouble so many units of the last feed are bought, and sold again when they
            are held, every so many bars; 0: never.
        size: of these.
        tells: the reason of these names all threads.
    """

    params: Any = (
        ("door", ""),
        ("folder", ""),
        ("at", 8),
        ("trouble", ""),
        ("deed", ""),
        ("entry", 0.0),
        ("exits", False),
        ("every", 0),
        ("size", 1.0),
        ("tells", False),
    )

    def next(self) -> None:
        """Do what the script says for the bar."""
        bar, close = len(self) - BEFORE, self.data.close[0]
        if bar == 2 and self.p.exits:
            stop, limit = round(close * 0.8, 2), round(close * 1.2, 2)
            self.buy_bracket(size=2, exectype=bt.Order.Market, stopprice=stop, limitprice=limit)
        elif bar == 2:
            self.buy(size=2, reason="hold two")
        if bar == 5 and self.p.entry:
            price = round(close * self.p.entry, 2)
            self.buy(size=1, exectype=bt.Order.Limit, price=price, reason="rest")
        if bar == self.p.at and self.p.trouble:
            self._send_trouble()
        if bar == self.p.at and self.p.deed:
            self._do()
        if self.p.every and bar > self.p.at and (bar - self.p.at) % self.p.every == 1:
            self._turn_over()

    def _do(self) -> None:
        """Do the deed, once in all lives of the session."""
        folder = Path(self.p.folder)
        done = folder.with_name("done")
        if not done.exists():
            done.touch()
            DEEDS[self.p.deed](folder)

    def _send_trouble(self) -> None:
        url, token = self.p.door.split()
        remote = Remote(url, token)
        remote.arm(self.p.trouble)
        remote.close()

    def _turn_over(self) -> None:
        data = self.datas[-1]
        left = self.getposition(data).size - (2 if data is self.data else 0)
        act = self.sell if left > 0 else self.buy
        names = sorted(thread.name for thread in threading.enumerate())
        reason = ", ".join(names) if self.p.tells else "now and then"
        act(data=data, size=self.p.size, reason=reason)


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
