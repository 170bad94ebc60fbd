"""The only border between Backtrader's words and floats and the venues' words and decimals."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import backtrader as bt
from pydantic import ValidationError

from brokers.errors import SchemaRefused
from brokers.orders import Leg, OrderSchema, OrderType, Role, Side

ORDER_TYPES: dict[int, OrderType] = {
    bt.Order.Market: "market",
    bt.Order.Close: "market_on_close",
    bt.Order.Limit: "limit",
    bt.Order.Stop: "stop",
    bt.Order.StopLimit: "stop_limit",
    bt.Order.StopTrail: "trailing_stop",
    bt.Order.StopTrailLimit: "trailing_stop_limit",
}
NO_NOTIONAL = (
    "notional: orders are in units here: give size=, at Alpaca parts of a share too with"
    " valid=bt.Order.DAY, or let Target(weight=..., lot=0.001) find it"
)
LEG_SUFFIX: dict[Role, str] = {"take_profit": "-tp", "stop_loss": "-sl"}
ORDER_WORDS = frozenset(
    ("price", "valid", "tradeid", "trailamount", "trailpercent", "parent", "transmit")
)
BROKER_WORDS = ORDER_WORDS | {"plimit", "exectype", "oco", "histnotify", "_checksubmit"}
UNIX_EPOCH_ORDINAL = 719163
DAY_S = 86_400


class Request(NamedTuple):
    """One buy or sell in Backtrader's own words; `order` once the inner broker has made it."""

    side: Side
    owner: Any
    data: Any
    size: float
    how: Mapping[str, Any]
    order: Any = None

    @property
    def exectype(self) -> int:
        """Backtrader's execution type; what it takes for None."""
        given = self.how.get("exectype")
        return bt.Order.Market if given is None else int(given)

    @property
    def role(self) -> Role:
        """What it does as a leg."""
        return "take_profit" if self.exectype == bt.Order.Limit else "stop_loss"

    @property
    def asked(self) -> dict[str, Any]:
        """The caller's words, without the objects among them."""
        words = {"side": self.side, "size": self.size, **self.how}
        words.pop("parent", None)
        words.pop("oco", None)
        return words

    @property
    def completes(self) -> bool:
        """Whether it transmits its family; a single order always does."""
        return bool(self.how.get("transmit", True))


class Family(NamedTuple):
    """An entry and its legs, entry first, as far as they have been asked for.

    Args:
        order_id: the entry's client order id.
    """

    order_id: str
    requests: tuple[Request, ...]

    @property
    def kin(self) -> set[int]:
        """References of the orders that this one stands or falls with."""
        how = self.requests[-1].how
        return {order.ref for order in (how.get("parent"), how.get("oco")) if order is not None}

    @property
    def oco_partner(self) -> Any:
        """The order whose end ends the entry; None: there is none."""
        return self.requests[0].how.get("oco")

    @property
    def ids(self) -> dict[int, str]:
        """Client order id by Backtrader's reference; a leg's is its entry's and its role."""
        entry, *exits = self.requests
        known = {entry.order.ref: self.order_id}
        for leg in exits:
            known[leg.order.ref] = self.order_id + LEG_SUFFIX[leg.role]
        return known

    def with_order(self, order: Any) -> "Family":
        """The same, with the order that the last request became."""
        *others, last = self.requests
        return Family(self.order_id, (*others, Request(*last[:-1], order)))


def rejected(request: Request) -> Any:
    """An order for a request that never reached a broker, to carry its refusal."""
    words = {name: value for name, value in request.how.items() if name in ORDER_WORDS}
    make = bt.BuyOrder if request.side == "buy" else bt.SellOrder
    order = make(
        owner=request.owner,
        data=request.data,
        size=request.size,
        exectype=request.exectype,
        pricelimit=request.how.get("plimit") or request.how.get("price"),
        **words,
    )
    order.addinfo(**{k: v for k, v in request.how.items() if k not in BROKER_WORDS})
    return order


