"""Orders in Alpaca's words, or a clear no where Alpaca has no words for them.

Source: docs.alpaca.markets, "Placing Orders", and the request models of alpaca-py.
"""

from decimal import Decimal
from typing import Any

from brokers.errors import SchemaRefused
from brokers.orders import Leg, OrderSchema, Role, Terms
from brokers.wire.transport import Replacement

TYPES = {
    "market": "market",
    "market_on_close": "market",
    "limit": "limit",
    "stop": "stop",
    "stop_limit": "stop_limit",
    "trailing_stop": "trailing_stop",
}
PLAIN = ("market", "limit", "stop", "stop_limit")
PERCENT = Decimal(100)


def order_body(order: OrderSchema) -> dict[str, Any]:
    """What is posted to /v2/orders; decimals as strings, digit for digit.

    Raises:
        SchemaRefused: Alpaca has no such order; the text says what it has instead.
    """
    _check(order)
    body: dict[str, Any] = {
        "symbol": order.symbol,
        "qty": text(order.quantity),
        "side": order.side,
        "type": TYPES[order.order_type],
        "time_in_force": _time_in_force(order),
        "client_order_id": order.client_order_id,
    }
    if order.order_class != "oco":
        body |= _prices(order)
    if order.order_class != "simple":
        body["order_class"] = order.order_class
    if order.extended_hours:
        body["extended_hours"] = True
    for role, terms in _sections(order):
        body[role] = {name: text(getattr(terms, name)) for name in _leg_prices(terms)}
    return body


def _sections(order: OrderSchema) -> list[tuple[Role, Terms]]:
    """What is written as take_profit and stop_loss; what was placed first comes first."""
    sections: list[tuple[Role, Terms]] = [(leg.role, leg) for leg in order.legs]
    if order.order_class == "oco":
        is_first = order.oco_client_order_id == order.client_order_id
        sections.insert(0 if is_first else len(sections), ("take_profit", order))
    return sections


def replacement_body(client_order_id: str, terms: Replacement) -> dict[str, str]:
    """What is patched to /v2/orders/{id}."""
    changes = {
        "qty": terms.quantity,
        "limit_price": terms.limit_price,
        "stop_price": terms.stop_price,
        "trail": terms.trail,
    }
    given = {name: text(value) for name, value in changes.items() if value is not None}
    return given | {"client_order_id": client_order_id}


def check_parts(order: OrderSchema) -> None:
    """Hold an order for parts of a share against the forms that Alpaca takes them in.

    Raises:
        SchemaRefused: it is of another form.
    """
    if not order.quantity % 1:
        return
    is_plain = order.order_class == "simple" and order.order_type in PLAIN
    if not (is_plain and order.time_in_force == "day"):
        raise SchemaRefused(
            f"Alpaca takes parts of a share ({order.quantity}) in single {', '.join(PLAIN)} orders"
            " for the day alone: use valid=bt.Order.DAY, or whole units"
        )


def text(number: Decimal | None) -> str:
    """A decimal without exponent."""
    return f"{number:f}"


def _check(order: OrderSchema) -> None:
    if order.oco_client_order_id is not None and not order.legs:
        raise SchemaRefused(
            f"Alpaca cannot tie an order to {order.oco_client_order_id}, which it already has: "
            "use a bracket, or one limit exit with a stop_loss leg (order_class oco)"
        )
    if order.order_type == "trailing_stop" and order.stop_price is not None:
        raise SchemaRefused("Alpaca trails from the market price: leave the first stop price out")
    for terms in (order, *order.legs):
        if terms.time_in_force == "gtd":
            raise SchemaRefused("Alpaca has no good-till-date orders: use gtc (valid=None) or day")
        if terms.order_type not in TYPES:
            raise SchemaRefused(f"Alpaca has no {terms.order_type} orders: use trailing_stop")
    for leg in order.legs:
        _check_leg(leg, order)


def _check_leg(leg: Leg, order: OrderSchema) -> None:
    allowed = ("limit",) if leg.role == "take_profit" else ("stop", "stop_limit")
    if leg.order_type not in allowed:
        raise SchemaRefused(
            f"Alpaca's {leg.role} legs are {' or '.join(allowed)} orders, not {leg.order_type}"
        )
    if (leg.quantity, leg.time_in_force) != (order.quantity, order.time_in_force):
        raise SchemaRefused(
            f"Alpaca gives a {leg.role} leg its entry's quantity ({order.quantity}) and "
            f"time_in_force ({order.time_in_force}), not {leg.quantity} and {leg.time_in_force}"
        )


def _time_in_force(order: OrderSchema) -> str:
    return "cls" if order.order_type == "market_on_close" else order.time_in_force


def _prices(order: Terms) -> dict[str, str]:
    percent = None if order.trail_frac is None else order.trail_frac * PERCENT
    prices = {
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "trail_price": order.trail_amount,
        "trail_percent": percent,
    }
    return {name: text(price) for name, price in prices.items() if price is not None}


def _leg_prices(leg: Terms) -> list[str]:
    return [name for name in ("limit_price", "stop_price") if getattr(leg, name) is not None]
