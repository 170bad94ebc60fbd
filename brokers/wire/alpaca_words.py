"""Alpaca's JSON read into the values of `transport.py`.

Every function here raises some LookupError, TypeError, ValueError, AttributeError or
ArithmeticError for JSON of another form (`UNREADABLE`); the transport says what that means.
Decimals come as strings or numbers, instants in RFC 3339 with up to nine digits and any offset.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from brokers.orders import OrderType, Role, Side
from brokers.wire.transport import (
    OrderStatus,
    OrderUpdate,
    VenueAccount,
    VenueFill,
    VenueOrder,
    VenuePosition,
)

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
Json = Mapping[str, Any]

# The rest of Alpaca's words (new, pending_cancel, pending_replace, done_for_day, stopped,
# suspended, calculated, and any to come) say that the order has not ended: see `_status`.
STATUSES: dict[str, OrderStatus] = {
    "pending_new": "pending",
    "accepted": "pending",
    "accepted_for_bidding": "pending",
    "pending_review": "pending",
    "held": "held",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "replaced": "replaced",
}
FAMILIES = ("bracket", "oto", "oco")
FILLS = ("fill", "partial_fill")


def order(row: Json, role: Role | None = None, reason: str = "") -> VenueOrder:
    """One order, legs inside it when the answer has them.

    Args:
        role: what it does as a leg; Alpaca's own leg rows do not say.
    """
    return VenueOrder(
        venue_order_id=_text(row["id"]),
        client_order_id=_text(row["client_order_id"]),
        symbol=_text(row["symbol"]),
        side=_side(row["side"]),
        quantity=_decimal(row["qty"] or row["filled_qty"]),
        order_type=_order_type(row),
        status=_status(row),
        filled_quantity=_decimal(row["filled_qty"]),
        updated_at=instant(row["updated_at"]),
        filled_average_price=_price(row, "filled_avg_price"),
        limit_price=_price(row, "limit_price"),
        stop_price=_price(row, "stop_price"),
        role=role,
        replaces=row.get("replaces"),
        replaced_by=row.get("replaced_by"),
        legs=tuple(order(leg, _role(leg)) for leg in row.get("legs") or ()),
        reason=reason or row.get("reject_reason") or "",
    )


def is_ours(row: Json) -> bool:
    """Whether it is an order of a form that Seawall sends; multi-leg options are not."""
    return row.get("order_class") != "mleg"


def lacks_legs(row: Json) -> bool:
    """Whether it heads a family whose legs this answer leaves out."""
    return row.get("order_class") in FAMILIES and not row.get("legs")


def activity(row: Json) -> VenueFill:
    """One FILL row of the account's activities."""
    order_id = _text(row["order_id"])
    return VenueFill(
        execution_id=_execution_id(order_id, _decimal(row["cum_qty"])),
        venue_order_id=order_id,
        symbol=_text(row["symbol"]),
        side=_side(row["side"]),
        quantity=_decimal(row["qty"]),
        price=_decimal(row["price"]),
        filled_at=instant(row["transaction_time"]),
    )


def update(data: Json) -> OrderUpdate:
    """The data of one trade_updates message."""
    known = order(data["order"], reason=data.get("reason") or "")
    if data["event"] not in FILLS:
        return OrderUpdate(known)
    return OrderUpdate(
        known,
        VenueFill(
            execution_id=_execution_id(known.venue_order_id, known.filled_quantity),
            venue_order_id=known.venue_order_id,
            symbol=known.symbol,
            side=known.side,
            quantity=_decimal(data["qty"]),
            price=_decimal(data["price"]),
            filled_at=instant(data["timestamp"]),
        ),
    )


def _execution_id(venue_order_id: str, cumulative: Decimal) -> str:
    """Order and cumulative quantity: the one name that stream and activities surely share.

    Nothing published says that an activity's id holds the stream's execution_id.
    """
    return f"{venue_order_id}:{cumulative.normalize():f}"


def position(row: Json) -> VenuePosition:
    """One position; a short one is negative, whatever the sign that came."""
    quantity = abs(_decimal(row["qty"]))
    return VenuePosition(
        symbol=_text(row["symbol"]),
        quantity=-quantity if row["side"] == "short" else quantity,
        average_price=_decimal(row["avg_entry_price"]),
    )


def account(row: Json) -> VenueAccount:
    """The account; of the fields that Alpaca means to drop none is read."""
    flags = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
    blocks = [name for name in flags if row.get(name)]
    if row["status"] != "ACTIVE":
        blocks.append(f"status {row['status']}")
    return VenueAccount(
        account_id=_text(row["id"]),
        cash=_decimal(row["cash"]),
        equity=_decimal(row["equity"]),
        buying_power=_decimal(row["buying_power"]),
        currency=_text(row["currency"]),
        blocked=", ".join(blocks),
    )


def instant(text: str) -> datetime:
    """RFC 3339 as aware UTC, cut to microseconds.

    Raises:
        ValueError: it is no instant, or has no offset.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return at.astimezone(UTC)


def _status(row: Json) -> OrderStatus:
    known = STATUSES.get(_text(row["status"]))
    if known is not None:
        return known
    return "partially_filled" if _decimal(row["filled_qty"]) else "new"


def _order_type(row: Json) -> OrderType:
    kind = _text(row["type"])
    if kind == "market" and row["time_in_force"] == "cls":
        return "market_on_close"
    return cast("OrderType", kind)


def _role(leg: Json) -> Role:
    return "take_profit" if leg["type"] == "limit" else "stop_loss"


def _side(word: str) -> Side:
    return "buy" if word.startswith("buy") else "sell"


def _price(row: Json, name: str) -> Decimal | None:
    value = row.get(name)
    return None if value is None else _decimal(value)


def _decimal(value: str | float) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is no finite number")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
