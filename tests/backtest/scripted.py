"""Random signal strategies over random bars, for the kernel and Cerebro alike."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from backtest.spec import RunSpec
from feeds.passport import stamp
from strategies import Signals, SignalStrategy

START = pd.Timestamp("2024-01-02 14:00", tz="UTC")
STEP = pd.Timedelta(minutes=30)


class Scripted(SignalStrategy):
    """Does what it is told, row by row; a feed's number is its volume less one."""

    @dataclass(frozen=True)
    class Config:
        """`script`: for each feed a row (target, limit, take-profit, stop-loss) a bar."""

        script: tuple = ()

    @classmethod
    def told(cls, config, bars):
        """(T, 4), or (T, N, 4) for several feeds."""
        if bars.close.ndim == 2:
            return np.stack([np.array(rows)[: len(bars.close)] for rows in config.script], axis=1)
        return np.array(config.script[int(bars.volume[-1]) - 1])[: len(bars.close)]

    @staticmethod
    def signals(config, bars):
        told = Scripted.told(config, bars)
        return Signals(*(told[..., k] for k in range(4)))


class ClosesFirst(Scripted):
    through_zero = False


class Weighted(Scripted):
    unit = "weight"


class Across(Scripted):
    across = True


class WeightedAcross(Scripted):
    unit = "weight"
    across = True


class Bare(Scripted):
    """Targets alone."""

    @staticmethod
    def signals(config, bars):
        return Scripted.told(config, bars)[..., 0]


CLASSES = (Scripted, ClosesFirst, Weighted, Across, WeightedAcross, Bare)

WHOLE = st.integers(92, 108).map(float)
PRICES = WHOLE | st.floats(90.0, 110.0).map(lambda price: round(price, 2)) | st.floats(90.0, 110.0)
STAKES = st.sampled_from([0.0, 1.0, 1.0, 1.0, 2.0, -1.0, -1.0, 0.5, -0.7, 3.0])
SHARES = st.sampled_from([0.0, 0.3, 0.95, 0.5, -0.4, 1.0, -1.0, 1.6])
SKIPS = st.sampled_from([math.nan, 1.0])


@st.composite
def bars(draw):
    """One bar: open, high, low, close."""
    low, *inner, high = sorted(draw(st.lists(PRICES, min_size=4, max_size=4)))
    first, last = draw(st.sampled_from([(0, 1), (1, 0)]))
    return inner[first], high, low, inner[last]


@st.composite
def frames(draw, count):
    """Feeds by name; the first has every half hour, the others some of them, or hourly bars."""
    length = draw(st.integers(3, 16))
    named = {}
    for number in range(count):
        bars_at = list(range(length))
        timeframe = "30m"
        if number:
            kept = draw(st.sampled_from(["all", "some", "late", "hourly"]))
            if kept == "some":
                bars_at = sorted(draw(st.sets(st.sampled_from(bars_at), min_size=1)))
            elif kept == "late":
                bars_at = bars_at[draw(st.integers(0, length - 1)) :]
            elif kept == "hourly":
                timeframe, bars_at = "1h", bars_at[::2]
        rows = draw(st.lists(bars(), min_size=len(bars_at), max_size=len(bars_at)))
        frame = pd.DataFrame(
            [(*row, number + 1.0) for row in rows],
            columns=["open", "high", "low", "close", "volume"],
            index=pd.DatetimeIndex([START + place * STEP for place in bars_at], name="time"),
        )
        name = f"F{number}"
        named[name] = stamp(frame, symbol=name, source="test", timeframe=timeframe)
    return named


@st.composite
def told(draw, wishes, exits):
    """One row of a script."""
    target = draw(SKIPS) * draw(wishes)
    limit = draw(st.sampled_from([math.nan] * 4 + [0.0, -1.0])) if exits else math.nan
    if exits and draw(st.booleans()):
        limit = draw(st.just(math.nan) | PRICES)
    profit, loss = math.nan, math.nan
    if exits:
        profit = draw(st.sampled_from([math.nan, 103.0, 105.0, 99.0, 0.0, 130.0]))
        loss = draw(st.sampled_from([math.nan, 97.0, 95.0, 101.0, -3.0, 60.0]))
    return target, limit, profit, loss


@st.composite
def runs(draw):
    """(spec, frames) of a random run that can be compiled."""
    cls = draw(st.sampled_from(CLASSES))
    named = draw(frames(draw(st.sampled_from([1, 1, 2, 3]))))
    rows = 16 if not cls.across else len(set().union(*(_ends(frame) for frame in named.values())))
    wishes = SHARES if cls.unit == "weight" else STAKES
    row = told(wishes, draw(st.booleans()))
    script = tuple(tuple(draw(st.lists(row, min_size=rows, max_size=rows))) for _ in named)
    spec = RunSpec(
        cls,
        {"script": script},
        cash=draw(st.sampled_from([250.0, 1_000.0, 1_517.3, 100_000.0])),
        commission=draw(st.sampled_from([0.0, 0.001, 0.013])),
        slippage_bps=draw(st.sampled_from([0.0, 0.0, 5.0, 130.0])),
        size=draw(st.sampled_from([None, 1, 5, 10, 2.5, 0.3, "95%", "40%"])),
        turbo=False,
    )
    return spec, named


def _ends(frame):
    step = STEP if frame.attrs["passport"].timeframe == "30m" else 2 * STEP
    return set(frame.index + step)
