"""A small venue with one or two symbols, an hour a step."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from brokers.fills import Bar
from brokers.orders import Leg, OrderSchema
from brokers.wire.transport import OrderUpdate, VenueOrder
from live.paper.account import AlpacaRules, Rules
from live.paper.matching import Matching
from live.paper.refusal import VenueRefusal

START = datetime(2024, 1, 2, 15, 0, tzinfo=UTC)  # 10:00 in New York, a Tuesday
HOUR = timedelta(hours=1)
FLAT = Bar(100.0, 105.0, 95.0, 100.0)


def alpaca(**how: Any) -> "Desk":
    """A venue under Alpaca's rules; cash and start are the venue's words, the others the rules'."""
    words = {name: how.pop(name) for name in list(how) if name not in ("cash", "start")}
    return Desk(AlpacaRules(**words), **how)


def refusal(act: Callable[..., Any], *args: Any, **words: Any) -> VenueRefusal:
    """The venue's no."""
    with pytest.raises(VenueRefusal) as refused:
        act(*args, **words)
    return refused.value


class Desk:
    """A venue with a first bar of 100, and words short enough for tests."""

    def __init__(self, rules: Rules | None = None, *, start: datetime = START, **how: Any) -> None:
        self.at = start
        self.venue = Matching(["AAA", "BBB"], rules, **how)
        self.orders = 0
        self.step()

    def step(self, bar: Bar | None = FLAT, at: datetime | None = None) -> list[OrderUpdate]:
        self.at = at or self.at + HOUR
        return list(self.venue.step(self.at, {"AAA": bar, "BBB": bar} if bar else {}))

    def send(self, side: str = "buy", quantity: Any = 10, **words: Any) -> VenueOrder:
        return self.venue.submit(self.ask(side, quantity, **words), self.at)

    def ask(self, side: str = "buy", quantity: Any = 10, **words: Any) -> OrderSchema:
        self.orders += 1
        words = {"client_order_id": f"o{self.orders}", "symbol": "AAA", **words}
        return OrderSchema(side=side, quantity=Decimal(str(quantity)), **priced(words))

    def bracket(self, take: Any = 110, stop: Any = 90, **words: Any) -> VenueOrder:
        side = words.pop("side", "buy")
        name = f"o{self.orders + 1}"
        other = "sell" if side == "buy" else "buy"
        quantity = Decimal(str(words.pop("quantity", 10)))
        of_leg = {"side": other, "quantity": quantity}
        legs = (
            Leg(client_order_id=name + "-sl", role="stop_loss", order_type="stop",
                stop_price=Decimal(str(stop)), **of_leg),
            Leg(client_order_id=name + "-tp", role="take_profit", order_type="limit",
                limit_price=Decimal(str(take)), **of_leg),
        )  # fmt: skip
        return self.send(side, quantity, order_class="bracket", legs=legs, **words)

    def exit_pair(self, take: Any = 110, stop: Any = 90, **words: Any) -> VenueOrder:
        quantity = Decimal(str(words.pop("quantity", 10)))
        leg = Leg(
            client_order_id=f"o{self.orders + 1}-sl", role="stop_loss", order_type="stop",
            stop_price=Decimal(str(stop)), side="sell", quantity=quantity,
        )  # fmt: skip
        return self.send(
            "sell", quantity, order_class="oco", legs=(leg,), limit_price=take, **words
        )

    def hold(self, quantity: Any = 10, side: str = "buy") -> None:
        self.send(side, quantity)
        self.step()

    def status(self, client_order_id: str) -> str:
        found = self.venue.find(client_order_id)
        assert found is not None
        return found.status


def priced(words: dict[str, Any]) -> dict[str, Any]:
    """Numbers as decimals, and the order type that the prices make."""
    names = ("limit_price", "stop_price", "trail_amount", "trail_frac")
    prices = {name: Decimal(str(words[name])) for name in names if words.get(name) is not None}
    kind = {"limit_price": "limit", "stop_price": "stop", "trail_amount": "trailing_stop"}
    named = "stop_limit" if {"limit_price", "stop_price"} <= prices.keys() else None
    guess = named or kind.get(next(iter(prices), ""), "market")
    return {"order_type": guess, **words, **prices}


def short(updates: list[OrderUpdate]) -> list[str]:
    return [f"{update.order.client_order_id} {update.order.status}" for update in updates]
