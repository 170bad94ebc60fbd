"""placeOrder as the TWS API sends it, read into our own values or refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from brokers.orders import Leg, OrderSchema, OrderType
from brokers.wire.transport import Replacement

_NAME = re.compile(r"^[A-Za-z0-9-]{1,48}$")
_SIDES = {"BUY": "buy", "SELL": "sell"}
_TYPES: dict[str, OrderType] = {
    "MKT": "market",
    "MOC": "market_on_close",
    "LMT": "limit",
    "LOC": "limit",
    "STP": "stop",
    "STP LMT": "stop_limit",
    "TRAIL": "trailing_stop",
}
_TIMES = {"": "day", "DAY": "day", "GTC": "gtc", "GTD": "gtd", "OPG": "opg", "IOC": "ioc"}
_UNSET = ("", "1.7976931348623157E308", "1.7976931348623157e+308")
_FA_PROFILE_UNTIL = 177  # server versions below send one field more


class BadOrder(Exception):
    """The order contradicts itself; the text is what the gateway answers."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One placed order as it was asked for; prices are None where they were left out.

    Args:
        ref: the client's own name for it, not unique at IB.
        parent_id: order id of the entry that it waits for; 0: none.
        transmits: False keeps it, and its family, at the gateway.
    """

    order_id: int
    symbol: str
    con_id: int
    side: str
    quantity: Decimal
    order_type: str
    limit: Decimal | None
    aux: Decimal | None
    time_in_force: str
    oca_group: str
    ref: str
    transmits: bool
    parent_id: int
    outside_hours: bool
    good_till: str
    oca_type: int
    trail_stop: Decimal | None
    trail_percent: Decimal | None

    @property
    def is_trailing(self) -> bool:
        """Whether `aux` is a distance."""
        return self.order_type == "TRAIL"


def ask(fields: Sequence[str], version: int) -> Ask:
    """Read placeOrder.

    Raises:
        BadOrder: a number is none.
    """
    after = 42 + (version < _FA_PROFILE_UNTIL)
    is_neutral = bool(fields[after + 22])
    trail = after + 26 + 8 * is_neutral
    try:
        return Ask(
            order_id=int(fields[1]),
            con_id=int(fields[2] or 0),
            symbol=fields[3],
            side=fields[16],
            quantity=Decimal(fields[17] or 0),
            order_type=fields[18],
            limit=_number(fields[19]),
            aux=_number(fields[20]),
            time_in_force=fields[21],
            oca_group=fields[22],
            ref=fields[26],
            transmits=fields[27] == "1",
            parent_id=int(fields[28] or 0),
            outside_hours=fields[33] == "1",
            good_till=fields[38],
            oca_type=int(fields[after + 4] or 0),
            trail_stop=_number(fields[trail]),
            trail_percent=_number(fields[trail + 1]),
        )
    except (ValueError, InvalidOperation, IndexError):
        raise BadOrder("The order cannot be read.") from None


def is_name(ref: str) -> bool:
    """Whether a reference can be the venue's name for the order as well."""
    return bool(_NAME.match(ref))


def family(head: Ask, children: Sequence[Ask], names: dict[int, str], partner: str) -> OrderSchema:
    """The order that an entry and its children are together.

    Args:
        names: for each order id.
        partner: name of the order in the same OCA group that came first; empty: none.

    Raises:
        BadOrder: it contradicts itself, or is of a kind that this venue does not have.
    """
    legs = [_leg(child, names[child.order_id]) for child in children]
    words: dict[str, Any] = _terms(head, names[head.order_id])
    words |= {"symbol": head.symbol, "extended_hours": head.outside_hours, "legs": tuple(legs)}
    if legs:
        words["order_class"] = "bracket" if len(legs) > 1 else "oto"
    elif partner:
        words |= {"order_class": "oco", "oco_client_order_id": partner}
    try:
        return OrderSchema(**words)
    except ValidationError as error:
        raise BadOrder(str(error.errors()[0]["msg"])) from None


def change(old: Ask, new: Ask, filled_before: Decimal) -> Replacement:
    """What a placed order with a known id changes; units are those still to be had."""
    quantity = new.quantity - filled_before if new.quantity != old.quantity else None
    is_limit = new.order_type in ("LMT", "LOC", "STP LMT")
    is_stop = new.order_type in ("STP", "STP LMT")
    trail = new.aux if new.trail_percent is None else new.trail_percent / 100
    return Replacement(
        quantity=quantity,
        limit_price=new.limit if is_limit and new.limit != old.limit else None,
        stop_price=new.aux if is_stop and new.aux != old.aux else None,
        trail=trail if new.is_trailing else None,
    )


def _leg(child: Ask, name: str) -> Leg:
    role = "take_profit" if child.order_type == "LMT" else "stop_loss"
    try:
        return Leg(role=role, **_terms(child, name))
    except ValidationError as error:
        raise BadOrder(str(error.errors()[0]["msg"])) from None


def _terms(order: Ask, name: str) -> dict[str, Any]:
    if order.order_type not in _TYPES or order.side not in _SIDES:
        raise BadOrder(f"Invalid order type or action: {order.order_type} {order.side}")
    words: dict[str, Any] = {
        "client_order_id": name,
        "side": _SIDES[order.side],
        "quantity": order.quantity,
        "order_type": _TYPES[order.order_type],
        "time_in_force": _time_in_force(order),
    }
    if order.order_type in ("LMT", "LOC", "STP LMT"):
        words["limit_price"] = order.limit
    if order.order_type in ("STP", "STP LMT"):
        words["stop_price"] = order.aux
    if order.is_trailing:
        words["stop_price"] = order.trail_stop
        percent = order.trail_percent
        words["trail_amount"] = order.aux if percent is None else None
        words["trail_frac"] = None if percent is None else percent / 100
    if order.time_in_force == "GTD":
        words["expires_at"] = _instant(order.good_till)
    return words


def _time_in_force(order: Ask) -> str:
    if order.order_type in ("MOC", "LOC"):
        return "cls"
    if order.time_in_force == "FOK":
        return "fok"
    if order.time_in_force not in _TIMES:
        raise BadOrder(f"Invalid time in force: {order.time_in_force}")
    return _TIMES[order.time_in_force]


def _instant(text: str) -> datetime:
    """A good-till date in UTC, as IB wants it: ``20240304-15:30:00``."""
    try:
        return datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadOrder(f"Invalid good till date: {text!r}") from None


def _number(text: str) -> Decimal | None:
    return None if text in _UNSET else Decimal(text)
