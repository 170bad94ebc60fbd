"""Families that IBKR took in part: what it took is cancelled again."""

import logging
from contextlib import suppress

from brokers.errors import VenueRefused
from brokers.wire.portal_book import PortalEntry
from brokers.wire.portal_session import PortalSession
from brokers.wire.steps import another_request

_log = logging.getLogger(__name__)


class PortalParts:
    """Cancels them, and keeps those that work on to try again.

    With the first of a family, its entry, IBKR cancels the legs too. Where something has filled,
    the legs that were taken protect it, and are left alone.
    """

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._left: dict[str, PortalEntry] = {}  # by number

    async def cancel(self, first: PortalEntry) -> None:
        """Cancel what was taken of a family; `cancel_left` tries again where this raises.

        Raises:
            VenueRefused: it works on.
            TransportError: nobody knows whether it does.
        """
        self._left[first.order_id] = first
        path = f"iserver/account/{self._session.account}/order/{first.order_id}"
        try:
            await self._session.ask("DELETE", path)
        except VenueRefused as refused:
            text = "IBKR took %s without all of its family, and does not cancel it: %s"
            _log.warning(text, first.ref, refused)
            raise
        self._left.pop(first.order_id, None)

    async def cancel_left(self) -> None:
        """Try again; to be called after a look at the orders.

        Raises:
            TransportError: nobody knows whether one works on.
        """
        for number, first in tuple(self._left.items()):
            if first.is_over or first.filled or first.executed:
                self._left.pop(number, None)
            else:
                await another_request()
                with suppress(VenueRefused):
                    await self.cancel(first)
