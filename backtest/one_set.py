"""One parameter set after another through Cerebro, bare: no guard, no log, nothing that watches."""

import sysconfig
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from analyzers.equity import EquityCurve, instants
from analyzers.metrics import periods_per_year
from analyzers.trades import Ledger
from backtest.booked import BookedAccount, Tape
from backtest.engine import simulated_broker
from backtest.inputs import named_feeds
from backtest.outcomes import Outcomes, failed, of_run
from backtest.spec import RunSpec
from backtest.turbo import Cerebro
from backtest.warmup import EnoughBars
from brokers.errors import SeawallError
from feeds.frames import bar_ends, to_num
from feeds.passport import passport_of
from strategies.sizing import PercentOfEquity

LIBRARIES = tuple(sysconfig.get_path(name) for name in ("purelib", "stdlib"))


class Bench:
    """Bars made ready once, for one set after another.

    Args:
        spec: the run that all sets share.
        frames: checked bar frames by symbol, in Cerebro's order.
    """

    def __init__(self, spec: RunSpec, frames: Mapping[str, pd.DataFrame]) -> None:
        self._spec = spec
        self._feeds = named_feeds(frames)
        ends = [to_num(bar_ends(frame, passport_of(frame, name))) for name, frame in frames.items()]
        # A feed that stands still may have its orders filled late, at the time of its last bar.
        is_one_calendar = all(np.array_equal(ends[0], other) for other in ends[1:])
        is_paid_in_full = not isinstance(spec.commission, bt.CommInfoBase)
        self._tape: Tape | None = None
        if is_one_calendar and is_paid_in_full:
            closes = [frame["close"].to_numpy() for frame in frames.values()]
            by_feed = dict(zip(self._feeds.values(), closes, strict=True))
            self._tape = Tape(ends[0], by_feed, periods_per_year(instants(ends[0])))

    def evaluate(self, params: Mapping[str, Any]) -> Outcomes:
        """The row of one set; a strategy that raises gives a row that failed, with the reason.

        Args:
            params: every parameter of the strategy.
        """
        try:
            return self._row(params)
        except SeawallError as error:
            return failed(str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a stranger's code raises anything
            return failed(in_one_line(error))

    def _row(self, params: Mapping[str, Any]) -> Outcomes:
        cash = float(self._spec.cash)
        if self._tape is not None:
            strategy = self._run(params)
            account = BookedAccount.of(strategy.broker, self._tape, cash)
            if len(strategy) == len(self._tape.times) and account.agrees_with(strategy.broker):
                outcomes = account.outcomes()
                _take_apart(strategy)
                return outcomes
        strategy = self._run(params, EquityCurve, Ledger)
        _, curve, ledger = strategy.analyzers
        return of_run(curve.series(), cash, ledger.trades())

    def _run(self, params: Mapping[str, Any], *analyzers: type[bt.Analyzer]) -> bt.Strategy:
        spec = self._spec
        cerebro = (Cerebro if spec.turbo else bt.Cerebro)(stdstats=False)
        for name, feed in self._feeds.items():
            cerebro.adddata(feed, name=name)
        cerebro.broker = simulated_broker(spec)
        if spec.equity_percent is not None:
            cerebro.addsizer(PercentOfEquity, percent=spec.equity_percent)
        elif spec.size is not None:
            cerebro.addsizer(bt.sizers.FixedSize, stake=spec.size)
        for analyzer in (EnoughBars, *analyzers):
            cerebro.addanalyzer(analyzer)
        cerebro.addstrategy(spec.strategy_class, **params)
        ran = cerebro.run()
        if not ran:
            raise bt.errors.StrategySkipError("the strategy left itself out")
        return ran[0]


def _take_apart(strategy: bt.Strategy) -> None:
    """Let a run's orders go at once: they and it hold one another, and would wait for a search."""
    strategy._orders.clear()  # noqa: SLF001  Backtrader has no public name for it
    vars(strategy.broker).clear()


def in_one_line(error: BaseException) -> str:
    """What was raised and where, as one line: the place is the innermost in nobody's library."""
    stack = traceback.extract_tb(error.__traceback__)
    theirs = [it for it in stack if not it.filename.startswith(LIBRARIES)] or stack
    where = f" ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"
