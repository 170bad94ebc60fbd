"""Orders in the Client Portal's words, or a clear no where it has no words for them.

Source: Web API, "Place Order"; of a stop `price` is the trigger, of a stop-limit `auxPrice` is.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from brokers.errors import SchemaRefused
from brokers.orders import OrderSchema, Terms
from brokers.wire import ibkr_orders

TYPES = {
    "market": "MKT",
    "limit": "LMT",
    "stop": "STP",
    "stop_limit": "STOP_LIMIT",
    "trailing_stop": "TRAIL",
}
TIMES = {"day": "DAY", "gtc": "GTC", "opg": "OPG", "ioc": "IOC"}
PERCENT = Decimal(100)


def portal_family(order: OrderSchema) -> list[Terms]:
    """The orders to be placed, in turn; see `ibkr_orders.family`.

    Raises:
        SchemaRefused: the Client Portal has no such order; the text says what it has instead.
    """
    members = ibkr_orders.family(order)
    for terms in members:
        if terms.order_type not in TYPES:
            text = f"the Client Portal has no {terms.order_type} order: use {', '.join(TYPES)}"
            raise SchemaRefused(text)
        if terms.time_in_force not in TIMES:
            text = f"the Client Portal has no time in force {terms.time_in_force}"
            raise SchemaRefused(f"{text}: use {', '.join(TIMES)}")
    return members


def bodies(
    order: OrderSchema, members: Sequence[Terms], *, conid: int, account: str
) -> list[dict[str, Any]]:
    """What is sent for a family; legs name their entry, of two exits each is of one group."""
    is_pair = order.order_class == "oco"
    sent = []
    for terms in members:
        body = {
            "acctId": account,
            "conid": conid,
            "cOID": terms.client_order_id,
            "side": terms.side.upper(),
            "quantity": float(terms.quantity),
            "orderType": TYPES[terms.order_type],
            "tif": TIMES[terms.time_in_force],
            "outsideRTH": order.extended_hours,
            **_prices(terms),
        }
        if is_pair:
            body["isSingleGroup"] = True
        elif terms is not members[0]:
            body["parentId"] = members[0].client_order_id
        sent.append(body)
    return sent


def _prices(terms: Terms) -> dict[str, Any]:
    if terms.order_type == "limit":
        return {"price": _float(terms.limit_price)}
    if terms.order_type == "stop":
        return {"price": _float(terms.stop_price)}
    if terms.order_type == "stop_limit":
        return {"price": _float(terms.limit_price), "auxPrice": _float(terms.stop_price)}
    if terms.order_type == "trailing_stop":
        return _trail(terms)
    return {}


def _trail(terms: Terms) -> dict[str, Any]:
    start = {} if terms.stop_price is None else {"price": float(terms.stop_price)}
    if terms.trail_frac is not None:
        return {"trailingType": "%", "trailingAmt": float(terms.trail_frac * PERCENT), **start}
    return {"trailingType": "amt", "trailingAmt": _float(terms.trail_amount), **start}


def _float(value: Decimal | None) -> float:
    return float(value or 0)
