"""Backtrader's Cerebro on fast paths, each equal to stock to the last bit.

A drop-in: ``from backtest.turbo import Cerebro``. Whatever is unusual about a run is left to stock,
part by part; `Cerebro.explain()` says what was, and why. Nothing of Backtrader's is patched: for
the length of a run some OBJECTS of that run get a faster class or method, and lose it afterwards.
"""

from collections.abc import Iterable
from typing import Any

import backtrader as bt

from backtest.turbo.explain import LOOP, Explanation
from backtest.turbo.garbage import rarer_collections
from backtest.turbo.play import play
from backtest.turbo.preload import loads_at_once


class Cerebro(bt.Cerebro):
    """bt.Cerebro with the same answers, sooner."""

    _explanation: Explanation | None = None

    def explain(self) -> Explanation:
        """Which fast paths the last run took; of several runs (optstrategy) the last one here."""
        return self._explanation or Explanation()

    def runstrategies(self, iterstrat: Iterable[Any], predata: bool = False) -> list[Any]:
        """Run one set of strategies; Backtrader calls it once a set."""
        self._explanation = explanation = Explanation()
        with rarer_collections(), loads_at_once(self.datas, explanation):
            strategies: list[Any] = super().runstrategies(iterstrat, predata)
        return strategies

    def _runonce(self, runstrats: list[bt.Strategy]) -> None:
        play(self, runstrats, self.explain(), super()._runonce)

    def _runonce_old(self, runstrats: list[bt.Strategy]) -> None:
        self.explain().note(LOOP, reason="oldsync is on")
        super()._runonce_old(runstrats)

    def _runnext(self, runstrats: list[bt.Strategy]) -> None:
        self.explain().note(LOOP, reason="the run goes bar by bar: runonce or preload is off")
        super()._runnext(runstrats)

    def _runnext_old(self, runstrats: list[bt.Strategy]) -> None:
        self.explain().note(LOOP, reason="the run goes bar by bar, and oldsync is on")
        super()._runnext_old(runstrats)
