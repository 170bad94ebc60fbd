"""What the guard tells those who listen, and where a listener may write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from brokers.orders import OrderSchema

RefusalKind = Literal["schema", "risk", "family", "log", "halt", "venue", "breaker"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order did not leave; `rule`, `limit` and `value` are set by risk rules."""

    kind: RefusalKind
    text: str
    rule: str | None = None
    limit: float | str | None = None
    value: float | str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One order, or one family, reviewed; told before the inner broker is called.

    Args:
        order_id: the client order id, present also when the order was refused.
        order: the family as a schema; None when it contradicts itself.
        asked: the caller's own words, by Backtrader's names (size, price, plimit, exectype, ...).
        reason: why, in the strategy's words; None when it gave none.
        owner: the strategy that asked.
        data: the feed that it asked for.
        refusal: None when the order goes on.
    """

    order_id: str
    order: OrderSchema | None
    asked: Mapping[str, Any]
    reason: str | None
    owner: Any
    data: Any
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancel was asked for; it is never refused.

    Args:
        order_id: None when the order did not come through the guard.
    """

    order_id: str | None
    owner: Any
    data: Any
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """The guard went reduce-only: from here on only orders that shrink a position leave."""

    refusal: Refusal
    cancelled: tuple[str, ...] = field(default=())


Event = Decision | Cancel | Halt


class Listener(Protocol):
    """Told of every event before it takes effect.

    Raises:
        OSError: it could not write; an order is then refused, a cancel goes on.
    """

    def __call__(self, event: Event) -> None:
        """Take note of the event."""


class Journal(Protocol):
    """An append-only log; one call, one line.

    Raises:
        OSError: the line could not be written; the log ends with the line before it.
    """

    def append(self, record: Mapping[str, object]) -> None:
        """Write one record; sequence number, run id and hash are the journal's own."""
