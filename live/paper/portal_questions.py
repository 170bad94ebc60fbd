"""What the Client Portal asks back before it takes an order.

Source: wordings as ibind 0.2.2 knows them (`QuestionType`); ids of the suppressible messages.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from live.paper.portal_errors import verdict
from live.paper.tws_forms import Ask

_FAR = Decimal("0.03")
_SURE = "\nAre you sure you want to submit this order?"


@dataclass(frozen=True, slots=True)
class Question:
    """One question; clients may suppress it by its id."""

    message_id: str
    text: str


MARKET_ORDER = Question(
    "o10151",
    "A Market Order is an instruction to trade your order at any available price in the market."
    " A Market Order is not guaranteed a specific execution price." + _SURE,
)
STOP_ORDER = Question(
    "o10331",
    "You are about to submit a stop order. Please be aware of the various stop order types"
    " available and the risks associated with each one." + _SURE,
)
NO_DATA = Question(
    "o354",
    "You are submitting an order without market data. We strongly recommend against this as it may"
    " result in erroneous and unexpected trades." + _SURE,
)
UNKNOWN = Question("o99999", "This order is subject to a rule that is new to you. Do you agree?")


@dataclass(frozen=True, slots=True)
class Precautions:
    """What the account is asked about or refused; None asks and refuses nothing of the kind.

    Args:
        size: units of one order.
        value: of one order, in its currency.
        unsubscribed: symbols without market data.
        tick: what every price has to be a multiple of.
        lot: what every quantity has to be a multiple of.
    """

    size: Decimal | None = None
    value: Decimal | None = None
    unsubscribed: AbstractSet[str] = frozenset()
    tick: Decimal | None = None
    lot: Decimal | None = None

    def check(self, asks: Sequence[Ask]) -> None:
        """Look at the increments of orders that come together.

        Raises:
            PortalError: a price or a quantity is off them.
        """
        for ask in asks:
            stop = None if ask.is_trailing else ask.aux
            if self.tick and any(price % self.tick for price in (ask.limit, stop) if price):
                raise verdict(
                    "The price does not conform to the minimum price variation for this contract."
                )
            if self.lot and ask.quantity % self.lot:
                raise verdict(
                    f"Order size does not conform to the minimum size increment {self.lot}"
                )

    def about(
        self, asks: Sequence[Ask], last: Decimal, suppressed: AbstractSet[str]
    ) -> list[Question]:
        """Questions about orders that come together, each once.

        Args:
            last: the symbol's price.
        """
        found = [question for ask in asks for question in self._about(ask, last)]
        known = {question.message_id: question for question in found}
        return [it for it in known.values() if it.message_id not in suppressed]

    def _about(self, ask: Ask, last: Decimal) -> list[Question]:
        words = f"The following order {ask.side} {ask.quantity:f} {ask.symbol} NASDAQ.NMS"
        price = last if ask.limit is None else ask.limit
        found = []
        if ask.symbol in self.unsubscribed:
            found.append(NO_DATA)
        if ask.order_type == "MKT":
            found.append(MARKET_ORDER)
        if ask.order_type in ("STP", "STP LMT", "TRAIL"):
            found.append(STOP_ORDER)
        if ask.order_type == "LMT" and abs(price - last) > _FAR * last:
            text = f"{words} price exceeds the Percentage constraint of 3%.{_SURE}"
            found.append(Question("o163", text))
        if self.size is not None and ask.quantity > self.size:
            found.append(Question("o383", f"{words} size exceeds the Size Limit of {self.size}."))
        if self.value is not None and ask.quantity * price > self.value:
            text = f"{words} value estimate exceeds the Total Value Limit of {self.value} USD."
            found.append(Question("o451", text + _SURE))
        return found
