"""vectorbt: crosses of rolling means, orders at the next open; W3 by target percentages.

Its cross is strict on two bars and its mean a running sum, so a tie or a last digit may trade
otherwise than in Backtrader. W3 sizes by the value at the fill, not at the decision: other work.
"""

import time
from typing import Any

BEGAN = time.perf_counter()
import vectorbt as vbt  # noqa: E402

IMPORTED_S = time.perf_counter() - BEGAN

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from benchmarks.peers.task import (  # noqa: E402
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


def crosses(job: Job, sets: list[tuple[int, int]]) -> Ends:
    frame = job.frame
    fast = vbt.MA.run(frame["close"], [one[0] for one in sets], short_name="fast")
    slow = vbt.MA.run(frame["close"], [one[1] for one in sets], short_name="slow")
    made = vbt.Portfolio.from_signals(
        frame["close"], fast.ma_crossed_above(slow), fast.ma_crossed_below(slow),
        price=frame["open"].shift(-1), size=SIZE, size_type="amount", fees=COMMISSION,
        init_cash=CASH, freq="1min", accumulate=False, upon_opposite_entry="ignore",
        direction="longonly",
    )  # fmt: skip
    return ends(made)


def rotation(job: Job) -> Ends:
    opened, closes = (
        pd.DataFrame({name: frame[field] for name, frame in job.frames.items()})
        for field in ("open", "close")
    )
    gains = (closes / closes.shift(LOOKBACK)).to_numpy()
    size = np.full(closes.shape, np.nan)
    for row in range(LOOKBACK, len(closes), EVERY):
        best = np.lexsort((np.arange(closes.shape[1]), -gains[row]))[:BEST]
        size[row], size[row, best] = 0, SHARE
    made = vbt.Portfolio.from_orders(
        closes, size=size, size_type="targetpercent", price=opened.shift(-1), fees=COMMISSION,
        init_cash=CASH, size_granularity=1, group_by=True, cash_sharing=True, call_seq="auto",
        freq="1D",
    )  # fmt: skip
    return ends(made)


def ends(made: Any) -> Ends:
    return Ends(float(np.sum(made.final_value())), int(np.sum(made.orders.count())))


if __name__ == "__main__":
    ways = {
        "run": lambda job: rotation(job) if job.work == "W3" else crosses(job, [(10, 30)]),
        "sets": lambda job: crosses(job, job.sets),
    }
    measure(ways, IMPORTED_S)
