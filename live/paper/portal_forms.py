"""Orders as the Client Portal takes them, read into IB's own terms or refused."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from live.paper.portal_errors import PortalError, bad_request, verdict
from live.paper.tws_forms import Ask
from live.paper.tws_words import Listing

_TYPES = {
    "MKT": "MKT",
    "LMT": "LMT",
    "STP": "STP",
    "STOP_LIMIT": "STP LMT",
    "TRAIL": "TRAIL",
}
WORDS = {ours: portals for portals, ours in _TYPES.items()}
_TIMES = ("DAY", "GTC", "OPG", "IOC")
_LONGEST = 15  # digits before the point, or zeros behind it


def asks(
    rows: Sequence[Mapping[str, Any]], listings: Mapping[int, Listing], first_id: int
) -> list[Ask]:
    """Read the orders of one submission; they get ids from `first_id` on.

    Raises:
        PortalError: a field is missing or wrong, or a parent is none of them.
    """
    ids: dict[str, int] = {}
    found = []
    for order_id, row in enumerate(rows, first_id):
        parent = str(row.get("parentId") or "")
        if parent and parent not in ids:
            raise verdict(f"Parent order {parent} not found")
        found.append(ask(row, listings, order_id, ids.get(parent, 0)))
        ids[str(row.get("cOID") or order_id)] = order_id
    return found


def ask(
    row: Mapping[str, Any], listings: Mapping[int, Listing], order_id: int, parent_id: int = 0
) -> Ask:
    """Read one order.

    Raises:
        PortalError: a field is missing or wrong.
    """
    listing = _listing(row, listings)
    kind, side = str(row.get("orderType")), str(row.get("side"))
    if kind not in _TYPES:
        raise verdict(f"Invalid order type: {kind}")
    if side not in ("BUY", "SELL"):
        raise verdict(f"Invalid side: {side}")
    if row.get("tif", "DAY") not in _TIMES:
        raise verdict(f"Invalid time in force: {row.get('tif')}")
    price, aux = _number(row, "price"), _number(row, "auxPrice")
    is_trail, is_stop = kind == "TRAIL", kind in ("STP", "TRAIL")
    trail = _number(row, "trailingAmt") if is_trail else None
    is_frac = row.get("trailingType") == "%"
    return Ask(
        order_id=order_id,
        con_id=listing.con_id,
        symbol=listing.symbol,
        side=side,
        quantity=_number(row, "quantity") or Decimal(0),
        order_type=_TYPES[kind],
        limit=None if is_stop else price,
        aux=_aux(kind, price, aux, None if is_frac else trail),
        time_in_force=str(row.get("tif", "DAY")),
        oca_group=str(row.get("isSingleGroup") or "") and f"group of {order_id}",
        ref=str(row.get("cOID") or ""),
        transmits=True,
        parent_id=parent_id,
        outside_hours=bool(row.get("outsideRTH")),
        good_till="",
        oca_type=0,
        trail_stop=price if is_trail else None,
        trail_percent=trail if is_frac else None,
    )


def _listing(row: Mapping[str, Any], listings: Mapping[int, Listing]) -> Listing:
    try:
        con_id = int(str(row.get("conid") or str(row.get("conidex", "")).partition("@")[0]))
    except ValueError:
        raise bad_request("Bad Request: conid") from None
    if con_id not in listings:
        raise bad_request(f"Bad Request: no contract {con_id}")
    return listings[con_id]


def _aux(
    kind: str, price: Decimal | None, aux: Decimal | None, trail: Decimal | None
) -> Decimal | None:
    """A stop's price: STP has it in `price`, STOP_LIMIT in `auxPrice`; a trail's distance."""
    by_kind = {"STP": price, "STOP_LIMIT": aux, "TRAIL": trail}
    return by_kind.get(kind)


def _number(row: Mapping[str, Any], name: str) -> Decimal | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _wrong(name, value) from None
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        raise _wrong(name, value)
    return number


def _wrong(name: str, value: object) -> PortalError:
    return bad_request(f"Bad Request: {name} {value!r}")
