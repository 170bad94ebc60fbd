"""Stock Backtrader, or backtrader-next where that is installed; sweeps by optstrategy."""

import math
import time
from typing import Any

BEGAN = time.perf_counter()
try:
    import backtrader as bt

    IS_NEXT = False
except ImportError:
    import backtrader_next as bt

    IS_NEXT = True
IMPORTED_S = time.perf_counter() - BEGAN

from benchmarks.peers.task import (  # noqa: E402  the import above is timed
    BEST,
    CASH,
    COMMISSION,
    EVERY,
    LOOKBACK,
    SHARE,
    SIZE,
    Ends,
    Job,
    measure,
)  # fmt: skip


class Counting(bt.Strategy):
    def __init__(self) -> None:
        self.fills = 0

    def notify_order(self, order: Any) -> None:
        self.fills += order.status == order.Completed


class SmaCross(Counting):
    params = (("fast", 10), ("slow", 30))

    def __init__(self) -> None:
        super().__init__()
        fast, slow = (bt.ind.SMA(self.data.close, period=it) for it in (self.p.fast, self.p.slow))
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self) -> None:
        if not self.position:
            if self.cross[0] > 0:
                self.buy(size=SIZE)
        elif self.cross[0] < 0:
            self.close()


class Momentum(Counting):
    def next(self) -> None:
        if len(self) <= LOOKBACK or (len(self) - 1) % EVERY:
            return
        gains = [(data.close[0] / data.close[-LOOKBACK], i) for i, data in enumerate(self.datas)]
        best = {i for _, i in sorted(gains, key=lambda gain: (-gain[0], gain[1]))[:BEST]}
        target, buys = self.broker.getvalue() * SHARE, []
        for number, data in enumerate(self.datas):
            held = self.getposition(data).size
            wanted = int(target / data.close[0]) if number in best else 0
            if wanted < held:
                self.sell(data=data, size=held - wanted)
            elif wanted > held:
                buys.append((data, wanted - held))
        for data, size in buys:
            self.buy(data=data, size=size)


class Final(bt.Analyzer):
    def stop(self) -> None:
        self.ends = self.strategy.broker.getvalue(), self.strategy.fills

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
    return Ends(made.broker.getvalue(), strategy.fills)


def optstrategy(job: Job) -> Ends:
    made = cerebro(job)
    made.optstrategy(SmaCross, **job.axes)
    made.addanalyzer(Final, _name="final")
    ends = [ran[0].analyzers.final.get_analysis() for ran in made.run(maxcpus=job.workers)]
    return Ends(math.fsum(value for value, _ in ends), sum(fills for _, fills in ends))


if __name__ == "__main__":
    measure({"run": run, "optstrategy": optstrategy}, IMPORTED_S)
