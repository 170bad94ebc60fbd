"""Two exits that cancel each other, as the one order that venues make of them."""

from typing import Any

from pydantic import ValidationError

from brokers.errors import SchemaRefused
from brokers.orders import Leg, OrderSchema, Terms

SHARED = ("symbol", "side", "quantity", "time_in_force", "expires_at", "extended_hours")


def exit_pair(first: OrderSchema, second: OrderSchema) -> OrderSchema:
    """The limit with the stop as its leg; each keeps its own client order id.

    Args:
        first: placed first, so it is the one that a bar fills which reaches both.
        second: names `first` in `oco_client_order_id`.

    Raises:
        SchemaRefused: venues have no such pair.
    """
    kinds = {order.order_type: order for order in (first, second)}
    target, stop = kinds.get("limit"), kinds.get("stop") or kinds.get("stop_limit")
    if target is None or stop is None or first.legs:
        raise SchemaRefused(
            f"oco: venues tie one limit and one stop, not {first.order_type} and"
            f" {second.order_type}: cancel the other yourself in notify_order"
        )
    for name in SHARED:
        one, other = getattr(first, name), getattr(second, name)
        if one != other:
            raise SchemaRefused(f"oco: both orders need the same {name}, not {one} and {other}")
    try:
        return OrderSchema(
            symbol=first.symbol,
            order_class="oco",
            legs=(Leg(role="stop_loss", **_terms(stop)),),
            oco_client_order_id=first.client_order_id,
            extended_hours=first.extended_hours,
            **_terms(target),
        )
    except ValidationError as error:
        text = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise SchemaRefused(f"oco: {text}") from None


def _terms(order: OrderSchema) -> dict[str, Any]:
    return {name: getattr(order, name) for name in Terms.model_fields}
