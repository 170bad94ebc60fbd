"""What a Client Portal is asked of an account: orders, trades, money, positions."""

from collections.abc import Sequence
from datetime import datetime

from brokers.clock import Clock
from brokers.errors import Transient
from brokers.wire import portal_words as words
from brokers.wire.portal_contracts import PortalContracts
from brokers.wire.portal_session import PortalSession
from brokers.wire.portal_updates import PortalUpdates
from brokers.wire.steps import another_request
from brokers.wire.transport import VenueAccount, VenuePosition

LOOKS = 5  # at orders, which are prepared when they are first asked for
MOST_DAYS = 7  # of trades


class PortalReads:
    """Asks, and has `updates` take in what is told of orders and trades."""

    def __init__(
        self,
        session: PortalSession,
        contracts: PortalContracts,
        updates: PortalUpdates,
        clock: Clock,
    ) -> None:
        self._session = session
        self._contracts = contracts
        self._updates = updates
        self._clock = clock
        self._has_trades = False

    async def orders(self) -> None:
        """Take in all orders of the day.

        Raises:
            Transient: they are still being prepared, or cannot be read.
        """
        for _ in range(LOOKS):
            told = await self._session.ask("GET", "iserver/account/orders")
            try:
                rows, is_ready = told["orders"], told.get("snapshot", True)
            except words.UNREADABLE as error:
                raise self._unreadable("orders", error) from None
            if is_ready or rows:
                self._updates.orders(rows)
                return
            await another_request()
        raise Transient("the Client Portal still prepares the list of orders")

    async def trades(self, since: datetime) -> None:
        """Take in the executions since an instant, of seven days at most."""
        days = min(max((self._clock.now() - since).days + 1, 1), MOST_DAYS)
        path, params = "iserver/account/trades", {"days": str(days)}
        if not self._has_trades:  # the first answer of a login is empty
            await self._session.ask("GET", path, params)
            self._has_trades = True
            await another_request()
        rows = await self._session.ask("GET", path, params)
        if not isinstance(rows, list):
            raise self._unreadable("trades", TypeError(type(rows).__name__))
        self._updates.trades(rows)

    async def account(self) -> VenueAccount:
        """Cash, equity, buying power."""
        told = await self._summary()
        try:
            return VenueAccount(
                account_id=self._session.account,
                cash=words.exactly(told["totalcashvalue"]["amount"]),
                equity=words.exactly(told["netliquidation"]["amount"]),
                buying_power=words.exactly(told["buyingpower"]["amount"]),
                currency=str(told["netliquidation"]["currency"]),
            )
        except words.UNREADABLE as error:
            raise self._unreadable("the account", error) from None

    async def time(self) -> datetime:
        """When the account's summary was made: the only instant that the Portal tells."""
        told = await self._summary()
        try:
            return words.instant(told["netliquidation"]["timestamp"])
        except words.UNREADABLE as error:
            raise self._unreadable("the account", error) from None

    async def positions(self) -> Sequence[VenuePosition]:
        """Every position that is not flat; this call's answers are not kept by IBKR."""
        rows = await self._session.ask("GET", f"portfolio2/{self._session.account}/positions")
        try:
            return [self._position(row) for row in rows if row["position"]]
        except words.UNREADABLE as error:
            raise self._unreadable("a position", error) from None

    async def _summary(self) -> words.Row:
        path = f"portfolio/{self._session.account}/summary"
        told: words.Row = await self._session.ask("GET", path)
        return told

    def _position(self, row: words.Row) -> VenuePosition:
        ticker = row.get("ticker") or row.get("description") or row.get("contractDesc") or ""
        symbol = self._contracts.symbol(row["conid"], str(ticker))
        units, average = words.exactly(row["position"]), words.exactly(row.get("avgPrice") or 0)
        return VenuePosition(symbol, units, average)

    @staticmethod
    def _unreadable(what: str, error: Exception) -> Transient:
        return Transient(f"what the Client Portal says of {what} cannot be read: {error!r}")
