"""Every indicator of Backtrader's on turbo: as in stock, and as its own tests publish.

published_indicators.json says where its numbers come from.
"""

import inspect
import json
import math
from collections.abc import Callable
from datetime import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import backtrader as bt
import pytest

import backtest.turbo
from tests.turbo.stage import Recorder, bars, exact, feed, run, same

PUBLISHED = json.loads(Path(__file__).with_name("published_indicators.json").read_text())
ELSEWHERE = {"OLS_Slope_InterceptN", "OLS_TransformationN", "OLS_BetaN", "CointN"}  # statsmodels
BY_NEXT = {"HeikinAshi", "haDelta"}  # for them Backtrader itself turns run-once off
COUPLED = {"PivotPoint", "FibonacciPivotPoint", "DemarkPivotPoint"}  # for two timeframes
WITH_ARGUMENTS: dict[str, Callable[[Any], bt.Indicator]] = {
    "ApplyN": lambda data: bt.ind.ApplyN(data, period=3, func=sum),
    "FindFirstIndex": lambda data: bt.ind.FindFirstIndex(data, period=5, _evalfunc=max),
    "FindLastIndex": lambda data: bt.ind.FindLastIndex(data, period=5, _evalfunc=min),
    "Oscillator": lambda data: bt.ind.Oscillator(bt.ind.SMA(data, period=4)),
    "ReduceN": lambda data: bt.ind.ReduceN(data, lambda x, y: x * 0.5 + y, period=3),
    "AnyN": lambda data: bt.ind.AnyN(data.close > data.open, period=3),
    "AllN": lambda data: bt.ind.AllN(data.close > data.open, period=3),
}


def indicators() -> dict[str, type[bt.Indicator]]:
    """Backtrader's indicators by name, without bare bases and the second names of a class."""
    named = {
        cls.__name__: cls
        for cls in vars(bt.ind).values()
        if inspect.isclass(cls)
        and issubclass(cls, bt.Indicator)
        and cls.lines._getlines()
        and not cls.aliased
    }
    others = {*ELSEWHERE, "ExponentialSmoothingDynamic"}  # the latter is part of ZLEMA and KAMA
    return {name: named[name] for name in sorted(named) if name not in others}


def made(name: str, data: Any) -> bt.Indicator:
    if name in WITH_ARGUMENTS:
        return WITH_ARGUMENTS[name](data)
    cls, lines = indicators()[name], [data.close, data.open, data.high]
    return cls(*lines[: cls._mindatas]) if cls._mindatas > 1 else cls(data)


def watching(*names: str) -> type[Recorder]:
    class Watching(Recorder):
        def build(self):
            self.made = [made(name, self.data) for name in names]

    return Watching


def test_every_indicator_has_stock_s_values_and_lengths_at_every_bar():
    names = sorted(indicators().keys() - BY_NEXT - COUPLED)
    turbo = same(watching(*names), lambda: [feed(bars(320, seed=5))], stdstats=False)
    assert len(names) > 110
    assert turbo.explain().is_fast


@pytest.mark.parametrize("name", sorted(BY_NEXT | COUPLED))
def test_indicator_that_needs_stock_s_loop_gets_it(name):
    turbo = same(watching(name), lambda: [feed(bars(40))], stdstats=False)
    assert not turbo.explain().is_fast


def test_flat_loop_plays_nine_tenths_of_the_indicators_and_nearly_all_are_vectors():
    flat, slow = [], set()
    for name in indicators():
        cerebro, _ = run(backtest.turbo.Cerebro, watching(name), [feed(bars(300))], stdstats=False)
        flat.append(cerebro.explain().is_fast)
        slow |= {
            path.subject for path in cerebro.explain() if path.part == "indicator" and path.reason
        }
    assert sum(flat) >= 0.9 * len(flat)
    assert not slow & {"Average", "LinesOperation", "ExponentialSmoothing", "_LineDelay", "SumN"}


