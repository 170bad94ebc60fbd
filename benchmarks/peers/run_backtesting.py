"""backtesting.py: market orders at the next open; one instrument."""

import math
import time
import warnings
from typing import Any

BEGAN = time.perf_counter()
from backtesting import Backtest, Strategy  # noqa: E402
from backtesting.lib import crossover  # noqa: E402

IMPORTED_S = time.perf_counter() - BEGAN

import pandas as pd  # noqa: E402

from benchmarks.peers.task import CASH, COMMISSION, SIZE, Ends, Job, measure  # noqa: E402


def mean(values: Any, period: int) -> Any:
    return pd.Series(values).rolling(period).mean()


class SmaCross(Strategy):
    fast, slow = 10, 30

    def init(self) -> None:
        self.quick = self.I(mean, self.data.Close, self.fast)
        self.calm = self.I(mean, self.data.Close, self.slow)

    def next(self) -> None:
        if not self.position:
            if crossover(self.quick, self.calm):
                self.buy(size=SIZE)
        elif crossover(self.calm, self.quick):
            self.position.close()


def backtest(job: Job) -> Backtest:
    warnings.filterwarnings("ignore")
    frame = job.frame.rename(columns=str.capitalize)
    return Backtest(frame, SmaCross, cash=CASH, commission=COMMISSION, finalize_trades=False)


def run(job: Job) -> Ends:
    stats = backtest(job).run()
    held = stats["_strategy"]
    fills = 2 * stats["# Trades"] + len(held.trades)
    return Ends(float(stats["Equity Final [$]"]), int(fills))


def sets(job: Job) -> Ends:
    made = backtest(job)
    values = [made.run(fast=fast, slow=slow)["Equity Final [$]"] for fast, slow in job.sets]
    return Ends(math.fsum(values))


if __name__ == "__main__":
    measure({"run": run, "sets": sets}, IMPORTED_S)
