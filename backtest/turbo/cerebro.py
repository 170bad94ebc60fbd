"""Backtrader's Cerebro on fast paths, each equal to stock to the last bit.

A drop-in: ``from backtest.turbo import Cerebro``. Whatever is unusual about a run is left to stock,
part by part; `Cerebro.explain()` says what was, and why. Nothing of Backtrader's is patched: for
the length of a run some OBJECTS of that run get a faster class or method, and lose it afterwards.
"""

from collections.abc import Iterable
from typing import Any

import backtrader as bt
import numpy as np

from backtest.turbo import once, unusual
from backtest.turbo.boarding import board, clocked
from backtest.turbo.explain import LOOP, Explanation
from backtest.turbo.loop import NEXT, NEXTSTART, PRENEXT, FlatLoop
from backtest.turbo.preload import loads_at_once
from backtest.turbo.schedule import Schedule
from backtest.turbo.orderly import StockOrders


class Cerebro(bt.Cerebro):
    """bt.Cerebro with the same answers, sooner."""

    def __init__(self) -> None:
        super().__init__()
        self._explanation = Explanation()

    def explain(self) -> Explanation:
        """Which fast paths the last run took; of several runs (optstrategy) the last one here."""
        return self._explanation

    def runstrategies(self, iterstrat: Iterable[Any], predata: bool = False) -> list[Any]:
        """Run one set of strategies; Backtrader calls it once a set."""
        self._explanation = Explanation()
        with loads_at_once(self.datas, self._explanation):
            return super().runstrategies(iterstrat, predata)

    def _runonce(self, runstrats: list[bt.Strategy]) -> None:
        reason = unusual.reason(self, runstrats)
        self._explanation.note(LOOP, reason=reason)
        if reason:
            super()._runonce(runstrats)
            return
        [strategy] = runstrats
        once.compute(strategy, self._explanation)
        strategy.reset()
        cals = [np.frombuffer(d.lines.datetime.array)[: d.buflen()] for d in self.datas]
        schedule = Schedule.of(cals, strategy._minperiods)
        riders = clocked(strategy, schedule)
        watch = {
            phase: (
                lambda p=phase: strategy._next_analyzers(p, once=True),
                lambda p=phase: strategy._next_observers(p, once=True),
            )
            for phase in (PRENEXT, NEXTSTART, NEXT)
        }
        ride = board(strategy, schedule, riders)
        try:
            FlatLoop(strategy, schedule, StockOrders(self, strategy), watch, ride).play()
        finally:
            ride.end()

    def _runnext(self, runstrats: list[bt.Strategy]) -> None:
        self._explanation.note(LOOP, reason="the run goes bar by bar: runonce or preload is off")
        super()._runnext(runstrats)
