"""Families that IBKR took in part: what it took is cancelled again."""

import logging

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

    async def cancel(self, first: PortalEntry) -> bool:
        """Cancel what was taken of a family; False: it works on, and is tried again later.

        Raises:
            TransportError: nobody knows whether it does; it is tried again later.
        """
        self._left[first.order_id] = first
        path = f"iserver/account/{self._session.account}/order/{first.order_id}"
        try:
            await self._session.ask("DELETE", path)
        except VenueRefused as refused:
            text = "IBKR took %s without all of its family, and does not cancel it: %s"
            _log.warning(text, first.ref, refused)
            return False
        self._left.pop(first.order_id, None)
        return True

    async def cancel_left(self) -> None:
        """Try again; to be called after a look at the orders.

        Raises:
            TransportError: as with `cancel`.
        """
        for number, first in tuple(self._left.items()):
            if first.is_over or first.filled or first.executed:
                self._left.pop(number, None)
            else:
                await another_request()
                await self.cancel(first)
