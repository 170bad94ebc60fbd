"""What an account was worth, recomputed from its fills: one function for both halves."""

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pandas as pd

from feeds.frames import bar_ends
from feeds.passport import passport_of
from live.rehearsal.canon import Line

HALF_A_CENT = 0.005


def equity_from_fills(
    fills: Sequence[Line], frames: Mapping[str, pd.DataFrame], cash: float, commission: float
) -> pd.Series:
    """Cash and positions at the last closes, at the end of each bar.

    Args:
        fills: in their order, each with `price`, or a list of prices that are alike.
        commission: fraction of a fill's notional.

    Returns:
        In the account's currency, by the bars' ends, aware UTC.
    """
    closes = closing_prices(frames)
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


def closing_prices(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The last close of each symbol at each bar's end."""
    columns = {
        symbol: pd.Series(
            frame["close"].to_numpy(), index=bar_ends(frame, passport_of(frame, symbol))
        )
        for symbol, frame in frames.items()
    }
    return pd.DataFrame(columns).sort_index().ffill()
