"""The venue's refusals, foreseen by the guard: both halves of a rehearsal refuse alike.

In a backtest no venue refuses anything. So the guard of both halves asks the very checks that the
venue will ask, of the account as Backtrader knows it.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from brokers.errors import SchemaRefused, VenueRefused
from brokers.orders import OrderSchema
from brokers.profile import ALPACA, BACKTRADER, Profile
from brokers.situation import AtVenue, whole
from brokers.wire.alpaca_orders import order_body
from live.paper.account import AlpacaRules, BacktraderRules


def profile_of(rules: AlpacaRules | BacktraderRules) -> Profile:
    """What a guard has to know of a venue that speaks Alpaca and keeps these rules."""
    if isinstance(rules, BacktraderRules):
        return replace(BACKTRADER, words=words)

    def foresee(situation: AtVenue) -> None:
        at = datetime.fromtimestamp(round(situation.now, 3), UTC)  # Backtrader's dates are floats
        try:
            rules.review(as_sent(whole(situation)), situation.surroundings, at)
        except VenueRefused as refused:
            raise SchemaRefused(f"alpaca would refuse it: {refused.text}") from None

    return replace(ALPACA, words=words, foresees=foresee)


def words(order: OrderSchema) -> dict[str, Any]:
    """The order in Alpaca's words.

    Raises:
        SchemaRefused: it has none, or would lose its expiry on the way.
    """
    if order.order_type == "market_on_close" and order.time_in_force != "gtc":
        raise SchemaRefused("Alpaca's orders for the close have no other expiry: use valid=None")
    return order_body(order)


def as_sent(order: OrderSchema) -> OrderSchema:
    """The order as it arrives: Backtrader's Close is a market order for the close."""
    if order.order_type != "market_on_close":
        return order
    return order.model_copy(update={"order_type": "market", "time_in_force": "cls"})