class Checkpoints(bt.Strategy):
    """Keeps what Backtrader's own tests look at when a run is over."""

    params = {"kind": None, "settings": None, "of": None}

    def __init__(self):
        data = getattr(bt.ind, self.p.of)(self.data) if self.p.of else self.data
        self.it = self.p.kind(data, **self.p.settings)

    def nextstart(self):
        self.first_bar = len(self)

    def stop(self):
        back = self.first_bar - len(self.it)
        self.values = [[f"{line[ago]:f}" for ago in (0, back, back // 2)] for line in self.it.lines]


@pytest.mark.parametrize("name", sorted(PUBLISHED["indicators"]))
def test_indicator_has_the_values_that_its_own_test_publishes(market, name):
    published = PUBLISHED["indicators"][name]
    cerebro = backtest.turbo.Cerebro()
    cerebro.adddata(bt.feeds.BacktraderCSVData(dataname=str(market / "2006-day-001.txt")))
    kind = getattr(bt.ind, name, None) or getattr(bt.studies, name)
    cerebro.addstrategy(
        Checkpoints, kind=kind, settings=published["params"], of=published.get("of")
    )
    [ran] = cerebro.run()
    assert ran.first_bar == published["first_bar"]
    for values, expected in zip(ran.values, published["values"], strict=False):
        for value, one in zip(values, expected, strict=True):
            assert value in one if isinstance(one, list) else value == one


class Odd(Recorder):
    """Operations whose arithmetic Python and NumPy do not share."""

    def build(self):
        close, opened = self.data.close, self.data.open
        self.made = [
            close**2, (close - opened) / 2, 100 / close, 100 - close, close // 3,
            abs(opened - close), -close, close(-3), bt.If(close > opened, close, 0.0),
            bt.And(close > opened, close > 99),
            bt.Or(close > opened, close > 99, opened > 100), bt.Max(close, opened, 100.0),
            bt.Min(close, 100), bt.DivByZero(close, close - close(-1), zero=7.0),
            bt.DivZeroByZero(close - close, close - close(-1)), bt.Cmp(close, opened),
            bt.Any(close > opened, close > 99), bt.Sum(close, opened), close == opened,
            close != opened,
            bt.ind.CrossOver(close, 100.0), bt.ind.SMA(close - opened, period=3),
            bt.ind.WMA(close, period=4), bt.ind.Accum(close - 100.0), bt.ind.SMA(self.data.volume),
        ]  # fmt: skip


def test_operations_are_those_of_python():
    frame = bars(60, decimals=0)  # coarse prices: many are equal
    turbo = same(Odd, lambda: [feed(frame)], stdstats=False)
    assert turbo.explain().is_fast


@pytest.mark.parametrize("gap", [float("nan"), float("inf"), -0.0, 1e-300])
def test_odd_values_take_stock_s_way_for_their_line_alone(gap):
    frame = bars(60)
    frame.iloc[30, frame.columns.get_loc("close")] = gap
    turbo = same(
        Odd if gap else watching("MovingAverageSimple", "Highest"),
        lambda: [feed(frame)],
        stdstats=False,
    )
    slow = [path for path in turbo.explain() if path.part == "indicator" and path.reason]
    assert turbo.explain().is_fast
    assert slow


def test_lines_of_different_lengths_fail_as_in_stock():
    class Mixed(Recorder):
        def build(self):
            self.made = bt.ind.CrossOver(self.data0.close, self.data1.close)

    for cerebro in (bt.Cerebro, backtest.turbo.Cerebro):
        with pytest.raises(IndexError):
            run(cerebro, Mixed, [feed(bars(20)), feed(bars(5))])


def test_division_by_zero_raises_as_in_stock():
    class Dividing(Recorder):
        def build(self):
            self.made = self.data.close / (self.data.close - self.data.close)

    for cerebro in (bt.Cerebro, backtest.turbo.Cerebro):
        with pytest.raises(ZeroDivisionError):
            run(cerebro, Dividing, [feed(bars(5))])


@pytest.mark.parametrize("rows", [1, 4])
def test_too_few_bars_end_as_in_stock(rows):
    for cerebro in (bt.Cerebro, backtest.turbo.Cerebro):
        with pytest.raises(IndexError):
            run(cerebro, watching("MovingAverageSimple"), [feed(bars(rows))])


class OnTimes(Recorder):
    """Operations on operands that are no plain numbers."""

    def build(self):
        close, opened, level = self.data.close, self.data.open, Fraction(100)
        self.made = [
            self.data.datetime < time(12), close > level, bt.If(close > level, close, opened),
            bt.Max(close, level), bt.If(close > opened, level, close),
            bt.linebuffer.LineOwnOperation(close, math.sqrt),
            bt.ind.ExponentialSmoothing(close, period=3, alpha=Fraction(1, 3)),
        ]  # fmt: skip


def test_operands_of_any_kind_are_left_to_python():
    turbo = same(OnTimes, lambda: [feed(bars(40, freq="5h"))], stdstats=False)
    assert turbo.explain().is_fast


class OwnForward(bt.Indicator):
    lines = ("it",)

    def forward(self, value=0.0, size=1):
        super().forward(value, size)

    def once(self, start, end):
        """Leave the values of `forward`."""


class OwnOnce(bt.Indicator):
    lines = ("it",)

    def _once(self):
        super()._once()
        self.line.array[0] = 42.0


class Internal(Recorder):
    def build(self):
        self.made = [OwnForward(self.data), OwnOnce(self.data)]


def test_internals_of_an_indicator_s_own_are_used():
    turbo = same(Internal, lambda: [feed(bars(20))], stdstats=False)
    assert "OwnOnce: stock, it has its own _once" in str(turbo.explain())


class OwnIndicators(Recorder):
    """Indicators of the user's: by next, by once, by assignment, and with a state."""

    class ByNext(bt.Indicator):
        lines = ("range", "count")

        def __init__(self):
            self.addminperiod(3)

        def next(self):
            self.lines.range[0] = self.data.high[0] - self.data.low[-2]
            self.lines.count[0] = len(self)

    class ByOnce(bt.Indicator):
        lines = ("half",)

        def next(self):
            self.line[0] = self.data.close[0] / 2

        def once(self, start, end):
            for row in range(start, end):
                self.line.array[row] = self.data.close.array[row] / 2

    class Assigned(bt.Indicator):
        lines = ("signal",)

        def __init__(self):
            self.lines.signal = OwnIndicators.ByNext(self.data).range - self.data.close(-1)

    class OfALine(bt.Indicator):
        lines = ("change", "mean")

        def __init__(self):
            self.average = bt.ind.EMA(self.data, period=3)
            self.level = self.average * 1.01 + bt.If(self.data > 100, 1.0, 0.0)

        def prenext(self):
            self.lines.mean[0] = -len(self)

        def nextstart(self):
            self.lines.mean[0] = self.data[0] - 1000

        def next(self):
            self.lines.mean[0] = self.lines.mean[-1] * 0.5 + self.level[0]
            self.lines.change[0] = self.data[0] - self.data[-1] + self.average[0] + len(self.data)

    def build(self):
        close, high = self.data.close, self.data.high
        self.made = [
            self.ByNext(self.data), self.ByOnce(self.data), self.Assigned(self.data),
            self.OfALine(close), self.OfALine(close - high), self.OfALine(bt.ind.SMA(period=4)),
            self.OfALine(high(-1)), self.OfALine(self.ByNext(self.data)), self.OfALine(self.data),
            self.OfALine(close, high),
        ]  # fmt: skip


def test_indicators_of_one_s_own_have_stock_s_values():
    turbo = same(OwnIndicators, lambda: [feed(bars(40))], stdstats=False)
    reasons = {path.subject: path.reason for path in turbo.explain()}
    assert reasons["ByNext"] == ""
    assert reasons["ByOnce"] == "it has its own once()"


def test_line_that_moves_twice_at_once_fails_as_in_stock():
    class Twice(Recorder):
        def build(self):
            self.made = OwnIndicators.OfALine(self.data, self.data.close)

    for cerebro in (bt.Cerebro, backtest.turbo.Cerebro):
        with pytest.raises(IndexError):
            run(cerebro, Twice, [feed(bars(20))])


def test_values_before_the_first_are_nan_in_both():
    _, ran = run(
        backtest.turbo.Cerebro, watching("MovingAverageSimple"), [feed(bars(40))], stdstats=False
    )
    assert exact(ran.made[0].array[:3].tolist()) == ["nan"] * 3
