"""A desk and its books at work in one room with a fake venue, on a clock that stands still."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from brokers.blotter import Blotter
from brokers.books import Books, Pace
from brokers.desk import Desk
from brokers.errors import BreakerOpen, VenueRefused
from brokers.facts import Fact, Filled
from brokers.orders import OrderSchema
from tests.fakes import NOON, FakeVenue, HeldClock, quiet

REFUSED = VenueRefused("403", "no")
OPEN = BreakerOpen("three calls failed")
PACE = Pace(cancel_wait_s=10, settle_s=1)


class Room:
    """A desk and its books at work with a fake venue, on a clock that stands still."""

    def __init__(self, venue: FakeVenue, pace: Pace = PACE) -> None:
        self.venue = venue
        self.clock = HeldClock()
        self.facts: list[Fact] = []
        self.blotter = Blotter()
        self.books = Books(
            venue, self.blotter, self.facts.append, clock=self.clock, since=NOON, pace=pace
        )
        self.holds: list[bool] = []
        self.desk = Desk(venue, self.books, pace, self.holds.append)
        self.errors: list[BaseException] = []

    async def open(self, *intents: OrderSchema, current: Any = ()) -> None:
        named = {each.client_order_id: each for each in intents}
        for work in (self.books.follow(), self.books.watch(), self.books.poll(),
                     self.desk.work(named, current)):  # fmt: skip
            asyncio.ensure_future(work).add_done_callback(self._note)
        await quiet()

    async def put(self, *jobs: Any, apart: bool = False) -> None:
        self.desk.put(jobs, apart=apart)
        await quiet()

    def _note(self, task: Any) -> None:
        if not task.cancelled() and task.exception():
            self.errors.append(task.exception())


def on_stage(
    scenario: Callable[[Room], Awaitable[None]], pace: Pace = PACE, venue: FakeVenue | None = None
) -> Room:
    async def run() -> Room:
        room = Room(venue or FakeVenue(), pace)
        await scenario(room)
        return room

    return asyncio.run(run())


def filled(facts: list[Fact]) -> list[tuple[str, int]]:
    return [(fact.order_id, int(fact.quantity)) for fact in facts if isinstance(fact, Filled)]
