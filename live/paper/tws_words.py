"""What the gateway says of orders, executions and contracts, field by field.

Source: the decoders of ib_async 2.1.0 and ib_insync 0.9.86. A message with one field too few or
too many is dropped by the clients, so the order of the fields is all there is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from brokers.wire.transport import OrderStatus, VenueFill
from live.paper.tws_forms import Ask
from live.paper.tws_wire import Field

ZONE = ZoneInfo("America/New_York")
UNSET = "1.7976931348623157E308"
_U = ""
STATUS: dict[OrderStatus, str] = {
    "pending": "PendingSubmit",
    "held": "PreSubmitted",
    "new": "Submitted",
    "partially_filled": "Submitted",
    "filled": "Filled",
    "canceled": "Cancelled",
    "expired": "Cancelled",
    "rejected": "Cancelled",
    "replaced": "Submitted",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A contract: a symbol at its primary exchange."""

    symbol: str
    con_id: int
    primary: str = "NASDAQ"

    def fields(self, exchange: str = "SMART") -> tuple[Field, ...]:
        """As messages about orders and positions carry it."""
        name = self.symbol
        return (self.con_id, name, "STK", "", 0, "", "", exchange, "USD", name, name)


@dataclass(frozen=True, slots=True)
class Shown:
    """One order as the gateway shows it; `status` is TWS's word, quantities are of all its life."""

    client_id: int
    perm_id: int
    ask: Ask
    listing: Listing
    status: str
    filled: Decimal
    average: Decimal
    last: Decimal
    account: str
    why_held: str = ""
    parent_perm_id: int = 0
    ended_at: datetime | None = None

    @property
    def remaining(self) -> Decimal:
        """Units still to be filled."""
        return self.ask.quantity - self.filled


def order_status(it: Shown) -> tuple[Field, ...]:
    """Message 3."""
    ask = it.ask
    numbers = (it.filled, it.remaining, it.average, it.perm_id, ask.parent_id, it.last)
    return (3, ask.order_id, it.status, *numbers, it.client_id, it.why_held, 0)


def open_order(it: Shown, version: int) -> tuple[Field, ...]:
    """Message 5."""
    ask = it.ask
    u2, u3, u5, u9 = [_U] * 2, [_U] * 3, [_U] * 5, [_U] * 9
    return _row(
        *_row(5, ask.order_id, *it.listing.fields()),
        *_row(ask.side, ask.quantity, ask.order_type, ask.limit, ask.aux, ask.time_in_force),
        *_row(ask.oca_group, it.account, _U, 0, ask.ref, it.client_id, it.perm_id),
        *_row(ask.outside_hours, 0, 0, *u5),  # hidden, discretionary, good after, -, three of FA
        *([_U] if version < 177 else []),  # faProfile
        *_row(_U, ask.good_till, *u3, 0, _U, -1, 0),  # model .. auction strategy
        *_row(*u5, _U, 0, 0, 0, _U, ask.oca_type, 0, 0, _U),  # starting price .. NBBO cap
        *_row(ask.parent_id, 0, _U, 0, *u2),  # trigger method, volatility, its type, delta neutral
        *_row(
            0, _U, ask.trail_stop, ask.trail_percent, *u3, 0, 0, 0
        ),  # .. legs, order legs, params
        *_row(
            *u3, _U, _U, *u2, 0, 0, _U
        ),  # scale (3), hedge, opt out, clearing, not held, delta, algo
        *_row(0, 0, it.status, *u9, *u5, 0, 0, 0),  # solicited, what-if .. conditions
        *_row(
            _U, _U, ask.trail_stop, *u2, *u2, 0, *u3, 0, 0, 0, 0, 0
        ),  # adjusted .. price management
        *([_U] if version >= 159 else []),  # duration
        *([_U] if version >= 160 else []),  # post to ATS
        *([0] if version >= 162 else []),  # cancels its parent
        *(u5 if version >= 170 else []),  # pegs
    )


def completed_order(it: Shown, version: int) -> tuple[Field, ...]:
    """Message 101."""
    ask = it.ask
    u2, u3, u5 = [_U] * 2, [_U] * 3, [_U] * 5
    at = "" if it.ended_at is None else in_words(it.ended_at)
    return _row(
        *_row(101, *it.listing.fields()),
        *_row(ask.side, ask.quantity, ask.order_type, ask.limit, ask.aux, ask.time_in_force),
        *_row(ask.oca_group, it.account, _U, 0, ask.ref, it.perm_id),
        *_row(ask.outside_hours, 0, 0, _U, *u3),  # hidden, discretionary, good after, three of FA
        *([_U] if version < 177 else []),  # faProfile
        *_row(_U, ask.good_till, *u3, 0, _U, -1),  # model .. exempt code
        *_row(*u5, _U, 0, 0, _U, ask.oca_type, 0, _U, 0, *u2),  # starting price .. delta neutral
        *_row(
            0, _U, ask.trail_stop, ask.trail_percent, _U, 0, 0, 0, *u3, _U
        ),  # .. legs, scale, hedge
        *_row(*u2, 0, 0, _U, 0, it.status, 0, 0, 0),  # clearing .. conditions
        *_row(ask.trail_stop, _U, _U, 0, 0, _U, it.filled, 0, 0, _U, 0, 0),  # .. route to BBO
        *_row(it.parent_perm_id, at, it.status),
        *(u5 if version >= 170 else []),
    )


def execution(
    it: Shown, fill: VenueFill, exec_id: str, totals: tuple[Decimal, Decimal], version: int
) -> tuple[Field, ...]:
    """Message 11 without its request id; `totals` are units and average price up to it."""
    side = "BOT" if fill.side == "buy" else "SLD"
    return _row(
        *_row(it.ask.order_id, *it.listing.fields(), exec_id, in_words(fill.filled_at), it.account),
        *_row(it.listing.primary, side, fill.quantity, fill.price, it.perm_id, it.client_id, 0),
        *_row(*totals, it.ask.ref, "", 0, "", 1),
        *([0] if version >= 178 else []),
    )


def commission(fill: VenueFill, exec_id: str) -> tuple[Field, ...]:
    """Message 59."""
    return (59, 1, exec_id, fill.commission or Decimal(0), "USD", UNSET, "", "")


def contract_details(listing: Listing, request_id: str, version: int) -> tuple[Field, ...]:
    """Message 10."""
    name = listing.symbol
    is_old = version < 164
    return _row(
        *_row(10, *([8] if is_old else []), request_id, name, "STK", "", 0, "", "SMART", "USD"),
        *_row(name, name, name, listing.con_id, "0.01", *([1] if is_old else [])),
        *_row("", "LMT,MKT,STP,STPLMT,TRAIL", f"SMART,{listing.primary}", 1, 0, f"{name} INC"),
        *_row(listing.primary, "", "", "", "", "US/Eastern", "", "", "", 0, 0, 1, "", "", "26", ""),
        *_row("COMMON", *(["1"] if version == 163 else []), *([1, 1, 100] if not is_old else [])),
    )


def in_words(at: datetime) -> str:
    """An instant in whole seconds of New York, with the zone's name."""
    return f"{at.astimezone(ZONE):%Y%m%d %H:%M:%S} US/Eastern"


def connection_time(at: datetime) -> str:
    """An instant as the handshake has it."""
    return f"{at.astimezone(UTC):%Y%m%d %H:%M:%S} UTC"


def _row(*fields: Field) -> tuple[Field, ...]:
    return fields
