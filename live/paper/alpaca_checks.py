"""What Alpaca refuses at the door, one small check a rule.

Source: protocols/alpaca.md, section 4, for codes and texts; wordings it has not are ours.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from math import fsum

from brokers.orders import OrderSchema, Terms
from brokers.situation import Resting, Surroundings
from brokers.translate import exact
from brokers.wire.transport import VenueFill
from live.paper.hours import ALWAYS, Hours
from live.paper.refusal import VenueRefusal, forbidden, plain, unprocessable

CENT, TENTH_OF_A_MILL = Decimal("0.01"), Decimal("0.0001")
PLAIN_TYPES = ("market", "limit", "stop", "stop_limit")
WASH = "potential wash trade detected. use complex orders"
TIMES_IN_FORCE: dict[str, tuple[str, ...]] = {
    "market": ("day", "gtc", "opg", "cls", "ioc", "fok"),
    "limit": ("day", "gtc", "opg", "cls", "ioc", "fok"),
    "stop": ("day", "gtc"),
    "stop_limit": ("day", "gtc"),
    "trailing_stop": ("day", "gtc"),
}
# New York time of day: (from, until, what is accepted between), both past midnight.
WINDOWS = {"opg": (time(19), time(9, 28)), "cls": (time(19), time(15, 50))}


@dataclass(frozen=True, slots=True)
class Asset:
    """What may be done with one symbol."""

    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
    easy_to_borrow: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """One order at the door.

    Args:
        terms: the order's own, or what a replacement would make of them.
        account: without the family of the order that is to be replaced, if one is.
    """

    terms: Terms
    order: OrderSchema
    account: Surroundings
    at: datetime
    hours: Hours
    asset: Asset
    multiplier: int
    shorting_enabled: bool

    @property
    def symbol(self) -> str:
        """Of the instrument."""
        return self.order.symbol

    @property
    def sign(self) -> int:
        """1 to buy, -1 to sell."""
        return 1 if self.terms.side == "buy" else -1

    @property
    def held(self) -> float:
        """Signed units of the symbol."""
        return self.account.held.get(self.symbol, 0.0)

    @property
    def is_closing(self) -> bool:
        """Whether it goes against what is held."""
        return self.held * self.sign < 0

    @property
    def last(self) -> Decimal:
        """The symbol's newest close."""
        return exact(self.account.closes[self.symbol])


def tradable(ask: Ask) -> None:
    """Halted and delisted assets take no order."""
    if not ask.asset.tradable:
        raise unprocessable(f"asset {ask.symbol} is not tradable")


def time_in_force(ask: Ask) -> None:
    """The matrix of order types and times in force."""
    for terms in (ask.terms, *ask.order.legs):
        allowed = TIMES_IN_FORCE.get(terms.order_type)
        if allowed is None:
            raise unprocessable(f"invalid order type {terms.order_type}")
        if terms.time_in_force not in allowed:
            raise unprocessable(
                f"invalid time_in_force {terms.time_in_force} for {terms.order_type} order"
            )


def sub_penny(ask: Ask) -> None:
    """Two decimals from one dollar on, four below."""
    legs = ask.order.legs if ask.terms is ask.order else ()
    for terms in (ask.terms, *legs):
        for name in ("limit_price", "stop_price"):
            price: Decimal | None = getattr(terms, name)
            if price is not None and price % (CENT if price >= 1 else TENTH_OF_A_MILL):
                raise unprocessable(
                    f"invalid {name} {plain(price)}. sub-penny increment does not fulfill"
                    " minimum pricing criteria"
                )


def fractional(ask: Ask) -> None:
    """Parts of a share: fractionable assets, day orders, plain types, nine decimals."""
    quantity = ask.terms.quantity
    if quantity == quantity.to_integral_value():
        return
    if not ask.asset.fractionable:
        raise unprocessable("requested asset is not fractionable")
    if quantity % Decimal("1e-9"):
        raise unprocessable("qty must have at most 9 decimal places")
    if ask.terms.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")
    if ask.terms.order_type not in PLAIN_TYPES or ask.order.legs:
        raise unprocessable("fractional orders must be simple orders")
    if ask.sign < 0 and not ask.is_closing:
        raise unprocessable("fractional orders cannot be sold short")


def extended_hours(ask: Ask) -> None:
    """Limit orders for the day alone."""
    is_fit = ask.terms.order_type == "limit" and ask.terms.time_in_force == "day"
    if ask.order.extended_hours and not (is_fit and ask.order.order_class == "simple"):
        raise unprocessable("extended hours order must be DAY limit orders")


def auction_window(ask: Ask) -> None:
    """Orders for the auctions come in the evening before, or in time that day."""
    window = WINDOWS.get(ask.terms.time_in_force)
    if window is None or ask.hours.calendar == ALWAYS:
        return
    opened, closed = window
    local = ask.at.astimezone(ask.hours.zone).time()
    if closed < local < opened:
        name = ask.terms.time_in_force
        raise unprocessable(f"{name} orders are accepted between {opened:%H:%M} and {closed:%H:%M}")


def family(ask: Ask) -> None:
    """A bracket enters, an oco exits, and the stop keeps a cent's distance."""
    order = ask.order
    if not order.legs:
        return
    if order.time_in_force not in ("day", "gtc"):
        raise unprocessable(f"{order.order_class} orders must be DAY or GTC orders")
    if order.order_class == "oco":
        if not ask.is_closing:
            raise unprocessable("oco orders must be exit orders")
    elif ask.is_closing:
        raise unprocessable(f"{order.order_class} orders must be entry orders")
    base = ask.last if order.reference_price is None else order.reference_price
    exit_side = ask.sign if order.order_class == "oco" else -ask.sign
    for leg in order.legs:
        if leg.stop_price is not None and exit_side * (leg.stop_price - base) < CENT:
            raise _too_near(leg.stop_price, base, exit_side)


