"""Keeps a line to IB Gateway up that knows all orders of the day, through nights and breaks."""

import asyncio
import random
from contextlib import suppress
from datetime import datetime

from brokers.clock import Clock
from brokers.errors import ConfigError, OrderRefused, SeawallError, Transient, VenueRefused
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_book import Book
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.ibkr_line import Line
from brokers.wire.ibkr_updates import Updates

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class Upkeep:
    """Connects, and reads what happened meanwhile; belongs to one event loop.

    Args:
        rng: seeded; draws the waits before the gateway is called again.
    """

    def __init__(
        self,
        gateway: Gateway,
        line: Line,
        book: Book,
        updates: Updates,
        contracts: Contracts,
        *,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._gateway = gateway
        self._line = line
        self._book = book
        self._updates = updates
        self._contracts = contracts
        self._clock = clock
        self._rng = rng
        self._turn = asyncio.Lock()
        self._is_synced = False
        self._was_up = False

    async def up(self) -> None:
        """Have a line that knows all orders of the day; in the night, wait until there is one.

        Raises:
            ConfigError: never up yet and nobody there, read-only, client id in use, no account.
            Transient: it was up, and by day it is not.
        """
        async with self._turn:
            tries = 0
            while True:
                tries += 1
                try:
                    await self._have_line()
                    return
                except Transient:
                    ends_at = self._night_ends_at()
                    if ends_at is None:
                        raise
                await self._clock.wait(min(self.wait_s(tries), self._clock.until_s(ends_at)))

    def wait_s(self, tries: int) -> float:
        """Seconds before the gateway is called again."""
        widest_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries, 16))
        return self._rng.uniform(0.0, widest_s)

    def require_day(self) -> None:
        """Let an order pass that may be at work soon.

        Raises:
            VenueRefused: the gateway restarts in these minutes.
        """
        if ends_at := self._night_ends_at():
            text = f"IB Gateway restarts from {self._gateway.night}: no new orders before"
            raise VenueRefused("restart", f"{text} {ends_at:%H:%M} UTC")

    def require_link(self) -> None:
        """Let an order pass that IB will hear of.

        Raises:
            VenueRefused: the gateway has lost IB.
        """
        if self._updates.link_is_down:
            raise VenueRefused("1100", f"the gateway has lost IB: {self._updates.link_is_down}")

    async def read_orders(self) -> None:
        """Have the gateway tell of all orders of the day."""
        await self._line.ask(lambda client, _: client.reqAllOpenOrders(), "openOrderEnd")
        await self._line.ask(
            lambda client, _: client.reqCompletedOrders(False),
            "completedOrdersEnd",
        )

    async def read_executions(self) -> None:
        """Have it tell of all executions of the day."""
        from ib_async.objects import ExecutionFilter  # noqa: PLC0415  an extra

        await self._line.ask(
            lambda client, number: client.reqExecutions(number, ExecutionFilter()),
            "execDetailsEnd",
        )

    async def _have_line(self) -> None:
        if self._updates.link_is_down and self._night_ends_at():
            raise Transient(f"the gateway has lost IB: {self._updates.link_is_down}")
        if self._line.is_up and self._is_synced:
            return
        self._is_synced = False
        if not self._line.is_up:
            await self._connect()
        try:
            await self._look_up_symbols()
            await self.read_orders()
            self._skip_numbers()
            await self.read_executions()
        except SeawallError:
            self._line.close()
            raise
        self._skip_numbers()
        self._is_synced = self._was_up = True

    async def _connect(self) -> None:
        try:
            await self._line.open()
        except Transient as error:
            if self._was_up:
                raise
            now = f"; it restarts now, from {self._gateway.night}"
            raise ConfigError(f"{error}{now if self._night_ends_at() else ''}") from None
        accounts = self._line.accounts
        if len(accounts) > 1 and self._gateway.account not in accounts:
            self._line.close()
            raise ConfigError(
                f"ibkr: the login has several accounts: set ibkr.account to one of "
                f"{', '.join(accounts)}"
            )

    async def _look_up_symbols(self) -> None:
        """Know the contracts by the names that we have for them."""
        for symbol in self._gateway.symbols:
            with suppress(OrderRefused):  # who trades it will be told
                await self._contracts.find(symbol, self._line)

    def _skip_numbers(self) -> None:
        """Give no number again; after its restart the gateway begins anew."""
        self._line.skip_to(self._book.highest_order_id(self._gateway.client_id) + 1)

    def _night_ends_at(self) -> datetime | None:
        night = self._gateway.night
        return None if night is None else night.ends_at(self._clock.now())
