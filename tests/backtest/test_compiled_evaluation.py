import gc
import math
import multiprocessing
import weakref
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from backtest import compiled, run
from backtest.compiled import rooms
from backtest.compiled.course import Course
from backtest.compiled.evaluation import Evaluation
from backtest.compiled.spares import Spares
from backtest.outcomes import concat, of_run
from backtest.spec import RunSpec
from brokers.errors import DataError
from feeds.passport import stamp
from strategies import Signals, SignalStrategy
from strategies.arrays import sma
from tests.backtest.scripted import Scripted

LENGTH = 300


def bars(length=LENGTH, seed=3, start="2024-01-02"):
    dice = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(dice.normal(0, 0.01, length))), 2)
    opened = np.round(close * np.exp(dice.normal(0, 0.003, length)), 2)
    high, low = np.maximum(opened, close) + 0.5, np.minimum(opened, close) - 0.5
    index = pd.date_range(start, periods=length, freq="h", tz="UTC", name="time")
    frame = pd.DataFrame(
        {"open": opened, "high": high, "low": low, "close": close, "volume": 1.0}, index
    )
    return stamp(frame, symbol="X", source="test", timeframe="1h")


SPEC = RunSpec("sma_cross", cash=10_000, commission=0.001, size=10)
SETS = [{"fast": fast, "slow": slow} for fast in range(2, 12) for slow in range(8, 20)]


def outcomes_of(spec, frames, sets, **how):
    return concat([part for _, part in compiled.evaluate(spec, frames, sets, **how)])


class Opaque(SignalStrategy):
    """Sees its values, so that no tape is made of it."""

    @dataclass(frozen=True)
    class Config:
        fast: int = 3
        slow: int = 9
        writes: bool = False

    @staticmethod
    def signals(config, bars):
        fast, slow = sma(bars.close, config.fast), sma(bars.close, config.slow)
        target = np.array([float(a > b) for a, b in zip(fast, slow, strict=True)])
        if config.writes:
            fast[:] = np.nan
        return target


class OpaqueAcross(Opaque):
    across = True

    @staticmethod
    def signals(config, bars):
        return (np.cumsum(bars.close, axis=0) % config.slow < config.fast).astype(float)


class Misshapen(SignalStrategy):
    @staticmethod
    def signals(config, bars):
        return np.array([bars.close.mean()])


class Infinite(SignalStrategy):
    @staticmethod
    def signals(config, bars):
        return bars.close * math.inf


class Huge(SignalStrategy):
    unit = "weight"

    @staticmethod
    def signals(config, bars):
        return bars.close * 1e17


class ManyExits(SignalStrategy):
    """One stake more in every bar, each in a bracket of its own."""

    @staticmethod
    def signals(config, bars):
        more = np.arange(1.0, len(bars.close) + 1.0)
        return Signals(more, take_profit=more * 0 + 1e6, stop_loss=more * 0 + 0.01)


def test_chunks_come_in_order_and_cover_all_sets():
    frames = {"X": bars()}
    parts = list(compiled.evaluate(SPEC, frames, SETS, chunk_bytes=1 << 10))
    assert [row for rows, _ in parts for row in rows] == list(range(len(SETS)))
    assert all(len(rows) == len(outcomes) for rows, outcomes in parts)


def test_small_chunks_threads_and_one_thread_give_the_same():
    frames = {"X": bars()}
    wide, narrow, alone = (
        outcomes_of(SPEC, frames, SETS, **how)
        for how in ({"jobs": 3}, {"chunk_bytes": 1, "jobs": 2}, {"jobs": 1})
    )
    for other in (narrow, alone):
        assert str(other.metrics) == str(wide.metrics)
        np.testing.assert_array_equal(other.blocks, wide.blocks)
        assert other.failures == wide.failures


def test_a_set_that_contradicts_itself_fails_alone_with_the_words_of_run():
    outcomes = outcomes_of(SPEC, {"X": bars()}, [{"fast": 9, "slow": 3}, {"fast": 3, "slow": 9}])
    assert outcomes.failures == {0: "SmaCross: fast (9) must be below slow (3)"}
    assert np.isnan(outcomes.metrics["final_value"]).tolist() == [True, False]
    assert outcomes.periods.tolist() == [0, LENGTH]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"quick": 3}, "unknown parameter 'quick'"),
        ({"fast": "3"}, "fast='3': give a whole number"),
        ({"fast": [3]}, "fast=[3]: give a whole number"),
        ({"slow": 400}, "300 bars are too few: SmaCross needs at least 400"),
    ],
)
def test_a_wrong_set_says_why(params, words):
    outcomes = outcomes_of(SPEC, {"X": bars()}, [params, {}])
    assert list(outcomes.failures) == [0]
    assert words in outcomes.failures[0]


