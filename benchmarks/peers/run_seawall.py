"""This project: turbo alone, and sweeps in both engines; the first call makes the ledger."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

BEGAN = time.perf_counter()
import backtrader as bt  # noqa: E402

from backtest import sweep  # noqa: E402
from backtest.turbo import Cerebro  # noqa: E402

IMPORTED_S = time.perf_counter() - BEGAN

from benchmarks.peers.task import CASH, COMMISSION, SIZE, Ends, Job, measure  # noqa: E402
from benchmarks.works import Momentum, SmaCross  # noqa: E402
from strategies.sma_cross import SmaCross as Signals  # noqa: E402


def turbo(job: Job) -> Ends:
    made = Cerebro()
    for name, frame in job.frames.items():
        made.adddata(bt.feeds.PandasData(dataname=frame), name=name)
    made.broker.setcash(CASH)
    made.broker.setcommission(commission=COMMISSION)
    made.addstrategy(Momentum if job.work == "W3" else SmaCross)
    [strategy] = made.run()
    return Ends(made.broker.getvalue(), len(strategy.fills))


def swept(job: Job, ledger: Path, strategy: Any, engine: Any, confirm: int) -> Ends:
    """Every set anew, whatever the ledger knows, and into the ledger again."""
    result = sweep(
        strategy, job.frame.tz_localize("UTC").rename_axis("time"), job.axes, engine=engine,
        jobs=job.workers, cash=CASH, commission=COMMISSION, size=SIZE, confirm=confirm,
        ledger=ledger, resume=False,
    )  # fmt: skip
    return Ends(math.fsum(result.table["final_value"]))


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        here = partial(swept, ledger=Path(folder, "ledger.sqlite"))
        ways: dict[str, Callable[[Job], Ends]] = {
            "turbo": turbo,
            "cerebro": partial(here, strategy=SmaCross, engine="cerebro", confirm=0),
            "compiled": partial(here, strategy=Signals, engine="compiled", confirm=0),
            "confirmed": partial(here, strategy=Signals, engine="compiled", confirm=5),
        }
        measure(ways, IMPORTED_S)
