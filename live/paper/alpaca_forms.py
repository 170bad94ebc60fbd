"""What a client may ask of Alpaca's order calls, read into our own values or refused with 422."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from brokers.orders import Leg, OrderSchema, Side, Terms
from brokers.wire.transport import Replacement
from live.paper.alpaca_errors import ApiError, unprocessable

_SIDES = ("buy", "sell")
_TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
_TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")
_CLASSES = ("simple", "bracket", "oco", "oto")
_INTENTS = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
_NINE_PLACES = Decimal("1e-9")


@dataclass(frozen=True)
class OrderForm:
    """A posted order; `notional` is what was asked for when it was money instead of units."""

    schema: OrderSchema
    notional: Decimal | None = None


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body whose numbers keep every digit.

    Raises:
        ApiError: 400, it is no JSON object.
    """
    try:
        content = json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, 40010000, "request body format is invalid") from None
    if not isinstance(content, dict):
        raise ApiError(400, 40010000, "request body format is invalid")
    return content


def order_form(
    body: Mapping[str, Any], next_id: Callable[[], str], price_of: Callable[[str], Decimal | None]
) -> OrderForm:
    """Read the body of POST /v2/orders.

    Legs, and the two of an exit pair, are tried in the order in which the body names them, as
    Backtrader's are.

    Args:
        next_id: names an order without an id, and each leg.
        price_of: a symbol's last price, for amounts of money.

    Raises:
        ApiError: 422, the form contradicts itself or Alpaca's rules.
    """
    order_class, symbol = _class(body), _symbol(body)
    notional, quantity = _number(body, "notional"), _number(body, "qty")
    if (notional is None) == (quantity is None):
        raise unprocessable("one of qty or notional is required, and not both")
    if notional is not None:
        quantity = _units(notional, symbol, price_of(symbol))
    side: Side = _choice(body, "side", _SIDES)
    client_order_id = _client_order_id(body) or next_id()
    fields = {
        "client_order_id": client_order_id,
        "symbol": symbol,
        "side": side,
        "quantity": quantity,
        "order_type": _choice(body, "type", _TYPES),
        "time_in_force": _choice(body, "time_in_force", _TIMES),
        "order_class": order_class,
        "extended_hours": _flag(body, "extended_hours"),
        "oco_client_order_id": _first_of_two(body, client_order_id),
        **_prices(body, order_class),
        "legs": _legs(body, order_class, side, quantity, next_id),
    }
    try:
        return OrderForm(OrderSchema.model_validate(fields), notional)
    except ValidationError as error:
        raise unprocessable(_first(error)) from None


def replacement_form(body: Mapping[str, Any], terms: Terms) -> tuple[Replacement, str | None]:
    """Read the body of PATCH /v2/orders/{id}: what changes of `terms`, and the new order's id.

    Raises:
        ApiError: 422, nothing to replace, not a positive number, or another time in force, which
            the matching engine cannot change.
    """
    trail = _number(body, "trail")
    if trail is not None and terms.trail_frac is not None:
        trail /= 100
    change = Replacement(
        quantity=_number(body, "qty"),
        limit_price=_number(body, "limit_price"),
        stop_price=_number(body, "stop_price"),
        trail=trail,
    )
    if _choice(body, "time_in_force", _TIMES, terms.time_in_force) != terms.time_in_force:
        raise unprocessable("time_in_force cannot be replaced here: cancel, and order anew")
    if change == Replacement() and "time_in_force" not in body:
        raise unprocessable("at least one of qty, time_in_force, limit_price, stop_price, trail")
    return change, _client_order_id(body)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _number(body: Mapping[str, Any], name: str) -> Decimal | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise InvalidOperation
        number = Decimal(value)
        if not number.is_finite() or number <= 0 or abs(number.adjusted()) > 15:
            raise InvalidOperation
    except InvalidOperation:
        raise unprocessable(f"{name} must be a number above 0") from None
    return number


def _choice(
    body: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str | None = None
) -> Any:
    value = body.get(name)
    if value in (None, "") and default is not None:
        return default
    if value not in allowed:
        raise unprocessable(f"invalid {name}: use one of {', '.join(allowed)}")
    return value