@pytest.mark.parametrize(
    ("strategy", "words"),
    [(Misshapen, "ValueError: Misshapen.signals gave target of shape"), (Infinite, "has size inf")],
)
def test_a_strategy_that_raises_is_a_failed_row(strategy, words):
    outcomes = outcomes_of(RunSpec(strategy), {"X": bars(30)}, [{}])
    assert words in outcomes.failures[0]


@pytest.mark.parametrize("strategy", [Opaque, OpaqueAcross])
def test_a_strategy_that_sees_its_values_is_compiled_all_the_same(strategy):
    frames = {"X": bars(80), "Y": bars(70, seed=4, start="2024-01-03")}
    spec = RunSpec(strategy, cash=3_000, commission=0.001, size=3)
    sets = [{"fast": 2}, {"fast": 3, "slow": 7}, {"slow": 8, "writes": True}]
    compiled.confirm(spec, frames, sets)
    assert not outcomes_of(spec, frames, sets, chunk_bytes=1).failures


@pytest.mark.parametrize("strategy", [ManyExits, Huge])
def test_what_the_kernel_cannot_hold_goes_through_cerebro(strategy):
    frames = {"X": bars()}
    spec = RunSpec(strategy, cash=1e9)
    result = run(strategy, frames, cash=1e9)
    expected = of_run(result.equity, 1e9, result.trades)
    assert str(outcomes_of(spec, frames, [{}])) == str(expected)
    with pytest.raises(DataError, match="run it in Cerebro"):
        compiled.fills_of(spec, frames, {})
    assert compiled.confirm(spec, frames, [{}])[0].fills == len(result.fills)


def test_moments_and_blocks_are_those_of_the_run():
    frames = {"X": bars()}
    outcomes = outcomes_of(SPEC, frames, [{"fast": 3, "slow": 9}])
    result = run("sma_cross", frames, params={"fast": 3, "slow": 9}, cash=10_000,
                 commission=0.001, size=10)  # fmt: skip
    expected = of_run(result.equity, 10_000, result.trades)
    np.testing.assert_allclose(outcomes.moments, expected.moments, rtol=1e-9)
    np.testing.assert_allclose(outcomes.blocks, expected.blocks, rtol=1e-9, atol=1e-15)
    assert outcomes.periods == expected.periods


@pytest.mark.parametrize("length", [1, 2])
def test_one_or_two_bars_are_enough_to_hold(length):
    frame = bars(40).iloc[:length]
    compiled.confirm(RunSpec("buy_and_hold"), {"X": frame}, [{}])


def test_no_sets_give_no_chunks():
    assert list(compiled.evaluate(SPEC, {"X": bars()}, [])) == []


def test_bars_too_close_for_backtrader_are_refused():
    frame = bars(4)
    frame.index = frame.index[0] + pd.to_timedelta([0, 5, 9, 13], unit="us")
    assert "20 us" in compiled.reason_not_compilable(SPEC, {"X": frame})
    with pytest.raises(DataError, match="less than 20 us apart"):
        Course.of({"X": frame})


def test_spare_memory_is_taken_again_and_never_too_much():
    spares = Spares(most_bytes=100)
    first, second = spares.take((10,)), spares.take((5,))
    spares.give(first)
    assert spares.take((10,), np.int64) is not first
    spares.give(second)
    assert spares.take((10,)) is not first  # 120 bytes are too much: the older one went
    assert spares.take((5,)) is second


def test_a_tape_longer_than_a_room_holds_gets_registers_of_its_own():
    class Long(Scripted):
        @staticmethod
        def signals(config, bars):
            total = bars.close * 0.0
            for _ in range(rooms.REGISTERS):
                total = total + bars.open
            return total * 0.0 + 1.0

    compiled.confirm(RunSpec(Long), {"X": bars(30)}, [{}])


def test_an_evaluation_given_up_half_way_leaves_its_threads_to_the_next():
    parts = compiled.evaluate(SPEC, {"X": bars()}, SETS * 10, jobs=2)
    _, first = next(parts)
    parts.close()
    again = outcomes_of(SPEC, {"X": bars()}, SETS * 10, jobs=2)
    assert np.array_equal(again.blocks[: len(first)], first.blocks)


def test_a_forked_process_has_threads_of_its_own():
    expected = outcomes_of(SPEC, {"X": bars()}, SETS, jobs=2).blocks.sum()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_sum_of_blocks) == expected


def _sum_of_blocks():
    return outcomes_of(SPEC, {"X": bars()}, SETS, jobs=2).blocks.sum()


def test_bars_go_with_the_evaluation_without_a_search_for_garbage():
    gc.collect()
    gc.disable()
    try:
        with closing(Evaluation(SPEC, {"X": bars()})) as evaluation:
            course = weakref.ref(evaluation.course)
            list(evaluation.chunk(SETS, 0))
        del evaluation
        assert course() is None
    finally:
        gc.enable()
