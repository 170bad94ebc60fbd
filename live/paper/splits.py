"""Stock splits of the paper venue's market."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Self

from brokers.errors import ConfigError
from live.paper import alpaca_json

_SHAPE = re.compile(r"(\S+) (\d{4}-\d\d-\d\d) (\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class MarketSplit:
    """One split: bars of the market are those after it, and dearer before it.

    Args:
        ex_date: its first session at the new price.
        new_rate: units after it, for
        old_rate: units before it.
    """

    symbol: str
    ex_date: date
    new_rate: Decimal
    old_rate: Decimal = Decimal(1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read such as ``SPY 2025-06-04 2:1``.

        Raises:
            ConfigError: it is none.
        """
        found = _SHAPE.fullmatch(text)
        try:
            if found is None:
                raise ValueError
            split = cls(
                found[1], date.fromisoformat(found[2]), Decimal(found[3]), Decimal(found[4])
            )
        except ValueError:
            split = None
        if split is None or not split.new_rate or not split.old_rate:
            raise ConfigError(f"{text!r} is no split: write SPY 2025-06-04 2:1, new units for old")
        return split

    @property
    def text(self) -> str:
        """As `parse` reads it."""
        return f"{self.symbol} {self.ex_date} {self.new_rate}:{self.old_rate}"

    @property
    def ratio(self) -> Decimal:
        """Units after it for one before."""
        return self.new_rate / self.old_rate

    @property
    def kind(self) -> str:
        """forward_split, or reverse_split where units become fewer."""
        return "forward_split" if self.ratio >= 1 else "reverse_split"

    def written(self) -> dict[str, Any]:
        """As Alpaca writes it."""
        cusip = alpaca_json.asset_id(self.symbol).replace("-", "")[:9].upper()
        names = ("cusip",) if self.kind == "forward_split" else ("old_cusip", "new_cusip")
        dates = ("ex_date", "process_date", "record_date", "payable_date")
        return {
            "id": alpaca_json.asset_id(self.text),
            "symbol": self.symbol,
            **dict.fromkeys(names, cusip),
            "new_rate": float(self.new_rate),
            "old_rate": float(self.old_rate),
            **dict.fromkeys(dates, self.ex_date.isoformat()),
        }
