"""The values of a strategy's own Backtrader indicators, by name."""

import math
from collections import Counter

import backtrader as bt


def indicator_values(strategy: bt.Strategy) -> dict[str, float]:
    """What the indicators of any Backtrader strategy show at the current bar, for the log.

    Keys are the indicator's class, its numeric parameters and its line, as in ``SMA(10).sma``, with
    ``#2`` after the second of the same; a value is NaN before its indicator's first bar.
    """
    values: dict[str, float] = {}
    seen: Counter[str] = Counter()
    for indicator in strategy.getindicators_lines():
        numbers = [v for v in vars(indicator.p).values() if type(v) in (int, float)]
        call = f"{type(indicator).__name__}({','.join(f'{number:g}' for number in numbers)})"
        for line, name in zip(indicator.lines, indicator.getlinealiases(), strict=False):
            key = f"{call}.{name}"
            seen[key] += 1
            key = key if seen[key] == 1 else f"{key}#{seen[key]}"
            values[key] = float(line[0]) if len(line) else math.nan
    return values
