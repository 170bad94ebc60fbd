"""What a company did to its shares."""

from dataclasses import dataclass
from datetime import date

from brokers.errors import DataError


@dataclass(frozen=True)
class Action:
    """A split or a dividend.

    Args:
        ex_date: first session in the new shares, or without the dividend.
        split: new shares for an old one: 2.0 for two for one, 0.1 for a reverse split.
        dividend: cash a share, in the currency of the prices.

    Raises:
        DataError: the split is not above 0, or the dividend below.
    """

    symbol: str
    ex_date: date
    split: float = 1.0
    dividend: float = 0.0

    def __post_init__(self) -> None:
        if not (self.split > 0 and self.dividend >= 0):
            raise DataError(
                f"{self.symbol}: an action on {self.ex_date} has split {self.split:g} and "
                f"dividend {self.dividend:g}: a split is above 0, a dividend not below"
            )
