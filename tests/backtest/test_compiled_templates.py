"""Sets that share a tracing come out as each does by itself."""

from dataclasses import dataclass

import numpy as np
import pytest

from backtest import compiled
from backtest.compiled.reading import TOGETHER
from backtest.outcomes import METRICS, concat
from backtest.spec import RunSpec
from strategies.arrays import crossover, highest, latch, shift, sma
from strategies.signals import SignalStrategy
from tests.backtest.test_compiled_evaluation import bars

FACTORS = {1: 1.0, 2: 1.01, 3: 0.99}
calls = []


@dataclass(frozen=True)
class Numbers:
    period: int = 5
    other: int = 9
    factor: float = 1.0
    mode: str = "cross"

    @property
    def sum(self):
        return self.period + self.other


class Trading(SignalStrategy):
    Config = Numbers


class Computes(Trading):
    """Arithmetic with parameters, and results of results."""

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        slow = sma(sma(bars.close, config.period), config.sum - 2 * config.period // 3)
        high = shift(highest(slow * 1.0, 3), 1) if config.mode == "never" else slow
        level = (1 - -config.factor) * bars.close / (config.factor + 1.0)
        return np.where(
            crossover(level, high) > 0, config.factor, np.where(level < slow, 0.0, np.nan)
        )


class Looks(Trading):
    """Branches, look-ups, texts: all that needs a value."""

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        mean = sma(bars.close, max(6, config.period))
        factor = FACTORS[config.other % 3 + 1] * config.factor
        wants = latch(on=config.factor * mean < bars.close, off=mean * factor > bars.close)
        return wants if config.mode == "cross" else np.where(wants > 0, 1.0, np.nan)


class Asks(Trading):
    """Tells types apart, as a symbol cannot."""

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        mean = sma(bars.close, config.period if type(config.period) is int else 50)
        return np.where(bars.close > mean, 1.0, 0.0)


class Matches(Trading):
    """Compares a parameter with other things, and puts one where it cannot go."""

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        days = 1.01 if config.factor == config.mode else config.factor
        mean = sma(bars.close, min(9, len(range(config.other))) + config.period)
        return np.where(config.factor * mean < days * bars.close, -config.factor, 0.0)


class Divides(Trading):
    """Computes a number that not every set has."""

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        return np.where(sma(bars.close, 3) > bars.close * (1 / config.other), 1.0, 0.0)


class Follows(SignalStrategy):
    """Keeps a number that follows from others."""

    @dataclass(frozen=True)
    class Config:
        period: int = 5

        def __post_init__(self):
            object.__setattr__(self, "twice", 2 * self.period)

    @staticmethod
    def signals(config, bars):
        calls.append(config)
        return np.where(sma(bars.close, config.period) > sma(bars.close, config.twice), 1.0, 0.0)


MIXED = [
    {"period": period, "other": other, "factor": factor, "mode": mode}
    for period in (3, 5, 8, 13)
    for other in (9, 11)
    for factor in (1.0, 1.005, 0.995, 1.01, 0.99, 1)
    for mode in ("cross", "hold")
]
PERIODS = [{"period": period} for period in (3, 5, 8, 13, 5, 3)]


def evaluated(strategy, sets):
    calls.clear()
    spec = RunSpec(strategy, cash=1e6, commission=0.001, size=10)
    return concat([it for _, it in compiled.evaluate(spec, {"A": bars()}, sets, jobs=1)])


@pytest.mark.parametrize(
    ("strategy", "sets", "most"),
    [
        (Computes, MIXED, 8),
        (Looks, MIXED, 66),
        (Asks, PERIODS, 7),
        (Follows, PERIODS, 6),
        (Matches, MIXED, 50),
    ],
    ids=["computes", "looks", "asks", "follows", "matches"],
)
def test_sets_together_give_what_each_gives_alone(strategy, sets, most):
    together = evaluated(strategy, sets)
    assert len(calls) <= most
    alone = concat([evaluated(strategy, [params]) for params in sets])
    assert not together.failures
    for name in METRICS:
        np.testing.assert_array_equal(together.metrics[name], alone.metrics[name])
    assert len(np.unique(together.metrics["final_value"])) > 2


def test_a_set_that_fails_among_others_fails_as_it_does_alone():
    sets = [{"period": 5, "other": other} for other in (9, 8, -4, 7, 2**60)]
    found = evaluated(Computes, sets).failures
    assert found == {2: evaluated(Computes, sets[2:3]).failures[0], 4: found[4]}
    assert "at least 1 bar" in found[2]


def test_a_number_that_one_set_lacks_fails_that_set_alone():
    found = evaluated(Divides, [{"other": other} for other in (1, 2, 0, 4)]).failures
    assert found == {2: "ZeroDivisionError: division by zero"}


def test_bars_too_few_for_a_set_are_told_as_they_are_alone():
    sets = [{"fast": 5, "slow": slow} for slow in (20, 30, 10_000, 40)]
    (told,) = evaluated("sma_cross", sets).failures.items()
    assert told == (2, evaluated("sma_cross", sets[2:3]).failures[0])


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("strategy", [Computes, Looks])
def test_sets_of_several_tracings_read_at_once_keep_their_places(strategy, jobs):
    spec, again = RunSpec(strategy, cash=1e6, size=10), 1 + 2 * TOGETHER // len(MIXED)
    parts = compiled.evaluate(spec, {"X": bars()}, MIXED * again, jobs=jobs)
    found = concat([part for _, part in parts])
    first = found.blocks[: len(MIXED)]
    assert len(np.unique(first, axis=0)) > 10
    assert np.array_equal(found.blocks, np.tile(first, (again, 1, 1)))


def test_sets_that_find_no_room_together_are_read_one_by_one():
    sets = [{"fast": fast, "slow": 250} for fast in range(2, 222)]
    spec, frames = RunSpec("sma_cross", cash=1e6, size=10), {"X": bars()}
    roomy, narrow = (list(compiled.evaluate(spec, frames, sets, jobs=1, chunk_bytes=size))
                     for size in (1 << 25, 400_000))  # fmt: skip
    assert len(narrow) > len(roomy)
    one, other = (concat([part for _, part in parts]) for parts in (roomy, narrow))
    assert np.array_equal(one.metrics["final_value"], other.metrics["final_value"])
