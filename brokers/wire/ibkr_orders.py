"""Orders in the TWS API's words, or a clear no where it has no words for them.

Source: IB's "Order Types" and "Bracket Orders" of the TWS API; prices go as floats, since ib_async
writes repr, which is every digit of the Decimal(repr(float)) that we hold.
"""

from collections.abc import Sequence
from copy import copy
from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brokers.errors import SchemaRefused
from brokers.orders import OrderSchema, Terms
from brokers.wire.transport import Replacement

if TYPE_CHECKING:
    from ib_async.order import Order

TYPES = {
    "market": "MKT",
    "market_on_close": "MOC",
    "limit": "LMT",
    "stop": "STP",
    "stop_limit": "STP LMT",
    "trailing_stop": "TRAIL",
}
_TIMES = {"day": "DAY", "gtc": "GTC", "gtd": "GTD", "opg": "OPG", "ioc": "IOC", "fok": "FOK"}
CANCEL_WITH_BLOCK = 1  # an OCA group's type
PERCENT = 100
UNSET = 1e300  # ib_async's word for no number is greater


def family(order: OrderSchema) -> list[Terms]:
    """The orders to be placed, in turn: an entry before its legs, of two exits who was first.

    Raises:
        SchemaRefused: IB has no such order; the text says what it has instead.
    """
    if order.oco_client_order_id is not None and not order.legs:
        raise SchemaRefused(
            f"IB takes an order into a group when it is placed, so none can be tied to "
            f"{order.oco_client_order_id} later: use a bracket, or one limit exit with a "
            "stop_loss leg (order_class oco)"
        )
    for terms in (order, *order.legs):
        _check(terms)
    is_pair = order.order_class == "oco"
    is_first = not is_pair or order.oco_client_order_id == order.client_order_id
    return [order, *order.legs] if is_first else [*order.legs, order]


def words(order: OrderSchema, terms: Terms, *, account: str) -> "Order":
    """One member of a family; its id and its parent's are set when it is placed."""
    from ib_async.order import Order  # noqa: PLC0415  an extra

    given: dict[str, Any] = {
        "action": terms.side.upper(),
        "totalQuantity": float(terms.quantity),
        "orderType": _type(terms),
        "tif": _TIMES.get(terms.time_in_force, "DAY"),
        "orderRef": terms.client_order_id,
        "account": account,
        "outsideRth": order.extended_hours,
    }
    if terms.limit_price is not None:
        given["lmtPrice"] = float(terms.limit_price)
    if terms.order_type in ("stop", "stop_limit") and terms.stop_price is not None:
        given["auxPrice"] = float(terms.stop_price)
    if terms.order_type == "trailing_stop":
        given |= _trail(terms)
    if terms.expires_at is not None:
        given["goodTillDate"] = f"{terms.expires_at.astimezone(UTC):%Y%m%d-%H:%M:%S}"
    if order.order_class == "oco":
        given |= {"ocaGroup": order.client_order_id, "ocaType": CANCEL_WITH_BLOCK}
    return Order(**given)


def changed(order: "Order", refs: Sequence[str], terms: Replacement, executed: Decimal) -> "Order":
    """The order with new terms, under the last of `refs`; IB counts executed units in."""
    new = copy(order)
    new.orderRef = chain(refs)
    new.transmit = True
    if terms.quantity is not None:
        new.totalQuantity = float(terms.quantity + executed)
    if terms.limit_price is not None:
        new.lmtPrice = float(terms.limit_price)
    if terms.stop_price is not None:
        new.auxPrice = float(terms.stop_price)
    if terms.trail is not None and new.trailingPercent < UNSET:
        new.trailingPercent = float(terms.trail * PERCENT)
    elif terms.trail is not None:
        new.auxPrice = float(terms.trail)
    return new


def chain(refs: Sequence[str]) -> str:
    """What `orderRef` says of an order that was replaced: its name now, and the one before."""
    return "/".join(reversed(refs[-2:]))


def unchained(order_ref: str) -> list[str]:
    """The names in an `orderRef`, the present one last."""
    return order_ref.split("/")[::-1]


def _check(terms: Terms) -> None:
    if terms.order_type not in TYPES:
        raise SchemaRefused(f"IB's {terms.order_type} orders are not built in: use trailing_stop")
    if terms.time_in_force == "cls" and terms.order_type not in ("market", "limit"):
        raise SchemaRefused(
            f"IB has no {terms.order_type} order for the close: use market or limit"
        )


def _type(terms: Terms) -> str:
    if terms.time_in_force == "cls":
        return {"market": "MOC", "limit": "LOC"}[terms.order_type]
    return TYPES[terms.order_type]


def _trail(terms: Terms) -> dict[str, float]:
    given = {}
    if terms.trail_amount is not None:
        given["auxPrice"] = float(terms.trail_amount)
    if terms.trail_frac is not None:
        given["trailingPercent"] = float(terms.trail_frac * PERCENT)
    if terms.stop_price is not None:
        given["trailStopPrice"] = float(terms.stop_price)
    return given
