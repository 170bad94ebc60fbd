"""Rows of the Client Portal about orders and trades, as values; any field of a row may be missing.

Source: Web API, "Live Orders" and "Trades", and rows that clients have recorded: `parentId` and
`ocaGroupId` are there where an order has them, numbers come as numbers or as texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from brokers.orders import OrderType, Side
from brokers.wire.ibkr_orders import unchained
from brokers.wire.portal_orders import TIMES, TYPES
from brokers.wire.transport import VenueFill

Row = Mapping[str, Any]
UNREADABLE = (KeyError, TypeError, ValueError, InvalidOperation)

SIDES: dict[str, Side] = {"B": "buy", "BUY": "buy", "S": "sell", "SELL": "sell"}
_TYPES: dict[str, OrderType] = {
    "MARKET": "market",
    "MKT": "market",
    "LIMIT": "limit",
    "LMT": "limit",
    "STOP": "stop",
    "STP": "stop",
    "STOP_LIMIT": "stop_limit",
    "STP_LMT": "stop_limit",
    "TRAILING_STOP": "trailing_stop",
    "TRAIL": "trailing_stop",
    "MARKETONCLOSE": "market_on_close",
    "MOC": "market_on_close",
    "LIMITONCLOSE": "limit",
    "LOC": "limit",
}
_COMPLETE = ("ticker", "side", "totalSize", "orderType", "status")


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution of an account's; `ref` is the name that its order had then."""

    fill: VenueFill
    ref: str


def order_id(row: Row) -> str:
    """The venue's number of an order, as text."""
    return str(row.get("orderId", row.get("order_id", "")))


def is_complete(row: Row) -> bool:
    """Whether it says all that an order is, and not only what has changed."""
    return all(name in row for name in _COMPLETE)


def names(row: Row) -> list[str]:
    """Our names for an order, the present one last; of an order without one, its number."""
    ref = str(row.get("order_ref") or row.get("cOID") or "")
    return unchained(ref) if ref else [order_id(row)]


def side(row: Row) -> Side:
    """Buy or sell."""
    return SIDES[str(row["side"]).upper()]


def order_type(row: Row) -> OrderType:
    """The kind of an order; one that we do not send is taken for a market order."""
    return _TYPES.get(str(row["orderType"]).upper().replace(" ", "_"), "market")


def prices(row: Row, kind: OrderType) -> tuple[Decimal | None, Decimal | None]:
    """Limit and stop price, where the row has them and the kind does."""
    limit = amount(row.get("price")) if kind in ("limit", "stop_limit") else None
    if kind not in ("stop", "stop_limit"):
        return limit, None
    stop = next((row[name] for name in ("stop_price", "auxPrice") if row.get(name)), None)
    if stop is None and kind == "stop":
        stop = row.get("price")
    return limit, amount(stop)


def body(row: Row) -> dict[str, Any]:
    """What has to be sent to place such an order, from a row about it."""
    kind = order_type(row)
    limit, stop = prices(row, kind)
    sent: dict[str, Any] = {
        "conid": int(row["conid"]),
        "side": side(row).upper(),
        "quantity": float(row["totalSize"]),
        "orderType": TYPES.get(kind, "MKT"),
        "tif": next((it for it in TIMES.values() if it == row.get("timeInForce")), "DAY"),
        "outsideRTH": bool(row.get("outsideRTH")),
    }
    if kind == "stop" and stop is not None:
        sent["price"] = float(stop)
    elif limit is not None:
        sent["price"] = float(limit)
    if kind == "stop_limit" and stop is not None:
        sent["auxPrice"] = float(stop)
    return sent


def is_failed(row: Row) -> bool:
    """Whether an answer says that the order was not taken."""
    return order_id(row) in ("", "-1") or row.get("order_status") == "Failed"


def refusal(row: Row) -> str:
    """Why an order was not taken, on one line."""
    text = row.get("text") or row.get("warning_message") or "no reason given"
    return " ".join(str(text).split())


def reason(row: Row) -> str:
    """Why an order has ended, where the row says it."""
    told = str(row.get("order_cancellation_by_system_reason") or "")
    described = str(row.get("orderDesc") or "")
    return told or (described if "reason:" in described else "")


def trade(row: Row, symbol: str) -> Trade:
    """One execution; a correction has its number's last part counted up."""
    execution_id = str(row["execution_id"])
    fill = VenueFill(
        execution_id=execution_id.rpartition(".")[0] or execution_id,
        venue_order_id="",
        symbol=symbol,
        side=SIDES[str(row["side"]).upper()],
        quantity=exactly(row["size"]),
        price=exactly(row["price"]),
        filled_at=instant(row["trade_time_r"]),
        commission=amount(row.get("commission")),
    )
    return Trade(fill, unchained(str(row.get("order_ref") or ""))[-1])


def instant(milliseconds: Any) -> datetime:
    """An instant from milliseconds since 1970."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def amount(value: Any) -> Decimal | None:
    """A number, or None where there is none."""
    return None if value in (None, "") else exactly(value)


def exactly(value: Any) -> Decimal:
    """A number to its last digit; whole ones without a point."""
    exact = Decimal(str(value).replace(",", ""))
    return exact.to_integral_value() if exact == exact.to_integral_value() else exact
