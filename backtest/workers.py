"""What a worker does with a batch of parameter sets."""

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import lru_cache
from typing import Any, NamedTuple

from backtest.one_set import Bench
from backtest.outcomes import Outcomes, concat
from backtest.parcel import Parcel
from backtest.turbo.garbage import rarer_collections
from brokers.clock import SystemClock

OBJECTS = 50_000  # made between two searches for garbage: some hundred short runs leave so many

Params = Mapping[str, Any]
Evaluate = Callable[[Sequence[Params]], Outcomes]


class Done(NamedTuple):
    """A finished batch: its number, its rows, and how long it took."""

    number: int
    outcomes: Outcomes
    wall_s: float


def work(number: int, parcel: Parcel, sets: Sequence[Params]) -> Done:
    """Evaluate one batch.

    What strategies print goes to stderr: stdout may be meant for a program.
    """
    clock = SystemClock()
    with redirect_stdout(sys.stderr):
        evaluate = _opened(parcel)
        begun_at = clock.monotonic()
        with rarer_collections(OBJECTS):
            outcomes = evaluate(sets)
    return Done(number, outcomes, clock.monotonic() - begun_at)


@lru_cache(maxsize=4)  # all bars and a part of them, of this sweep and the last
def _opened(parcel: Parcel) -> Evaluate:
    """The workload of a parcel, made ready once in this process."""
    load = parcel.open()
    if load.engine == "compiled":
        from backtest import compiled  # noqa: PLC0415  it imports numba

        frames = dict(load.frames)
        return lambda sets: concat(
            [part for _, part in compiled.evaluate(load.run, frames, sets, jobs=1)]
        )
    bench = Bench(load.run, load.frames)
    gc.freeze()  # what is here now stays: no search for garbage needs to look at it again
    return lambda sets: concat([bench.evaluate(params) for params in sets])
