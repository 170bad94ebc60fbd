"""A venue for tests of `Resilient`: every request meets what the test's script says."""

from collections import deque
from decimal import Decimal

from brokers.errors import (
    ConfigError,
    DuplicateOrderId,
    SchemaRefused,
    Throttled,
    Transient,
    Unknown,
    VenueRefused,
)
from brokers.wire.steps import another_request
from brokers.wire.transport import VenueOrder

OUTCOMES = {
    "ok": None,
    "refused": VenueRefused("40310000", "insufficient buying power"),
    "duplicate": DuplicateOrderId("40010001", "client_order_id must be unique"),
    "429": Throttled("429"),
    "429 for 7 s": Throttled("429", 7.0),
    "429 for a day": Throttled("429", 86_400.0),
    "unsent": Transient("no connection"),
    "lost": Unknown("no answer", "a1"),  # never arrived
    "kept": Unknown("no answer", "a1"),  # the venue has the order
    "late": Unknown("no answer", "a1"),  # the venue gets the order after the next request
    "no such": SchemaRefused("Alpaca has no such order"),
    "keys": ConfigError("the keys were refused"),
}


class FarSide:
    """A venue that does what it is told, request by request, and then what it should.

    Args:
        is_strict: it refuses a client order id that it has seen.
    """

    def __init__(self, clock, script=(), *, is_strict=True):
        self.orders = []
        self.log = []  # (request, outcome)
        self.left_at_s = []
        self.hidden = 0  # how many finds will not see what is there
        self.pages = 1
        self.is_closed = False
        self._clock = clock
        self._script = deque(script)
        self._late = []
        self._is_strict = is_strict

    async def submit(self, order):
        return await self._create("submit", order.client_order_id)

    async def replace(self, venue_order_id, client_order_id, terms):
        return await self._create("replace", client_order_id)

    async def find(self, client_order_id):
        await self._meet("find")
        if self.hidden:
            self.hidden -= 1
            return None
        return next((o for o in self.orders if o.client_order_id == client_order_id), None)

    async def cancel(self, venue_order_id):
        await self._meet("cancel")

    async def orders_since(self, since):
        await self._meet("orders")
        for _ in range(self.pages - 1):
            await another_request()
            await self._meet("orders")
        return self.orders

    async def fills_since(self, since):
        await self._meet("fills")
        return ()

    async def account(self):
        await self._meet("account")
        return "account"

    async def positions(self):
        await self._meet("positions")
        return ()

    async def updates(self):
        yield "update"

    async def close(self):
        self.is_closed = True

    async def _create(self, request, client_order_id):
        outcome = self._next(request)
        if outcome == "late":
            self._late.append(client_order_id)
        if outcome in ("ok", "kept"):
            taken = any(order.client_order_id == client_order_id for order in self.orders)
            if taken and self._is_strict:
                raise OUTCOMES["duplicate"]
            self.accept(client_order_id)
        self._end(outcome)
        return self.orders[-1]

    async def _meet(self, request):
        outcome = self._next(request)
        if outcome in ("lost", "kept", "late"):  # of a read, no answer is a transient failure
            outcome = "unsent"
            self.log[-1] = (request, outcome)
        late, self._late = self._late, []
        for client_order_id in late:
            if all(order.client_order_id != client_order_id for order in self.orders):
                self.accept(client_order_id)
        self._end(outcome)

    def _next(self, request):
        outcome = self._script.popleft() if self._script else "ok"
        self.log.append((request, outcome))
        self.left_at_s.append(self._clock.monotonic())
        return outcome

    def _end(self, outcome):
        if error := OUTCOMES[outcome]:
            raise type(error)(*_arguments(error))

    def accept(self, client_order_id):
        """Have an order."""
        self.orders.append(
            VenueOrder(
                venue_order_id=f"v{len(self.orders)}",
                client_order_id=client_order_id,
                symbol="AAPL",
                side="buy",
                quantity=Decimal(10),
                order_type="market",
                status="new",
                filled_quantity=Decimal(0),
                updated_at=self._clock.now(),
            )
        )


def _arguments(error):
    """A fresh error each time: the back-off writes into the text of the one it gives up with."""
    if isinstance(error, VenueRefused):
        return error.code, error.text
    if isinstance(error, Unknown):
        return "no answer", error.client_order_id
    return (str(error), error.retry_after_s) if isinstance(error, Transient) else (str(error),)
