"""What a fault plan does to the Client Portal's session: lost, taken by another, ended at night."""

from collections.abc import Awaitable
from typing import Protocol

from brokers.clock import Clock
from live.paper.agenda import Agenda
from live.paper.portal_session import PortalSession
from live.paper.trouble import Trouble


class Portal(Protocol):
    """What can befall it."""

    @property
    def session(self) -> PortalSession:
        """The login."""

    async def tell_status(self) -> None:
        """Tell the client how its session is."""

    async def break_off(self) -> None:
        """Break the websocket without a word."""


class PortalFaults:
    """The plan at work; the venue's front.

    Args:
        clock: of the wires: how long something lasts.
    """

    def __init__(self, portal: Portal, trouble: Trouble, clock: Clock) -> None:
        self._portal = portal
        self._trouble = trouble
        self._agenda: Agenda[Awaitable[None]] = Agenda(clock)

    @property
    def late(self) -> int:
        """How much it will still do by itself."""
        return len(self._agenda)

    async def strike(self) -> None:
        """Do what the plan wants at the next step."""
        fault = self._trouble.at("bar", "session_lost", "competing", "restart")
        if fault is None:
            return
        session = self._portal.session
        if fault.kind == "restart":
            session.log_out()
            await self._portal.break_off()
            self._agenda.add(fault.wait_s, self._log_in)
        elif fault.kind == "competing":
            session.compete()
            await self._portal.tell_status()
            self._agenda.add(fault.wait_s, self._concede)
        else:
            session.lose()
            await self._portal.tell_status()
        await self.release()

    async def release(self) -> None:
        """Do what is due."""
        for job in self._agenda.due():
            await job()

    async def _log_in(self) -> None:
        self._portal.session.log_in()

    async def _concede(self) -> None:
        """Let the other session end, if it has not been ousted yet."""
        if self._portal.session.is_competing:
            self._portal.session.is_competing = False
            await self._portal.tell_status()
