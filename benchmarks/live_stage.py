"""The strategies of the live benchmark, in the session's process: crosses with a stopwatch.

Both trade the same: one as Backtrader's users write it, one as ours is written, over arrays.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import orjson

from strategies.sma_cross import SmaCross


class Crosses(bt.Strategy):
    """One unit of each feed while its 10-bar mean is above its 30-bar mean."""

    params = (("stamps", ""),)

    def __init__(self) -> None:
        self._told_ns: dict[str, int] = {}
        self._crosses = [
            bt.ind.CrossOver(bt.ind.SMA(data, period=10), bt.ind.SMA(data, period=30))
            for data in self.datas
        ]

    def next(self) -> None:
        for data, cross in zip(self.datas, self._crosses, strict=True):
            if cross[0] > 0:
                self.buy(data, size=1, reason="the fast mean crossed above the slow one")
            elif cross[0] < 0 and self.getposition(data).size:
                self.sell(data, size=1, reason="the fast mean crossed below the slow one")

    def notify_order(self, order: Any) -> None:
        note(self, order)

    def stop(self) -> None:
        Path(self.p.stamps).write_bytes(orjson.dumps(self._told_ns))


class ArrayCrosses(SmaCross):
    """The same by the shipped strategy."""

    @dataclass(frozen=True)
    class Config(SmaCross.Config):
        """As sma_cross, and `stamps`."""

        stamps: str = ""

    def start(self) -> None:
        super().start()
        self._told_ns: dict[str, int] = {}

    def notify_order(self, order: Any) -> None:
        note(self, order)
        super().notify_order(order)

    def stop(self) -> None:
        Path(self.p.stamps).write_bytes(orjson.dumps(self._told_ns))


def note(strategy: Any, order: Any) -> None:
    """Note the time at which a completed order was told of; the first time counts."""
    told_ns = time.monotonic_ns()
    if order.status == order.Completed:
        strategy._told_ns.setdefault(strategy.broker.order_id(order.ref), told_ns)  # noqa: SLF001
