"""Stock Backtrader, or backtrader-next where that is installed; sweeps by optstrategy."""

import math
import sys
import time
from typing import Any

BEGAN = time.perf_counter()
try:
    import backtrader as bt

    IS_NEXT = False
except ImportError:
    import backtrader_next as bt

    IS_NEXT = True
    sys.modules["backtrader"] = bt  # by which name the works ask for it
IMPORTED_S = time.perf_counter() - BEGAN

from benchmarks.peers.task import CASH, COMMISSION, Ends, Job, measure  # noqa: E402
from benchmarks.works import Momentum, SmaCross  # noqa: E402  the import above is timed


class Final(bt.Analyzer):
    def stop(self) -> None:
        self.ends = self.strategy.broker.getvalue(), len(self.strategy.fills)

    def get_analysis(self) -> Any:
        return self.ends


def cerebro(job: Job) -> Any:
    made = bt.Cerebro()
    for name, frame in job.frames.items():
        key = "dataframe" if IS_NEXT else "dataname"
        made.adddata(bt.feeds.PandasData(**{key: frame}), name=name)
    made.broker.setcash(CASH)
    made.broker.setcommission(commission=COMMISSION)
    return made


def run(job: Job) -> Ends:
    made = cerebro(job)
    made.addstrategy(Momentum if job.work == "W3" else SmaCross)
    [strategy] = made.run()
    return Ends(made.broker.getvalue(), len(strategy.fills))


def optstrategy(job: Job) -> Ends:
    made = cerebro(job)
    made.optstrategy(SmaCross, **job.axes)
    made.addanalyzer(Final, _name="final")
    ends = [ran[0].analyzers.final.get_analysis() for ran in made.run(maxcpus=job.workers)]
    return Ends(math.fsum(value for value, _ in ends), sum(fills for _, fills in ends))


if __name__ == "__main__":
    measure({"run": run, "optstrategy": optstrategy}, IMPORTED_S)
