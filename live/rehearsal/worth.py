"""What an account was worth, recomputed from its fills: one function for both halves."""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from live.rehearsal.canon import Line

HALF_A_CENT = 0.005


def equity_from_fills(
    fills: Sequence[Line], closes: pd.DataFrame, cash: float, commission: float
) -> pd.Series:
    """Cash and positions at the last closes, at the end of each bar.

    Args:
        fills: in their order, each with `price`, or a list of prices that are alike.
        closes: the last of each symbol, by the bars' ends.
        commission: fraction of a fill's notional.

    Returns:
        In the account's currency, by the bars' ends, aware UTC.
    """
    left = deque(fills)
    held = dict.fromkeys(closes.columns, 0.0)
    values = []
    for at, row in zip(closes.index, closes.to_numpy(), strict=True):
        while left and pd.Timestamp(left[0].bar) <= at:
            content = left.popleft().content
            sign = 1 if content["side"] == "buy" else -1
            price = content["price"][0] if isinstance(content["price"], list) else content["price"]
            quantity = sign * float(Decimal(str(content["quantity"])))
            held[content["symbol"]] += quantity
            cash -= quantity * price + abs(quantity * price) * commission
        worth = zip(held.values(), row, strict=True)
        values.append(cash + sum(units * close for units, close in worth if units))
    return pd.Series(values, index=closes.index, name="equity")
