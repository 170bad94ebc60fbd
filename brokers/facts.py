"""What is known to have happened at a venue, keyed by our own order ids.

Facts are told once each. Those of one order come in this order: `Accepted`, then `Replaced` and
`Filled` as they happened, then `Ended`; an order that fills to its last unit has no `Ended`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

EndStatus = Literal["canceled", "expired", "rejected"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue works the order, or holds it as the leg of an entry."""

    order_id: str
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class Filled:
    """One execution.

    Args:
        execution_id: the venue's own, unique in the account's life.
        quantity: signed units, negative for a sell.
        filled_at: aware UTC.
        commission: in the account's currency; None when the venue did not say.
        venue_order_id: of the venue's order that was executed, perhaps one since replaced.
    """

    order_id: str
    execution_id: str
    quantity: Decimal
    price: Decimal
    filled_at: datetime
    commission: Decimal | None = None
    venue_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The order will not fill any more, though it is not filled."""

    order_id: str
    status: EndStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another order of the venue's works in its stead, under the same id of ours."""

    order_id: str
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What cannot be explained: a position that differs, or an order.

    Args:
        ours: units that we know of: of the position, signed; of an order, those filled.
        theirs: what the venue has in their place.
        venue_order_id: of an order that is not ours or has ended here (`theirs`: its signed units),
            or whose fills do not add up (`theirs`: units filled); None: the position differs.
    """

    symbol: str
    ours: Decimal
    theirs: Decimal
    venue_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection's thread ended by itself; nothing more will come from this venue."""

    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """Units of a symbol are about to become more, or fewer, and worth as much.

    Args:
        new_rate: units after it, for
        old_rate: units before it.
        eve_at: the close of the last session at the old price, aware UTC.
        ex_at: the open of the first session at the new price.
    """

    symbol: str
    new_rate: Decimal
    old_rate: Decimal
    eve_at: datetime
    ex_at: datetime

    @property
    def ratio(self) -> Decimal:
        """Units after it for one before."""
        return self.new_rate / self.old_rate


@dataclass(frozen=True, slots=True)
class Restated:
    """The venue has restated a position after a split.

    Args:
        quantity: signed units that it holds now.
    """

    symbol: str
    quantity: Decimal


OrderFact = Accepted | Filled | Ended | Replaced
SplitFact = Split | Restated
Fact = OrderFact | SplitFact | Mismatch | Broken
