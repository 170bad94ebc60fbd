"""Alpaca's corporate actions: what makes units of a symbol more, or fewer.

Source: docs.alpaca.markets, "Corporate actions" (GET /v1/corporate-actions).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from brokers.errors import DataError
from feeds.alpaca_client import UNREADABLE, AlpacaHistory

TYPES = ("forward_split", "reverse_split", "stock_dividend")
_PATH, _PAGE = "/v1/corporate-actions", "1000"


@dataclass(frozen=True, slots=True)
class StockSplit:
    """A split, or a dividend in units of the stock itself.

    Args:
        ex_date: its first session at the new price, at the exchange.
        new_rate: units after it, for
        old_rate: units before it.
    """

    symbol: str
    ex_date: date
    new_rate: Decimal
    old_rate: Decimal


async def splits(
    history: AlpacaHistory, symbols: Sequence[str], first: date, last: date
) -> tuple[StockSplit, ...]:
    """Splits with an ex-date from `first` to `last`, both included, by date.

    Raises:
        ConfigError: the keys were refused.
        DataError: not in the plan, or an answer that is wrong.
        Transient: the back-off gave up.
    """
    query = {
        "symbols": ",".join(symbols),
        "types": ",".join(TYPES),
        "start": first.isoformat(),
        "end": last.isoformat(),
        "limit": _PAGE,
    }
    pages = await history.pages(_PATH, query)
    try:
        found = {split for page in pages for split in _read(page["corporate_actions"])}
    except (*UNREADABLE, InvalidOperation) as error:
        raise DataError(f"alpaca: its corporate actions have another form ({error!r})") from None
    ours = (split for split in found if split.symbol in symbols)
    return tuple(sorted(ours, key=lambda split: (split.ex_date, split.symbol)))


def _read(actions: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[StockSplit]:
    for kind in ("forward_splits", "reverse_splits"):
        for row in actions.get(kind) or ():
            yield _split(row, _rate(row["new_rate"]), _rate(row["old_rate"]))
    for row in actions.get("stock_dividends") or ():
        yield _split(row, 1 + _rate(row["rate"]), Decimal(1))


def _split(row: Mapping[str, Any], new_rate: Decimal, old_rate: Decimal) -> StockSplit:
    return StockSplit(str(row["symbol"]), date.fromisoformat(row["ex_date"]), new_rate, old_rate)


def _rate(value: Any) -> Decimal:
    rate = Decimal(str(value))
    if not (rate.is_finite() and rate > 0):
        raise ValueError(f"rate {value}")
    return rate
