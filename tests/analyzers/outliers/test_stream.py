"""Bar by bar gives what whole sessions give, whatever is missing."""

from copy import copy
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.outlier import OutlierStream
from brokers.errors import DataError
from brokers.wire.transport import VenueBar
from tests.analyzers.outliers.stage import DAY, NOW, SECTORS, SYMBOLS, Stage, bars, session

TODAY = pd.Timestamp(DAY, tz="UTC")
QUIET = Stage()
PAST = {name: frame[frame.index < TODAY] for name, frame in QUIET.bars.items()}


def stream_of(stage: Stage, **options: object) -> OutlierStream:
    """A stream that knows the sessions before."""
    before = {name: frame[frame.index < TODAY] for name, frame in stage.bars.items()}
    options = {"sectors": SECTORS, **options}
    return OutlierStream(before, stage.daily, DAY, **options)  # type: ignore[arg-type]


def fed(stage: Stage, **options: object) -> OutlierStream:
    """The stream after all bars of the day."""
    stream = stream_of(stage, **options)
    today = {
        symbol: {time: tuple(row) for time, *row in stage.today(symbol).itertuples(name=None)}
        for symbol in stage.bars
    }
    for time in sorted({time for rows in today.values() for time in rows}):
        stream.add(
            time.to_pydatetime(),
            [VenueBar(name, time, *rows[time]) for name, rows in today.items() if time in rows],
        )
    return stream


def shaken(seed: int, jump: float, hole: int, minute: int) -> Stage:
    """A random day: a jump, bursts of volume, bars that are missing."""
    rng = np.random.default_rng(seed)
    stage = copy(QUIET)
    stage.bars = {}
    index = session(f"{DAY}", 10)
    for number, symbol in enumerate(SYMBOLS):
        close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.003, 10)))
        if number == seed % len(SYMBOLS):
            close[minute:] *= 1.0 + jump
        opened = close * (1.0 + rng.normal(0, 0.001, 10))
        low, high = np.minimum(opened, close), np.maximum(opened, close)
        volume = rng.integers(0, 20_000, 10).astype(float)
        kept = np.setdiff1d(np.arange(10), rng.integers(0, 10, size=hole))
        today = bars(np.column_stack((opened, high, low, close, volume))[kept], index[kept])
        stage.bars[symbol] = pd.concat([PAST[symbol], today])
    return stage


@settings(max_examples=100)
@given(st.integers(0, 2**31), st.floats(-0.5, 0.5), st.integers(0, 10), st.integers(0, 9))
def test_bar_by_bar_gives_the_report_of_the_whole_day(
    seed: int, jump: float, hole: int, minute: int
) -> None:
    stage = shaken(seed, jump, hole, minute)
    assert fed(stage).report(NOW).as_bytes() == stage.report().as_bytes()


def test_a_hit_is_told_with_the_bar_that_confirms_it() -> None:
    stage = Stage()
    stage.set("AAA", slice(0, 10), "close", 130.0)
    stream, told = stream_of(stage), []
    for time, row in stage.today("AAA").iterrows():
        told.append(len(stream.add(time, [VenueBar("AAA", time, *row.tolist())])))
    assert told[:3] == [0, 1, 0]


def test_volumes_of_another_feed_are_never_compared() -> None:
    stage = Stage()
    for symbol in SYMBOLS:
        stage.stamped(symbol, feed="sip")
    stage.set("AAA", slice(0, 10), "close", 130.0)
    stage.set("AAA", slice(0, 10), "volume", 90_000.0)
    day = fed(stage, feed="iex").report(NOW).days[0]
    hit = next(hit for hit in day.hits if hit.symbol == "AAA")
    reason = "today's volume is of iex, that before of sip"
    assert (hit.scores["rvol"].value, hit.scores["rvol"].reason) == (None, reason)
    assert reason in hit.flags
    assert next(one for one in day.nulls if one.signal == "rvol").count == 7
    same = fed(stage, feed="sip").report(NOW).days[0]
    assert not any(one.signal == "rvol" for one in same.nulls)


def test_bars_outside_the_session_do_not_count() -> None:
    stage = Stage()
    stream = stream_of(stage)
    early = stage.today("AAA").index[0] - timedelta(minutes=1)
    assert stream.add(early, [VenueBar("AAA", early, 1.0, 1.0, 1.0, 1.0, 1.0)]) == ()
    assert stream.report(NOW).days[0].symbols == 0


def test_bars_must_come_in_order_of_time() -> None:
    stage = Stage()
    stream = stream_of(stage)
    first, second = stage.today("AAA").index[:2]
    stream.add(second, [])
    with pytest.raises(DataError, match="after later ones: add all bars of a time together"):
        stream.add(first, [])


def test_a_symbol_without_history_is_refused() -> None:
    stage = Stage()
    first = stage.today("AAA").index[0]
    with pytest.raises(DataError, match="NEW: it has no bars of earlier sessions"):
        stream_of(stage).add(first, [VenueBar("NEW", first, 1.0, 1.0, 1.0, 1.0, 1.0)])
