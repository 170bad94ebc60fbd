"""The strategy of the live benchmark, in the session's process: sma_cross with a stopwatch."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from strategies.sma_cross import SmaCross


class StampedCross(SmaCross):
    """Notes when it was told of each completed order, on the clock that all processes share."""

    @dataclass(frozen=True)
    class Config(SmaCross.Config):
        """As sma_cross, and `stamps`: the file for nanoseconds by client order id."""

        stamps: str = ""

    def start(self) -> None:
        super().start()
        self._told_ns: dict[str, int] = {}

    def notify_order(self, order: Any) -> None:
        told_ns = time.monotonic_ns()
        if order.status == order.Completed:
            self._told_ns[self.broker.order_id(order.ref)] = told_ns
        super().notify_order(order)

    def stop(self) -> None:
        Path(self.config.stamps).write_bytes(orjson.dumps(self._told_ns))
