"""The check that a run has bars enough for its strategy to decide anything at all."""

from typing import Any

import backtrader as bt
import numpy as np

from brokers.errors import DataError
from strategies.panel import FIELDS, Bars
from strategies.signals import SignalStrategy

LONGEST = 1 << 16  # bars; what needs more than this is left alone


class EnoughBars(bt.Analyzer):
    """Ends a run before it begins when the strategy's indicators would never be ready.

    Backtrader's own answer is silence, or an IndexError from inside an indicator.
    """

    def start(self) -> None:
        """Hold the feeds against what the strategy needs.

        Raises:
            DataError: it names the feed, how many bars are needed and how many there are.
        """
        strategy = self.strategy
        fixed = [data for data in strategy.datas if not (data.replaying or data.islive())]
        if isinstance(strategy, SignalStrategy):
            longest = max(fixed, key=lambda data: data.buflen(), default=None)
            needs = (
                {longest: bars_needed(type(strategy), strategy.config)}
                if longest is not None
                else {}
            )
        else:
            periods = strategy._minperiods  # noqa: SLF001  Backtrader has no public name for it
            needs = dict(zip(strategy.datas, periods, strict=True))
        for data in fixed:
            needed, held = needs.get(data, 0), data.buflen()
            if held < needed:
                raise DataError(
                    f"{data._name}: {held} bars are too few: {type(strategy).__name__} needs "
                    f"at least {needed} before its first decision: start earlier, or choose "
                    "shorter periods"
                )


def bars_needed(strategy: type[SignalStrategy], config: Any) -> int:
    """Bars until each feature of the strategy has had a value, tried on a rising price."""
    rows = 64
    while rows <= LONGEST:
        prices = 100.0 * 1.0001 ** np.arange(rows)
        features = strategy.features(config, Bars(*[prices] * len(FIELDS)))
        firsts = [_first(values) for values in features.values()]
        if None not in firsts:
            return max((first + 1 for first in firsts if first is not None), default=1)
        rows *= 2
    return 0


def _first(values: Any) -> int | None:
    """Row of the first value; None when there is none."""
    known = np.flatnonzero(~np.isnan(values))
    return int(known[0]) if len(known) else None