def symbol(data: Any) -> str:
    """The feed's name; Backtrader leaves it empty where nobody gave one."""
    return str(data._name) or "unnamed"


def seconds(number: float) -> float:
    """A Backtrader date number as seconds since 1970 UTC."""
    return (number - UNIX_EPOCH_ORDINAL) * DAY_S


def to_schema(family: Family, oco_client_order_id: str | None = None) -> OrderSchema:
    """An entry and its legs as one schema.

    Args:
        oco_client_order_id: the partner whose end ends this order.

    Raises:
        SchemaRefused: it contradicts itself.
    """
    entry, *exits = family.requests
    linked = oco_client_order_id is not None
    try:
        legs = tuple(
            Leg(
                client_order_id=family.order_id + LEG_SUFFIX[leg.role], role=leg.role, **_terms(leg)
            )
            for leg in exits
        )
        return OrderSchema(
            client_order_id=family.order_id,
            symbol=symbol(entry.data),
            order_class="oco" if linked else ("simple", "oto", "bracket")[min(len(legs), 2)],
            legs=legs,
            oco_client_order_id=oco_client_order_id,
            extended_hours=entry.how.get("extended_hours", False),
            **_terms(entry),
        )
    except ValidationError as error:
        raise SchemaRefused(_first_line(error)) from None


def _terms(request: Request) -> dict[str, Any]:
    if request.how.get("notional") is not None:
        raise SchemaRefused(NO_NOTIONAL)
    if request.exectype not in ORDER_TYPES:
        raise SchemaRefused(f"Backtrader's execution type {request.exectype} cannot be sent")
    return {
        "side": request.side,
        "quantity": exact(request.size),
        "order_type": ORDER_TYPES[request.exectype],
        **_prices(request),
        **_time_in_force(request),
    }


def _prices(request: Request) -> dict[str, Decimal | None]:
    """Prices as Backtrader's own Order resolves them: without any, the last close."""
    how, exectype = request.how, request.exectype
    price, limit = how.get("price"), how.get("plimit")
    resolved = price or limit or request.data.lines.close[0]
    found: dict[str, Any] = {}
    if exectype == bt.Order.Limit:
        found["limit_price"] = resolved
    elif exectype == bt.Order.Stop:
        found["stop_price"] = resolved
    elif exectype == bt.Order.StopLimit:
        found.update(stop_price=resolved, limit_price=limit or resolved)
    elif exectype == bt.Order.StopTrail:
        found["stop_price"] = price or None
    elif exectype == bt.Order.StopTrailLimit:
        found.update(stop_price=price or None, limit_price=limit)
    if exectype in (bt.Order.StopTrail, bt.Order.StopTrailLimit):
        found["trail_amount"] = how.get("trailamount") or None
        found["trail_frac"] = how.get("trailpercent") or None
    return {name: exact(value) for name, value in found.items() if value is not None}


def _time_in_force(request: Request) -> dict[str, Any]:
    valid = request.how.get("valid")
    if isinstance(valid, timedelta) and not valid:  # Backtrader's Order.DAY
        return {"time_in_force": "day"}
    if not valid:  # the number 0 is documented as DAY, yet such an order never ends in a backtest
        return {"time_in_force": "gtc"}
    return {"time_in_force": "gtd", "expires_at": _expiry(valid, request.data)}


def _expiry(valid: Any, data: Any) -> datetime:
    """Backtrader reads naive dates in the feed's zone and numbers as its own date numbers."""
    if isinstance(valid, timedelta):
        valid = data.datetime.datetime() + valid
    number = valid if isinstance(valid, int | float) else data.date2num(valid)
    expiry: datetime = bt.num2date(number, tz=UTC, naive=False)
    return expiry


def exact(number: float) -> Decimal:
    """The float's shortest decimal, digit for digit as Python prints it."""
    return Decimal(repr(float(number)))


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
