"""Our values as Alpaca writes them: decimals as strings, RFC 3339 times, UUIDs."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from brokers.wire.transport import (
    OrderStatus,
    OrderUpdate,
    VenueAccount,
    VenueBar,
    VenueFill,
    VenueOrder,
    VenuePosition,
)
from live.paper.tickets import Ticket

NEW_YORK = ZoneInfo("America/New_York")
_SPACE = uuid.UUID("5ea11a11-0000-4000-8000-000000000000")
_STATUS: dict[OrderStatus, str] = {"pending": "accepted"}
_ENDS = {
    "filled_at": "filled",
    "expired_at": "expired",
    "canceled_at": "canceled",
    "failed_at": "rejected",
    "replaced_at": "replaced",
}
_EVENTS: dict[OrderStatus, str] = {"partially_filled": "partial_fill", "filled": "fill"}
# The price and the size of a quote that nobody made: the last price on both sides, one round lot.
_LOT = 100


def number(value: Decimal | float) -> str:
    """Write a number without an exponent and without idle zeros: "10", "105.89"."""
    text = format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def time(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 in UTC, with Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def asset_id(symbol: str) -> str:
    """Give the id of a symbol, the same in every run."""
    return str(uuid.uuid5(_SPACE, f"asset {symbol}"))


def order(
    venue: VenueOrder, ticket: Ticket, legs: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Write an order; `legs` is what nests inside it, None when it was asked for flat."""
    terms, status = ticket.terms, venue.status
    created, updated = time(ticket.created_at), time(venue.updated_at)
    trail = terms.trail_frac
    return {
        "id": venue.venue_order_id,
        "client_order_id": venue.client_order_id,
        "created_at": created,
        "updated_at": updated,
        "submitted_at": created,
        "expires_at": time(terms.expires_at),
        **{name: updated if status == end else None for name, end in _ENDS.items()},
        "replaced_by": venue.replaced_by,
        "replaces": venue.replaces,
        "asset_id": asset_id(venue.symbol),
        "symbol": venue.symbol,
        "asset_class": "us_equity",
        "notional": None if ticket.notional is None else number(ticket.notional),
        "qty": number(venue.quantity) if ticket.notional is None else None,
        "filled_qty": number(venue.filled_quantity),
        "filled_avg_price": _optional(venue.filled_average_price),
        "order_class": "" if ticket.order_class == "simple" else ticket.order_class,
        "order_type": _type(venue),
        "type": _type(venue),
        "side": venue.side,
        "time_in_force": "cls" if venue.order_type == "market_on_close" else terms.time_in_force,
        "limit_price": _optional(venue.limit_price),
        "stop_price": _optional(venue.stop_price),
        "status": _STATUS.get(status, status),
        "extended_hours": ticket.extended_hours,
        "legs": legs,
        "trail_percent": None if trail is None else number(trail * 100),
        "trail_price": _optional(terms.trail_amount),
        "hwm": None,
        "reject_reason": venue.reason or None,
    }


def trade_update(update: OrderUpdate, written: dict[str, Any], position: Decimal) -> dict[str, Any]:
    """Write a message of the trade_updates stream.

    Args:
        written: the order, as `order` wrote it.
        position: units held after the fill, negative when short.
    """
    status, fill = update.order.status, update.fill
    event = _EVENTS.get(status, _STATUS.get(status, status))
    data: dict[str, Any] = {
        "event": event,
        "order": written,
        "timestamp": time(update.order.updated_at),
    }
    if fill is not None:
        data |= {
            "execution_id": fill.execution_id,
            "price": number(fill.price),
            "qty": number(fill.quantity),
            "position_qty": number(position),
            "timestamp": time(fill.filled_at),
        }
    return {"stream": "trade_updates", "data": data}


def fill_activity(update: OrderUpdate, fill: VenueFill, account_id: str) -> dict[str, Any]:
    """Write a FILL row of the account's activities."""
    done = update.order
    return {
        "id": f"{fill.filled_at.astimezone(UTC):%Y%m%d%H%M%S%f}"[:17] + f"::{fill.execution_id}",
        "account_id": account_id,
        "activity_type": "FILL",
        "transaction_time": time(fill.filled_at),
        "type": "fill" if done.status == "filled" else "partial_fill",
        "price": number(fill.price),
        "qty": number(fill.quantity),
        "side": fill.side,
        "symbol": fill.symbol,
        "leaves_qty": number(done.quantity - done.filled_quantity),
        "cum_qty": number(done.filled_quantity),
        "order_id": fill.venue_order_id,
        "order_status": done.status,
    }


