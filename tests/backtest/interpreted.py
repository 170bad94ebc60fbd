"""The kernel's functions as ordinary Python, which coverage and a debugger can see."""

from types import SimpleNamespace

from backtest.compiled import indicators, simulate

INTERPRETED = SimpleNamespace(
    run_sets=simulate.run_sets,
    run_set=simulate.run_set,
    window_means=indicators.window_means,
    smooth=indicators.smooth,
)