def _class(body: Mapping[str, Any]) -> str:
    _choice(body, "position_intent", _INTENTS, "")
    return str(_choice(body, "order_class", _CLASSES, "simple"))


def _symbol(body: Mapping[str, Any]) -> str:
    value = body.get("symbol")
    if not isinstance(value, str) or not value:
        raise unprocessable("symbol is required")
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name) or False
    if not isinstance(value, bool):
        raise unprocessable(f"{name} must be true or false")
    return value


def _client_order_id(body: Mapping[str, Any]) -> str | None:
    value = body.get("client_order_id")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or len(value) > 48:
        raise unprocessable("client_order_id must be no more than 48 characters")
    return value


def _units(notional: Decimal, symbol: str, price: Decimal | None) -> Decimal:
    if price is None:
        raise unprocessable(f"asset {symbol} has no price for a notional order")
    units = (notional / price).quantize(_NINE_PLACES, rounding="ROUND_DOWN")
    if units <= 0:
        raise unprocessable("notional must buy at least 0.000000001 units")
    return units


def _prices(body: Mapping[str, Any], order_class: str) -> dict[str, Decimal | None]:
    limit, percent = _number(body, "limit_price"), _number(body, "trail_percent")
    if order_class == "oco":
        target = _number(_section(body, "take_profit"), "limit_price")
        if target is None:
            raise unprocessable("oco orders require take_profit.limit_price")
        if body.get("type") != "limit":
            raise unprocessable("oco orders must be limit orders")
        limit = target
    return {
        "limit_price": limit,
        "stop_price": _number(body, "stop_price"),
        "trail_amount": _number(body, "trail_price"),
        "trail_frac": None if percent is None else percent / 100,
    }


def _legs(
    body: Mapping[str, Any],
    order_class: str,
    side: Side,
    quantity: Decimal | None,
    next_id: Callable[[], str],
) -> tuple[Leg, ...]:
    target = _number(_section(body, "take_profit"), "limit_price")
    stop = _number(_section(body, "stop_loss"), "stop_price")
    stop_limit = _number(_section(body, "stop_loss"), "limit_price")
    _check_legs(order_class, target, stop, bool(_section(body, "stop_loss")))
    exit_side = side if order_class == "oco" else ("sell" if side == "buy" else "buy")
    shared = {
        "side": exit_side,
        "quantity": quantity,
        "time_in_force": body["time_in_force"],
    }
    wanted: list[dict[str, Any]] = []
    if target is not None and order_class != "oco":
        wanted.append({"role": "take_profit", "order_type": "limit", "limit_price": target})
    if stop is not None:
        kind = "stop" if stop_limit is None else "stop_limit"
        prices = {"stop_price": stop, "limit_price": stop_limit}
        wanted.append({"role": "stop_loss", "order_type": kind, **prices})
    places = list(body)
    wanted.sort(key=lambda leg: places.index(leg["role"]))
    return tuple(Leg(client_order_id=next_id(), **shared, **leg) for leg in wanted)


def _first_of_two(body: Mapping[str, Any], target_id: str) -> str | None:
    """The target of an exit of two where it is named before its stop; else nothing is said."""
    places = [name for name in body if name in ("take_profit", "stop_loss")]
    is_target = body.get("order_class") == "oco" and places[:1] == ["take_profit"]
    return target_id if is_target else None


def _check_legs(
    order_class: str, target: Decimal | None, stop: Decimal | None, has_stop_loss: bool
) -> None:
    if has_stop_loss and stop is None:
        raise unprocessable(f"{order_class} orders require stop_loss.stop_price")
    if order_class in ("bracket", "oco"):
        for name, price in (("take_profit.limit_price", target), ("stop_loss.stop_price", stop)):
            if price is None:
                raise unprocessable(f"{order_class} orders require {name}")
    if order_class == "oto" and (target is None) == (stop is None):
        raise unprocessable("oto orders require take_profit or stop_loss, and not both")
    if order_class == "simple" and (target is not None or stop is not None):
        raise unprocessable("simple orders take no take_profit and no stop_loss")


def _section(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, Mapping):
        raise unprocessable(f"{name} must be an object")
    return value


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else str(found["msg"])
