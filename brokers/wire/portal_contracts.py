"""Which of IBKR's contracts a symbol stands for, by the Client Portal."""

from typing import Any

from brokers.errors import SchemaRefused, Transient, VenueRefused
from brokers.wire.portal_session import PortalSession


class PortalContracts:
    """Stocks of the USA by symbol: `AAPL`, or `AAPL@NASDAQ` where it is listed more than once.

    A class of shares is written with a point (`BRK.B`), which IBKR writes with a blank.
    """

    def __init__(self, session: PortalSession) -> None:
        self._session = session
        self._known: dict[str, int] = {}
        self._symbols: dict[int, str] = {}

    def has(self, symbol: str) -> bool:
        """Whether it was looked up before."""
        return symbol in self._known

    def symbol(self, conid: Any, ticker: str) -> str:
        """What we call one of IBKR's contracts."""
        return self._symbols.get(int(conid)) or ticker.replace(" ", ".")

    async def find(self, symbol: str) -> int:
        """The conid of a symbol.

        Raises:
            VenueRefused: IBKR has none (code 200, as its socket says).
            SchemaRefused: it has several; the text names them.
        """
        if symbol in self._known:
            return self._known[symbol]
        name, _, exchange = symbol.partition("@")
        asked = name.replace(".", " ")
        told = await self._session.ask("GET", "trsrv/stocks", {"symbols": asked})
        try:
            found = _of_usa(told.get(asked, []), exchange)
        except (KeyError, TypeError, AttributeError):
            raise Transient(f"the contracts of {symbol} cannot be read") from None
        if not found:
            raise VenueRefused("200", f"IBKR has no stock {symbol} in the USA")
        if len(found) > 1:
            choices = ", ".join(f"{name}@{place}" for place in found.values())
            raise SchemaRefused(f"IBKR lists {symbol} {len(found)} times: write one of {choices}")
        (conid,) = found
        self._known[symbol], self._symbols[conid] = conid, symbol
        return conid


def _of_usa(instruments: Any, exchange: str) -> dict[int, str]:
    """Where each contract is listed, by conid."""
    return {
        int(it["conid"]): str(it["exchange"])
        for instrument in instruments
        if instrument.get("assetClass", "STK") == "STK"
        for it in instrument["contracts"]
        if it.get("isUS") and exchange in ("", it["exchange"])
    }
