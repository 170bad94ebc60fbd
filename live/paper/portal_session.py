"""The Client Portal's session: login, brokerage session, and what the client has asked for yet."""

from dataclasses import dataclass, field
from typing import Any

from brokers.clock import Clock
from live.paper.portal_errors import bad_request

LASTS_S = 300.0  # without a request; protocols say 5 to 6 minutes


@dataclass(slots=True)
class Asked:
    """Calls that come before others, within one brokerage session.

    Args:
        suppressed: ids of questions that are not to be asked.
        snapshots: contract ids whose first snapshot was asked for.
    """

    accounts: bool = False
    portfolio: bool = False
    orders: bool = False
    trades: bool = False
    suppressed: set[str] = field(default_factory=set)
    snapshots: set[int] = field(default_factory=set)


class PortalSession:
    """One login with its brokerage session.

    Args:
        clock: in which idle time is measured.
        number: of the session ids: the same in every run.
    """

    def __init__(self, clock: Clock, *, lasts_s: float = LASTS_S) -> None:
        self._clock = clock
        self._lasts_s = lasts_s
        self._used_s = clock.monotonic()
        self._number = 1
        self.is_logged_in = True
        self.is_authenticated = True
        self.is_competing = False
        self.asked = Asked()

    @property
    def name(self) -> str:
        """The session's id, as the websocket's cookie has it."""
        return f"{self._number:032x}"

    def touch(self) -> None:
        """Note a request; too long without one, and the brokerage session is gone."""
        now = self._clock.monotonic()
        if now - self._used_s > self._lasts_s:
            self.lose()
        self._used_s = now

    def lose(self) -> None:
        """End the brokerage session; `begin` brings the next."""
        self.is_authenticated = False
        self.asked = Asked()

    def compete(self) -> None:
        """Let somebody else log in with the same name: the brokerage session is theirs."""
        self.lose()
        self.is_competing = True

    def begin(self, *, compete: bool) -> bool:
        """Begin a brokerage session; False when somebody else has it and is not to be ousted."""
        if not self.is_logged_in or (self.is_competing and not compete):
            return False
        if not self.is_authenticated:
            self._number += 1
        self.is_authenticated, self.is_competing = True, False
        return True

    def log_in(self) -> None:
        """Log in again, as a human does in a browser; the brokerage session is not begun."""
        self.is_logged_in = True

    def log_out(self) -> None:
        """End everything; only a human in a browser can log in again."""
        self.lose()
        self.is_logged_in = False

    def status(self) -> dict[str, Any]:
        """As /iserver/auth/status has it."""
        return {
            "authenticated": self.is_authenticated,
            "competing": self.is_competing,
            "connected": self.is_logged_in,
            "message": "",
            "MAC": "00:00:00:00:00:00",
            "serverInfo": {"serverName": "seawall", "serverVersion": "paper"},
            "fail": "",
        }

    def needs_accounts(self) -> None:
        """Ask for /iserver/accounts to have been called.

        Raises:
            PortalError: it was not.
        """
        if not self.asked.accounts:
            raise bad_request("Please query /accounts first")

    def needs_portfolio(self) -> None:
        """Ask for /portfolio/accounts to have been called; raises as `needs_accounts` does."""
        if not self.asked.portfolio:
            raise bad_request("Please query /portfolio/accounts first")
