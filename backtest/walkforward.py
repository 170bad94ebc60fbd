"""Walk-forward: parameters chosen on one stretch of time, traded on the next, over and over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import backtrader as bt
import pandas as pd

from analyzers import metrics
from analyzers.trades import TRADES, frame
from backtest import engine, sweeps
from backtest.asked import asked
from backtest.inputs import only_frames
from backtest.sweep_result import SweepResult
from backtest.sweep_spec import SweepSpec
from backtest.walk_result import Walk, WalkForwardResult
from backtest.windows import Window, windows
from brokers.errors import RiskRefused
from brokers.risk import Situation
from feeds.frames import bar_ends
from feeds.passport import passport_of

Frames = Mapping[str, pd.DataFrame]
Report = Callable[[int, int], None]  # (windows done, windows in all)


@dataclass(frozen=True)
class NotBefore:
    """No order before the training bars have ended: until then the strategy only warms up.

    Args:
        at: end of the last training bar, in seconds since 1970 UTC. A decision at that instant is
            the first that counts; it fills in the first test bar.
    """

    at: float

    def __call__(self, situation: Situation) -> None:
        """Refuse an order of the warm-up."""
        if situation.bar_at < self.at:
            raise RiskRefused("walk_forward_warm_up", self.at, situation.bar_at)


def walk_forward(
    strategy: str | type[bt.Strategy] | SweepSpec,
    bars: Any,
    grid: Mapping[str, Any] | None = None,
    *,
    train: int,
    test: int,
    anchored: bool = False,
    report: Report | None = None,
    **how: Any,
) -> WalkForwardResult:
    """Optimise on `train` bars, trade the best set on the next `test` bars, and go on from there.

    Each test begins flat, with the capital that the one before ended with; a position left open at
    its end counts at the last close. In the training bars the strategy sees before its test, it
    warms up without orders. Where no set of a training window has an objective, its test is spent
    in cash.

    Args:
        strategy: as in `backtest.sweep`; or a SweepSpec, the sweep of each training window.
        bars: a bar frame, or several in a list or a dict by symbol.
        grid: the values to try by parameter.
        train: bars of a training window, over all feeds together; of the first where `anchored`.
        test: bars of a test window; the last may be shorter.
        anchored: every training window begins with the first bar.
        report: told how far it is.
        how: other keywords of `backtest.sweep`, such as cash, objective or search; no set is
            confirmed in Backtrader, for every test runs in it.

    Returns:
        The result; `partial` when Ctrl-C ended it early.

    Raises:
        ConfigError: the windows do not fit, or something about the sweep is wrong.
        DataError: the bars or the ledger cannot be used.
    """
    spec, frames = asked(strategy, grid, how), only_frames(bars)
    plan = windows(frames, train, test, anchored=anchored)
    chosen = replace(spec, confirm=0)
    capital, walks, is_complete = float(spec.run.cash), [], True
    try:
        for number, window in enumerate(plan, 1):
            walks.append(_walk(chosen, frames, window, capital))
            capital = walks[-1].final_value
            if report is not None:
                report(number, len(plan))
            if capital <= 0:
                break
    except KeyboardInterrupt:
        if not walks:
            raise
        is_complete = False
    return _result(spec, walks, anchored=anchored, partial=not is_complete)


def _walk(spec: SweepSpec, frames: Frames, window: Window, capital: float) -> Walk:
    train, whole = window.train(frames), window.whole(frames)
    begins = max(_last_end(frame) for frame in train.values())
    optimised = sweeps.execute(spec, train)
    if optimised.ranked().empty:
        why = f"no set has a {spec.objective} in training"
        return _idle(window, whole, begins, capital, len(optimised), why)
    params = optimised.best_params
    run = replace(spec.run, params=params, cash=capital)
    traded = engine.execute(run, whole, rules=[NotBefore(begins.timestamp())])
    equity = traded.equity[traded.equity.index > begins]
    return Walk(
        window,
        params,
        *_in_sample(optimised, train),
        *_measured(equity, capital, traded.trades),
        equity=equity,
        trades=traded.trades,
        objective=float(optimised.best()[spec.objective]),
        sets=len(optimised),
    )


def _idle(
    window: Window, whole: Frames, begins: pd.Timestamp, capital: float, sets: int, why: str
) -> Walk:
    """A test in cash."""
    ends = pd.DatetimeIndex([], tz="UTC")
    for bars in whole.values():
        ends = ends.union(bar_ends(bars, passport_of(bars)))
    equity = pd.Series(capital, index=ends[ends > begins], name="equity")
    nothing = frame([], TRADES)
    return Walk(
        window, None, nan, nan, *_measured(equity, capital, nothing),
        equity=equity, trades=nothing, objective=nan, sets=sets, why_idle=why,
    )  # fmt: skip


def _last_end(bars: pd.DataFrame) -> pd.Timestamp:
    last: pd.Timestamp = bar_ends(bars, passport_of(bars))[-1]
    return last


def _in_sample(optimised: SweepResult, train: Frames) -> tuple[float, float]:
    """Sharpe ratio and return a year of the best set."""
    best = optimised.best()
    ends = pd.DatetimeIndex([], tz="UTC")
    for bars in train.values():
        ends = ends.union(pd.DatetimeIndex(bars.index))
    growth = 1.0 + float(best["total_return"])
    a_year = metrics.periods_per_year(ends)
    yearly = growth ** (a_year / len(ends)) - 1.0 if growth > 0 else -1.0
    return float(best["sharpe"]), yearly


def _measured(
    equity: "pd.Series[float]", capital: float, trades: pd.DataFrame
) -> tuple[float, float]:
    """Sharpe ratio and return a year of a test."""
    told = metrics.summary(equity, capital, trades)
    sharpe, yearly = told["sharpe"], told["cagr"]
    return nan if sharpe is None else float(sharpe), nan if yearly is None else float(yearly)


def _result(
    spec: SweepSpec, walks: Sequence[Walk], *, anchored: bool, partial: bool
) -> WalkForwardResult:
    trades = pd.concat([walk.trades for walk in walks], ignore_index=True)
    equity = pd.concat([walk.equity for walk in walks]).rename("equity")
    return WalkForwardResult(
        tuple(walks),
        equity,
        trades,
        metrics.summary(equity, float(spec.run.cash), trades),
        spec.as_dict() | {"anchored": anchored},
        {name: tuple(values) for name, values in spec.axes.axes.items()},
        partial,
    )