def position(
    held: VenuePosition, price: Decimal, last_day_price: Decimal, available: Decimal
) -> dict[str, Any]:
    """Write a position; prices are the newest and the previous session's last."""
    value, cost = held.quantity * price, held.quantity * held.average_price
    today = held.quantity * (price - last_day_price)
    return {
        "asset_id": asset_id(held.symbol),
        "symbol": held.symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "avg_entry_price": number(held.average_price),
        "qty": number(held.quantity),
        "qty_available": number(available),
        "side": "long" if held.quantity > 0 else "short",
        "market_value": number(value),
        "cost_basis": number(cost),
        "unrealized_pl": number(value - cost),
        "unrealized_plpc": number(_share(value - cost, cost)),
        "unrealized_intraday_pl": number(today),
        "unrealized_intraday_plpc": number(_share(today, held.quantity * last_day_price)),
        "current_price": number(price),
        "lastday_price": number(last_day_price),
        "change_today": number(_share(price - last_day_price, last_day_price)),
    }


def account(
    held: VenueAccount, long_value: Decimal, short_value: Decimal, created_at: datetime
) -> dict[str, Any]:
    """Write the account; the fields of the abolished pattern day trader rule are left out."""
    margin = (long_value - short_value) / 2
    multiplier = 2 if held.buying_power > held.cash else 1
    money = {
        "cash": held.cash,
        **dict.fromkeys(("equity", "last_equity", "portfolio_value"), held.equity),
        "buying_power": held.buying_power,
        "regt_buying_power": held.buying_power,
        "non_marginable_buying_power": max(held.cash, Decimal(0)),
        "options_buying_power": max(held.cash, Decimal(0)),
        "long_market_value": long_value,
        "short_market_value": short_value,
        "position_market_value": long_value + short_value,
        "initial_margin": margin,
        **dict.fromkeys(("maintenance_margin", "last_maintenance_margin"), margin),
        "sma": Decimal(0),
        "accrued_fees": Decimal(0),
        "multiplier": Decimal(multiplier),
    }
    return {
        "id": held.account_id,
        "account_number": "PA" + held.account_id.replace("-", "")[:10].upper(),
        "status": "INACTIVE" if held.blocked else "ACTIVE",
        "crypto_status": "INACTIVE",
        "currency": held.currency,
        **{name: number(value) for name, value in money.items()},
        "trading_blocked": bool(held.blocked),
        "transfers_blocked": False,
        "account_blocked": bool(held.blocked),
        "trade_suspended_by_user": False,
        "shorting_enabled": True,
        "options_approved_level": 0,
        "options_trading_level": 0,
        "created_at": time(created_at),
    }


def asset(symbol: str) -> dict[str, Any]:
    """Write a symbol that the venue trades."""
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": True,
        "shortable": True,
        "easy_to_borrow": True,
        "fractionable": True,
        "maintenance_margin_requirement": 50,
        "attributes": [],
    }


def bar(seen: VenueBar) -> dict[str, Any]:
    """Write a bar of the market data calls, whose numbers are numbers."""
    typical = (seen.high + seen.low + seen.close) / 3
    return {
        "t": time(seen.start_at),
        "o": seen.open,
        "h": seen.high,
        "l": seen.low,
        "c": seen.close,
        "v": _whole(seen.volume),
        "n": max(int(seen.volume) // _LOT, 1),
        "vw": typical,
    }


def trade(seen: VenueBar, at: datetime) -> dict[str, Any]:
    """Write the trade that made a bar's close."""
    found = int(at.timestamp())
    return {"t": time(at), "x": "V", "p": seen.close, "s": _LOT, "c": ["@"], "i": found, "z": "C"}


def quote(seen: VenueBar, at: datetime) -> dict[str, Any]:
    """Write the quote round a bar's close: that price on both sides."""
    sides = {"bx": "V", "bp": seen.close, "bs": 1, "ax": "V", "ap": seen.close, "as": 1}
    return {"t": time(at), **sides, "c": ["R"], "z": "C"}


def _type(venue: VenueOrder) -> str:
    return "market" if venue.order_type == "market_on_close" else venue.order_type


def _optional(value: Decimal | None) -> str | None:
    return None if value is None else number(value)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return part / abs(whole) if whole else Decimal(0)


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
