"""What the Client Portal says of orders, executions and positions, as JSON.

Source: IBKR's Web API v1.0 documentation; what ibind 0.2.2 reads of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from brokers.wire.transport import VenueBar, VenueFill, VenueOrder, VenuePosition
from live.paper import tws_words
from live.paper.portal_book import Placed
from live.paper.portal_forms import WORDS
from live.paper.tws_forms import Ask
from live.paper.tws_words import Listing

STATUS = tws_words.STATUS | {"rejected": "Inactive"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One order as it was when the venue's was `tip`.

    Args:
        filled: units under all its names, at `average`.
    """

    known: Placed
    tip: VenueOrder
    account: str
    filled: Decimal
    average: Decimal

    @property
    def status(self) -> str:
        """The Portal's word."""
        is_stop = self.known.ask.order_type.startswith(("STP", "TRAIL"))
        if self.tip.status == "new" and is_stop:
            return "PreSubmitted"
        return STATUS[self.tip.status]

    @property
    def row(self) -> dict[str, Any]:
        """As /iserver/account/orders and the topic `sor` have it."""
        ask, listing = self.known.ask, self.known.listing
        words = {
            "acct": self.account,
            "account": self.account,
            "conidex": str(listing.con_id),
            "conid": listing.con_id,
            "orderId": ask.order_id,
            "cashCcy": "USD",
            "ticker": listing.symbol,
            "description1": listing.symbol,
            "companyName": f"{listing.symbol} INC",
            "secType": "STK",
            "listingExchange": "NASDAQ.NMS",
            "side": ask.side,
            "orderType": _KIND[ask.order_type],
            "origOrderType": _ORIGINAL[ask.order_type],
            "timeInForce": ask.time_in_force,
            "totalSize": float(ask.quantity),
            "filledQuantity": float(self.filled),
            "remainingQuantity": float(ask.quantity - self.filled),
            "status": self.status,
            "order_ccp_status": "Rejected" if self.tip.status == "rejected" else self.status,
            "orderDesc": self.description,
            "lastExecutionTime_r": millis(self.tip.updated_at),
        }
        optional = {
            "order_ref": ask.ref or None,
            "price": _text(ask.limit or ask.trail_stop),
            "auxPrice": _text(ask.aux),
            "avgPrice": _text(self.average) if self.filled else None,
            "parentId": ask.parent_id or None,
        }
        return words | {name: word for name, word in optional.items() if word is not None}

    @property
    def detail(self) -> dict[str, Any]:
        """As /iserver/account/order/status has it."""
        ask, listing = self.known.ask, self.known.listing
        is_over = self.status in ("Filled", "Cancelled", "Inactive")
        return {
            "order_id": ask.order_id,
            "conid": listing.con_id,
            "conidex": str(listing.con_id),
            "symbol": listing.symbol,
            "side": ask.side[0],
            "account": self.account,
            "currency": "USD",
            "sec_type": "STK",
            "order_type": WORDS[ask.order_type],
            "tif": ask.time_in_force,
            "size": f"{ask.quantity - self.filled:f}",
            "total_size": f"{ask.quantity:f}",
            "cum_fill": f"{self.filled:f}",
            "average_price": _text(self.average) if self.filled else "",
            "limit_price": _text(ask.limit) or "",
            "stop_price": _text(ask.aux) or "",
            "order_ref": ask.ref,
            "order_status": self.status,
            "order_ccp_status": "0" if is_over else "1",
            "order_status_description": self.description,
            "order_not_editable": is_over,
            "cannot_cancel_order": is_over,
            "order_time": self.known.placed_at.astimezone(UTC).strftime("%y%m%d%H%M%S"),
        }

    @property
    def description(self) -> str:
        """In words for a human; the only place that says why an order was rejected."""
        if self.tip.status == "rejected":
            return f"Order Rejected - reason:{self.tip.reason}"
        ask = self.known.ask
        return f"{ask.side.title()} {ask.quantity:f} {WORDS[ask.order_type]}, {ask.time_in_force}"


def acknowledged(shown: Shown) -> dict[str, Any]:
    """What a submission is answered with."""
    ask = shown.known.ask
    words = {
        "order_id": str(ask.order_id),
        "local_order_id": ask.ref,
        "order_status": shown.status,
        "encrypt_message": "1",
    }
    return words | ({"parent_order_id": str(ask.parent_id)} if ask.parent_id else {})


def failed(ask: Ask, text: str) -> dict[str, Any]:
    """What is said of one order of several that was not taken."""
    words = {"order_id": "-1", "local_order_id": ask.ref, "order_status": "Failed"}
    return words | {"text": text}


def execution(known: Placed, fill: VenueFill, exec_id: str, account: str) -> dict[str, Any]:
    """As /iserver/account/trades and the topic `str` have it."""
    listing, paid = known.listing, fill.commission or Decimal(0)
    sold = "Sold" if fill.side == "sell" else "Bought"
    words = {
        "execution_id": exec_id,
        "symbol": listing.symbol,
        "supports_tax_opt": "1",
        "side": "S" if fill.side == "sell" else "B",
        "order_description": f"{sold} {fill.quantity:f} @ {fill.price:f} on ISLAND",
        "trade_time": f"{fill.filled_at.astimezone(UTC):%Y%m%d-%H:%M:%S}",
        "trade_time_r": millis(fill.filled_at),
        "size": float(fill.quantity),
        "price": f"{fill.price:f}",
        "submitter": "seawall",
        "exchange": "ISLAND",
        "commission": f"{paid:f}",
        "net_amount": float(fill.quantity * fill.price),
        "account": account,
        "accountCode": account,
        "company_name": f"{listing.symbol} INC",
        "contract_description_1": listing.symbol,
        "sec_type": "STK",
        "listing_exchange": "NASDAQ.NMS",
        "conid": listing.con_id,
        "conidEx": str(listing.con_id),
        "clearing_id": "IB",
        "clearing_name": "IB",
        "liquidation_trade": "0",
    }
    return words | ({"order_ref": known.ask.ref} if known.ask.ref else {})


def position(held: VenuePosition, listing: Listing, price: Decimal, account: str) -> dict[str, Any]:
    """As /portfolio/{account}/positions has it."""
    average = float(held.average_price)
    return {
        "acctId": account,
        "conid": listing.con_id,
        "contractDesc": listing.symbol,
        "ticker": listing.symbol,
        "assetClass": "STK",
        "currency": "USD",
        "position": float(held.quantity),
        "mktPrice": float(price),
        "mktValue": float(held.quantity * price),
        "avgCost": average,
        "avgPrice": average,
        "realizedPnl": 0.0,
        "unrealizedPnl": float(held.quantity * (price - held.average_price)),
    }


def bar(it: VenueBar) -> dict[str, float | int]:
    """One bar of /iserver/marketdata/history."""
    at = millis(it.start_at)
    return {"o": it.open, "c": it.close, "h": it.high, "l": it.low, "v": it.volume, "t": at}


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


_KIND = {
    "MKT": "Market",
    "LMT": "Limit",
    "STP": "Stop",
    "STP LMT": "Stop Limit",
    "TRAIL": "Trailing Stop",
}
_ORIGINAL = {
    "MKT": "MARKET",
    "LMT": "LIMIT",
    "STP": "STOP",
    "STP LMT": "STOP_LIMIT",
    "TRAIL": "TRAILING_STOP",
}


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
