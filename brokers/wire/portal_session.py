"""The login by which a gateway speaks to IBKR: looked at, taken up again, kept alive."""

import asyncio
from collections.abc import Mapping
from typing import Any

from brokers.clock import Clock
from brokers.errors import ConfigError, Transient
from brokers.wire.http import NoAnswer
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_rest import LoginLost, Nobody, PortalRest
from brokers.wire.steps import another_request

TICKLE_S = 55.0  # a login is dropped after five or six minutes without a request
PAPER = "D"  # with it the ids of paper accounts begin
LOOKS, LOOK_S = 5, 1.0  # for the word that a bridge has been made


class PortalSession:
    """One login; of every session at most one may trade, so another one displaces it.

    Args:
        rest: to ask by.
    """

    def __init__(self, rest: PortalRest, access: PortalAccess, clock: Clock) -> None:
        self._rest = rest
        self._access = access
        self._clock = clock
        self.account = ""
        self.token = ""  # for the websocket's cookie
        self.trouble = "not connected yet"  # why there is no login; empty: there is
        self.logins = 0  # how often it was taken up
        self._steps_done = 0
        self._lock = asyncio.Lock()

    @property
    def is_up(self) -> bool:
        """Whether it was there when it was last heard of."""
        return not self.trouble

    def lose(self, why: str) -> None:
        """Note that the login is gone."""
        self.trouble = why or "the login was lost"
        self._steps_done = 0

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """See `PortalRest.request`; a login that is gone is noted."""
        try:
            return await self._rest.request(method, path, params, body)
        except LoginLost as lost:
            self.lose(str(lost))
            raise

    async def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask what may be asked again.

        Raises:
            Transient: no answer, or none that can be read.
            VenueRefused: an error for an answer.
        """
        try:
            return await self.request(method, path, params, body)
        except NoAnswer as lost:
            raise Transient(str(lost)) from None

    async def up(self) -> None:
        """Have a login that may trade.

        Raises:
            LoginLost: nobody is logged in any more, or another session holds the login.
            ConfigError: nobody was logged in from the beginning, or to another account.
        """
        while not self.is_up:
            async with self._lock:
                if not self.is_up:
                    await self._next_step()
            await another_request()  # not within the lock, for it may wait for other calls

    async def _next_step(self) -> None:
        """Do the next of what has to be done before all else; a failure goes on with the same."""
        steps = (self._take_up, self._choose_account, self._ask_for_portfolios)
        try:
            await steps[self._steps_done]()
        except (LoginLost, Nobody) as error:
            self.lose(str(error))
            if not self.logins:
                raise ConfigError(str(error)) from None
            raise
        self._steps_done += 1
        if self._steps_done == len(steps):
            self.trouble = ""
            self.logins += 1

    async def _take_up(self) -> None:
        status = await self._tickled()
        if not _may_trade(status):
            await self._bridge(status)

    async def _choose_account(self) -> None:
        told = await self.ask("GET", "iserver/accounts")
        try:
            self.account = self._chosen([str(it) for it in told["accounts"]])
            selected = told.get("selectedAccount", self.account)
        except (KeyError, TypeError, AttributeError):
            raise Transient(f"{self._access.where}: its accounts cannot be read") from None
        if selected != self.account:
            await self.ask("POST", "iserver/account", body={"acctId": self.account})

    async def _ask_for_portfolios(self) -> None:
        """Without it nothing is told of money and positions."""
        await self.ask("GET", "portfolio/accounts")

    async def tickle(self) -> None:
        """Keep the login alive.

        Raises:
            LoginLost: it is gone.
        """
        status = await self._tickled()
        if not _may_trade(status):
            self.lose(self._complaint(status))
            raise LoginLost(f"{self._access.where}: {self.trouble}")

    def hear(self, status: Mapping[str, Any]) -> None:
        """Take in what the websocket says of the login.

        Raises:
            LoginLost: it is gone.
        """
        if status.get("authenticated") is False or status.get("competing") is True:
            self.lose(self._complaint(status))
            raise LoginLost(f"{self._access.where}: {self.trouble}")

    async def status(self) -> Mapping[str, Any]:
        """What IBKR says of the login: authenticated, competing, connected."""
        told: Mapping[str, Any] = await self.ask("POST", "iserver/auth/status")
        return told

    async def _tickled(self) -> Mapping[str, Any]:
        told = await self.ask("POST", "tickle")
        try:
            self.token = str(told["session"])
            status: Mapping[str, Any] = told["iserver"]["authStatus"]
        except (KeyError, TypeError):
            raise Nobody(f"{self._access.where} is none: {told!r:.80} to tickle") from None
        return status

    async def _bridge(self, status: Mapping[str, Any]) -> None:
        """Take the login up again, which needs nobody while the gateway still has it."""
        if status.get("competing") and not self._access.competes:
            raise LoginLost(f"{self._access.where}: {self._complaint(status)}")
        wanted = {"publish": True, "compete": self._access.competes}
        await self.ask("POST", "iserver/auth/ssodh/init", body=wanted)
        for _ in range(LOOKS):
            if _may_trade(status := await self.status()):
                return
            await self._clock.wait(LOOK_S)
        raise LoginLost(f"{self._access.where}: {self._complaint(status)}")

    def _complaint(self, status: Mapping[str, Any]) -> str:
        if status.get("competing"):
            return (
                "another session (TWS, a phone, a browser) uses this login: end it, or set "
                "competes to take the login over"
            )
        return f"nobody is logged in: open {self._access.url} in a browser and log in"

    def _chosen(self, accounts: list[str]) -> str:
        wanted = self._access.account
        if wanted and wanted not in accounts:
            raise ConfigError(f"portal: no account {wanted}: there is {', '.join(accounts)}")
        if not wanted and len(accounts) != 1:
            raise ConfigError(f"portal: choose one account of {', '.join(accounts)}")
        chosen = wanted or accounts[0]
        if not self._access.is_money and not chosen.startswith(PAPER):
            raise ConfigError(
                f"portal: {chosen} is an account with money: log in to the paper account, or use "
                "venue portal-live"
            )
        return chosen


def _may_trade(status: Mapping[str, Any]) -> bool:
    return (
        bool(status.get("authenticated"))
        and bool(status.get("connected"))
        and not status.get("competing")
    )