def _too_near(stop: Decimal, base: Decimal, exit_side: int) -> VenueRefusal:
    limit = f"<= {plain(base - CENT)}" if exit_side < 0 else f">= {plain(base + CENT)}"
    return unprocessable(f"stop_loss.stop_price {plain(stop)} must be {limit} (base_price)")


def held_quantity(ask: Ask) -> None:
    """No order for more than is held and not promised, so none that flips a position."""
    if not ask.is_closing:
        return
    existing = exact(abs(ask.held))
    reserved = ask.account.promised(ask.symbol, ask.terms.side)
    available = max(existing - reserved, Decimal(0))
    if ask.terms.quantity <= available:
        return
    asked = plain(ask.terms.quantity)
    related = [order.order_id for order in ask.account.on(ask.symbol, ask.terms.side)]
    raise forbidden(
        f"insufficient qty available for order (requested: {asked}, available: {plain(available)})",
        available=plain(available),
        existing_qty=plain(existing),
        held_for_orders=plain(reserved),
        related_orders=related,
        symbol=ask.symbol,
    )


def wash_trade(ask: Ask) -> None:
    """No simple order against an own one that it might meet."""
    if ask.order.order_class != "simple":
        return
    for other in ask.account.on(ask.symbol, "sell" if ask.sign > 0 else "buy"):
        if other.order_type != "limit":
            _refuse_wash(other, "opposite side market/stop order exists")
        elif _crosses(ask, other):
            _refuse_wash(
                other, "opposite side limit order exists. use complex/limit/stop_limit orders"
            )


def _crosses(ask: Ask, other: Resting) -> bool:
    price, resting = ask.terms.limit_price, other.limit_price
    return price is None or resting is None or ask.sign * (price - resting) >= 0


def _refuse_wash(other: Resting, why: str) -> None:
    raise forbidden(WASH, existing_order_id=other.order_id, reject_reason=why)


def short_sale(ask: Ask) -> None:
    """Shorts take an account that may, equity of 2,000, and shares that can be borrowed."""
    if ask.sign > 0 or ask.is_closing:
        return
    if not ask.shorting_enabled or ask.account.value < 2000.0:
        raise forbidden("account is not allowed to short")
    if not (ask.asset.shortable and ask.asset.easy_to_borrow):
        raise forbidden(f"asset {ask.symbol} cannot be sold short")


def power(ask: Ask) -> None:
    """What it would open must be paid for; closing is free."""
    if ask.is_closing:
        return
    cost = _cost(ask.terms, ask.terms.quantity, ask.last)
    free = buying_power(ask.account, ask.multiplier)
    if cost > free:
        raise forbidden(
            "insufficient buying power", buying_power=str(free), cost_basis=str(_cents(cost))
        )


def pattern_day_trader(ask: Ask, fills: Iterable[VenueFill]) -> None:
    """The old rule: no fourth day trade in five days below 25,000 of equity."""
    if not ask.is_closing or ask.account.value >= 25_000.0:
        return
    today = ask.at.astimezone(ask.hours.zone).date()
    sides: dict[tuple[object, str], set[str]] = {}
    for fill in fills:
        day = fill.filled_at.astimezone(ask.hours.zone).date()
        if today - day < timedelta(days=7):  # five days of trading
            sides.setdefault((day, fill.symbol), set()).add(fill.side)
    opened_today = bool(sides.get((today, ask.symbol)))
    if opened_today and sum(len(both) == 2 for both in sides.values()) >= 3:
        raise VenueRefusal(40310100, "trade denied due to pattern day trading protection")


def buying_power(account: Surroundings, multiplier: int) -> Decimal:
    """Cash and loan, less twice the shorts (they brought cash) and what working entries take."""
    shorts = fsum(
        -size * account.closes[symbol] for symbol, size in account.held.items() if size < 0.0
    )
    reserved = Decimal(0)
    for order in account.resting:
        sign = 1 if order.side == "buy" else -1
        if account.held.get(order.symbol, 0.0) * sign >= 0.0:
            reserved += _cost(order, order.remaining, order.last)
    free = account.cash - 2.0 * shorts + (multiplier - 1) * account.value
    return _cents(exact(free) - reserved)


def _cost(terms: Terms | Resting, quantity: Decimal, last: Decimal) -> Decimal:
    """The limit, else the stop or the last price and a cushion; a short at least 3 % above."""
    if terms.side == "sell":
        return max(terms.limit_price or Decimal(0), Decimal("1.03") * last) * quantity
    if terms.limit_price is not None:
        return terms.limit_price * quantity
    price = terms.stop_price or last
    cushion = Decimal("1.04") if price < 50 else Decimal("1.025")
    return price * cushion * quantity


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_DOWN)


Check = Callable[[Ask], None]
AT_SUBMISSION: tuple[Check, ...] = (
    tradable,
    time_in_force,
    sub_penny,
    fractional,
    extended_hours,
    auction_window,
    family,
    held_quantity,
    wash_trade,
    short_sale,
    power,
)
AT_REPLACEMENT: tuple[Check, ...] = (sub_penny, held_quantity, power)
