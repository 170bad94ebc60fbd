"""One small sweep after another, so that everything in the kernel is compiled and kept."""

from contextlib import closing

import numpy as np
import pandas as pd

from backtest.compiled.confirmation import noted_fills
from backtest.compiled.evaluation import Evaluation
from backtest.compiled.kernel import COMPLETE, built, cache_folder
from backtest.spec import RunSpec

STRATEGIES = ("sma_cross", "rsi_reversion")  # the means and the smoothing


def warm() -> None:
    """Compile into the folder of this version, then say there that it is complete."""
    folder = cache_folder()
    functions = built(folder)
    index = pd.date_range("2024-01-02", periods=64, freq="D", tz="UTC", name="time")
    prices = 100.0 + np.arange(64.0) % 7.0
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), prices), index)
    for strategy in STRATEGIES:
        spec = RunSpec(strategy)
        with closing(Evaluation(spec, {"X": frame}, functions=functions)) as evaluation:
            list(evaluation.chunk([{}], 0))
            noted_fills(evaluation, {})
    if folder is not None:
        (folder / COMPLETE).touch()
