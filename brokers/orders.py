"""The order as a value: what is not a valid `OrderSchema` never leaves."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Side = Literal["buy", "sell"]
OrderType = Literal[
    "market",
    "market_on_close",
    "limit",
    "stop",
    "stop_limit",
    "trailing_stop",
    "trailing_stop_limit",
]
TimeInForce = Literal["day", "gtc", "gtd", "opg", "cls", "ioc", "fok"]
OrderClass = Literal["simple", "bracket", "oco", "oto"]
Role = Literal["take_profit", "stop_loss"]

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
ClientOrderId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,48}$")]

# (required, allowed besides) of limit_price, stop_price and trail for each order type. A trailing
# stop may name the price from which it starts to trail.
PRICES: dict[OrderType, tuple[frozenset[str], frozenset[str]]] = {
    "market": (frozenset(), frozenset()),
    "market_on_close": (frozenset(), frozenset()),
    "limit": (frozenset({"limit_price"}), frozenset()),
    "stop": (frozenset({"stop_price"}), frozenset()),
    "stop_limit": (frozenset({"limit_price", "stop_price"}), frozenset()),
    "trailing_stop": (frozenset({"trail"}), frozenset({"stop_price"})),
    "trailing_stop_limit": (frozenset({"trail", "limit_price"}), frozenset({"stop_price"})),
}


class Terms(BaseModel):
    """What an entry and a leg have in common.

    Quantities are units of the instrument, prices its quote currency, both positive and finite;
    `trail_amount` is in price units, `trail_frac` a fraction of the price (0 < f < 1).
    """

    # Built at the first order, not at import.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    client_order_id: ClientOrderId
    side: Side
    quantity: Positive
    order_type: OrderType
    time_in_force: TimeInForce = "gtc"
    expires_at: AwareDatetime | None = None
    limit_price: Positive | None = None
    stop_price: Positive | None = None
    trail_amount: Positive | None = None
    trail_frac: Annotated[Decimal, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _prices_fit_the_type(self) -> Self:
        given = {name for name in ("limit_price", "stop_price") if getattr(self, name) is not None}
        if self.trail_amount is not None or self.trail_frac is not None:
            given.add("trail")
        required, allowed = PRICES[self.order_type]
        if missing := sorted(required - given):
            raise ValueError(f"a {self.order_type} order needs {' and '.join(missing)}")
        if surplus := sorted(given - required - allowed):
            raise ValueError(f"a {self.order_type} order takes no {' and no '.join(surplus)}")
        if self.trail_amount is not None and self.trail_frac is not None:
            raise ValueError("a trail is an amount or a fraction, not both")
        return self

    @model_validator(mode="after")
    def _expiry_fits_the_time_in_force(self) -> Self:
        if (self.time_in_force == "gtd") != (self.expires_at is not None):
            raise ValueError("expires_at belongs to time_in_force gtd, and to it alone")
        return self

    @property
    def reference_price(self) -> Decimal | None:
        """The price at which it would be reached: the limit, else the stop, else None."""
        return self.limit_price if self.limit_price is not None else self.stop_price


class Leg(Terms):
    """An exit that sleeps until its entry has filled."""

    role: Role


class OrderSchema(Terms):
    """One order, or one family of an entry and its exits, complete and without contradiction.

    An OCO is either what venues call one (a limit exit with a stop-loss leg), or the second of two
    orders, naming the first in `oco_client_order_id`, as Backtrader builds it. An OCO of one order
    made of those two (see `exit_pair.py`) goes on naming the first: itself, or its leg.
    """

    symbol: Annotated[str, Field(min_length=1)]
    order_class: OrderClass = "simple"
    legs: tuple[Leg, ...] = ()
    oco_client_order_id: ClientOrderId | None = None
    extended_hours: bool = False

    @model_validator(mode="after")
    def _family_fits(self) -> Self:
        if self.legs or self.order_class != "simple" or self.oco_client_order_id is not None:
            self._check_class()
            self._check_sides()
            self._check_ladder()
        return self

    def _check_class(self) -> None:
        roles = sorted(leg.role for leg in self.legs)
        linked = self.oco_client_order_id is not None
        members = {self.client_order_id, *(leg.client_order_id for leg in self.legs)}
        fits = {
            "simple": not roles and not linked,
            "bracket": roles == ["stop_loss", "take_profit"] and not linked,
            "oto": len(roles) == 1 and not linked,
            "oco": (linked and not roles)
            or (
                self.order_type == "limit"
                and roles == ["stop_loss"]
                and (not linked or self.oco_client_order_id in members)
            ),
        }
        if not fits[self.order_class]:
            raise ValueError(f"legs {roles or 'none'} do not make a {self.order_class} order")

    def _check_sides(self) -> None:
        """Legs close what the entry opens."""
        is_exit = self.order_class == "oco"
        for leg in self.legs:
            if (leg.side == self.side) != is_exit:
                raise ValueError(f"the {leg.role} leg is on the wrong side: {leg.side}")
            if leg.quantity > self.quantity:
                raise ValueError(f"the {leg.role} leg is larger than its entry")

    def _check_ladder(self) -> None:
        """For a long entry stop loss < entry < take profit; mirrored for a short one."""
        ladder = [
            ("stop loss", self._leg_price("stop_loss")),
            ("take profit" if self.order_class == "oco" else "entry", self.reference_price),
            ("take profit", self._leg_price("take_profit")),
        ]
        steps = [(name, price) for name, price in ladder if price is not None]
        rising = (self.side == "buy") != (self.order_class == "oco")
        for (low_name, low), (high_name, high) in pairwise(steps):
            if low >= high if rising else low <= high:
                word = "below" if rising else "above"
                raise ValueError(f"{low_name} {low} must be {word} {high_name} {high}")

    def _leg_price(self, role: Role) -> Decimal | None:
        for leg in self.legs:
            if leg.role == role:
                return leg.stop_price if role == "stop_loss" else leg.limit_price
        return None

    @property
    def heads(self) -> tuple[str, ...]:
        """Client order ids of those that wait for no entry: of an exit of two, both."""
        legs = self.legs if self.order_class == "oco" else ()
        return (self.client_order_id, *(leg.client_order_id for leg in legs))

    @property
    def signed_quantity(self) -> Decimal:
        """Units, positive for a buy."""
        return self.quantity if self.side == "buy" else -self.quantity
