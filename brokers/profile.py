"""What a venue asks of an order beyond common sense: ticks, lots, held quantity."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from brokers.errors import SchemaRefused
from brokers.orders import OrderSchema, Terms
from brokers.situation import AtVenue, whole
from brokers.translate import exact
from brokers.wire.alpaca_orders import check_parts, order_body
from brokers.wire.ibkr_orders import family
from brokers.wire.portal_orders import portal_family


@dataclass(frozen=True)
class Profile:
    """One venue's rules for the form of an order.

    Args:
        ticks: (from this price on, tick), highest price first; none: any price.
        lot: quantities are multiples of it; None: any quantity.
        held_quantity: an order against a position may not exceed what is held and not already
            promised to orders at work, so no single order flips a position. Stop and target of one
            entry, once it has filled, promise the same units.
        foresees: refuses what the venue would, given the whole account; raises an OrderRefused.
        words: puts an order into the venue's words; raises SchemaRefused where it has none.
    """

    name: str
    ticks: tuple[tuple[Decimal, Decimal], ...] = ()
    lot: Decimal | None = None
    held_quantity: bool = False
    words: Callable[[OrderSchema], object] | None = None
    foresees: Callable[[AtVenue], object] | None = None

    def check(self, situation: AtVenue) -> None:
        """Hold the order, legs included, against the rules.

        Raises:
            SchemaRefused: naming the rule that it breaks.
        """
        order = situation.order
        for terms in (order, *order.legs):
            self._check_ticks(terms)
            self._check_lot(terms)
        if self.held_quantity:
            self._check_held(situation)
        if self.words is not None:
            self.words(whole(situation))
        if self.foresees is not None:
            self.foresees(situation)

    def _check_ticks(self, terms: Terms) -> None:
        for name in ("limit_price", "stop_price"):
            price = getattr(terms, name)
            tick = None if price is None else self.tick(price)
            if tick is not None and price % tick:
                raise SchemaRefused(
                    f"{name} {price} is not a multiple of {self.name}'s tick {tick}"
                )

    def tick(self, price: Decimal) -> Decimal | None:
        """The tick at this price; None where any price will do."""
        return next((tick for floor, tick in self.ticks if price >= floor), None)

    def _check_lot(self, terms: Terms) -> None:
        if self.lot is not None and terms.quantity % self.lot:
            raise SchemaRefused(
                f"quantity {terms.quantity} is not a multiple of {self.name}'s lot {self.lot}"
            )

    def _check_held(self, situation: AtVenue) -> None:
        order, held = situation.order, situation.position
        if held * situation.quantity >= 0:
            return
        available = max(exact(abs(held)) - situation.promised, Decimal(0))
        if order.quantity > available:
            raise SchemaRefused(
                f"{order.side} {order.quantity} is more than the {float(available):g} available"
                f" (held {held:g}); {self.name} takes no order that flips a position"
            )


def _alpacas_words(order: OrderSchema) -> object:
    check_parts(order)
    return order_body(order)


BACKTRADER = Profile("backtrader")
IBKR_TICKS = ((Decimal(1), Decimal("0.01")), (Decimal(0), Decimal("0.0001")))
# Stocks at SMART: cents from $1 on, hundredths of a cent below; whole shares through the API.
IBKR = Profile("ibkr", ticks=IBKR_TICKS, lot=Decimal(1), words=family)
PORTAL = Profile("portal", ticks=IBKR_TICKS, lot=Decimal(1), words=portal_family)
# protocols: two decimals from $1 on, four below; fractions of a share to nine decimals.
ALPACA = Profile(
    "alpaca",
    ticks=((Decimal(1), Decimal("0.01")), (Decimal(0), Decimal("0.0001"))),
    lot=Decimal("0.000000001"),
    held_quantity=True,
    words=_alpacas_words,
)
