"""The paper venue speaking the TWS API, as IB Gateway does on its socket.

Source: protocols of ib_async 2.1.0 and ib_insync 0.9.86 (server versions 157 to 178).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from brokers.clock import Clock
from brokers.wire.transport import VenueBar
from live.paper import tws_words
from live.paper.channel import Listener
from live.paper.ticker import Part
from live.paper.tws_data import Data
from live.paper.tws_faults import LINK_NEW, TEXTS, TwsFaults
from live.paper.tws_orders import Orders
from live.paper.tws_wire import Field, NotTws, frame, read_frame, read_greeting
from live.paper.tws_words import Listing
from live.paper.venue import Told, Venue

OLDEST, NEWEST = 157, 178
FIRST_CON_ID = 265_598
IN_USE, UNKNOWN_MESSAGE = 326, 505
FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefil"),
)
Answer = Callable[["Session", list[str]], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Terms:
    """How the gateway treats its clients.

    Args:
        newest: server version.
        twins: second listings of symbols, by symbol: their primary exchange.
    """

    account: str = "DU123456"
    newest: int = NEWEST
    first_order_id: int = 1
    twins: tuple[tuple[str, str], ...] = ()


class TwsApi:
    """A gateway; `serve` is what `asyncio.start_server` calls for each connection."""

    def __init__(self, venue: Venue, clock: Clock, terms: Terms | None = None) -> None:
        self.venue = venue
        self.clock = clock
        self.terms = terms or Terms()
        self.sessions: dict[int, Session] = {}
        self._clients = set[int]()  # ids that were ever here
        self._is_new_to = set[int]()  # since the restart
        self.requests = self.in_flight = self.parked = 0
        listings = {
            symbol: Listing(symbol, FIRST_CON_ID + number)
            for number, symbol in enumerate(venue.market.symbols)
        }
        places = enumerate(self.terms.twins, FIRST_CON_ID + len(listings))
        twins = [Listing(symbol, con_id, place) for con_id, (symbol, place) in places]
        venue.front = self.faults = TwsFaults(self, venue.trouble, clock)
        self.orders = Orders(venue, listings, self.terms.account, self.faults.later)
        self.data = Data(venue, listings, twins)
        self.listings = listings
        self.answers = _answers(self)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        session = Session(self, reader, writer)
        try:
            if self.faults.is_logged_out:
                await reader.read()  # its window asks for a login; its port says nothing
            elif not self.faults.is_away:
                await session.run()
        except (NotTws, asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass  # it has gone, or never spoke this protocol
        except asyncio.CancelledError:
            pass  # the gateway ends; a task that says so is logged as an error by asyncio
        finally:
            self.leave(session)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def enter(self, session: "Session") -> bool:
        """Let a client in; False when its id is taken, perhaps by its own dead connection."""
        updates = self.venue.updates
        if updates.is_held and session.client_id == min(self._clients):
            updates.refuse()
            return False
        if session.client_id in self.sessions:
            return False
        self.sessions[session.client_id] = session
        self._clients.add(session.client_id)
        self.venue.updates.attach(_Updates(self))
        self.venue.data.attach(_Bars(self))
        return True

    def leave(self, session: "Session") -> None:
        """Forget a client, if it is one."""
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
            self.data.forget(session.client_id)

    @property
    def traders(self) -> list["Session"]:
        """Clients who have not asked for live bars, of the lowest id first."""
        listening = self.data.clients
        return [it for number, it in sorted(self.sessions.items()) if number not in listening]

    @property
    def told(self) -> int:
        """Messages to the account's client, the first of the traders; -1: nobody is there."""
        return self.traders[0].sent if self.traders else -1

    def welcome(self, session: "Session") -> None:
        """Say how things are."""
        for code, text in FARMS:
            session.error(-1, code, text)
        if session.client_id in self._is_new_to:
            self._is_new_to.discard(session.client_id)
            session.error(-1, LINK_NEW, TEXTS[LINK_NEW])

    def next_order_id(self) -> int:
        """What nextValidId says; after a restart of the gateway it may be one used before."""
        return max(self.terms.first_order_id, self.orders.last_order_id + 1)

    def begin_anew(self) -> None:
        """Give order ids from the beginning, as after a restart."""
        self.orders.begin_anew()
        self._is_new_to = set(self._clients)

    def forget_bars(self) -> None:
        """Drop what clients asked for of live bars."""
        self.data.forget_all()

    def withhold_bars(self, *, until_told: bool) -> None:
        """Give no live bars while another session has the market data."""
        self.data.withhold(dict(self.sessions), until_told=until_told)

    def pass_on(self, message: Told) -> bool:
        """Tell whose order it is; False when its client is not there."""
        return self.orders.deliver(message, dict(self.sessions))

    def break_off(self, which: Sequence["Session"] | None = None) -> None:
        """Break connections, by default every one, without a word."""
        for session in tuple(self.sessions.values()) if which is None else which:
            session.break_off()

    def announce(self, code: int, text: str) -> None:
        """Tell every client what belongs to no request, such as 1100."""
        for session in self.sessions.values():
            session.error(-1, code, text)


class Session:
    """One connected client."""

    def __init__(
        self, api: TwsApi, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._api = api
        self._reader = reader
        self._writer = writer
        self.client_id = -1
        self.version = 0
        self.sent = 0  # messages
        self._is_deaf = self._is_silent = False

    async def run(self) -> None:
        """Shake hands, then answer message by message."""
        oldest, newest = await read_greeting(self._reader)
        self.version = min(self._api.terms.newest, newest)
        if self.version < max(oldest, OLDEST):
            self.error(-1, 503, "The TWS is out of date and must be upgraded.")
            return
        self.send(self.version, tws_words.connection_time(self._api.venue.at))
        while await self._take(await read_frame(self._reader)):
            self._api.requests += 1

    def send(self, *fields: Field) -> None:
        """Send one message."""
        is_mute = self._api.venue.updates.is_mute and self in self._api.traders
        if not (self._is_silent or is_mute or self._writer.is_closing()):
            self.sent += 1
            self._writer.write(frame(*fields))

    def error(self, request_id: int | str, code: int, text: str) -> None:
        """Send an error, or what the API calls one."""
        self.send(4, 2, request_id, code, text, *([""] if self.version >= 166 else []))

    def break_off(self) -> None:
        """Break the connection; what was sent still arrives."""
        self._api.leave(self)
        self._writer.close()

    async def _take(self, fields: list[str]) -> bool:
        """Let one message in, or not; False ends the connection."""
        if self._is_deaf:
            return True
        fate, passage = self._api.faults.call(self, fields)
        if fate == "serve":
            goes_on = await self._heed(fields)
            self._api.faults.answered(passage)
            return goes_on
        self._is_deaf = fate == "hear no more"
        self._is_silent = fate in ("hear no more", "say no more")
        if fate in ("say no more", "serve and break"):
            await self._heed(fields)
        return fate not in ("break", "serve and break")

    async def _heed(self, fields: list[str]) -> bool:
        """Answer one message; False ends the connection."""
        kind = int(fields[0]) if fields else -1
        if kind == 71:
            return self._start(int(fields[2]))
        answer = self._api.answers.get(kind)
        if self.client_id < 0 or answer is None:
            self.error(-1, UNKNOWN_MESSAGE, f"Fatal Error: Unknown message id {kind}.")
            return self.client_id >= 0
        done = answer(self, fields)
        if done is not None:
            await done
        return True

    def _start(self, client_id: int) -> bool:
        self.client_id = client_id
        if not self._api.enter(self):
            self.error(-1, IN_USE, "Unable to connect as the client id is already in use.")
            return False
        self.send(15, 1, f"{self._api.terms.account},")
        self.send(9, 1, self._api.next_order_id())
        self._api.welcome(self)
        return True


class Account:
    """The TWS API's messages about money and positions."""

    def __init__(self, api: TwsApi) -> None:
        self._api = api

    def positions(self, client: Session, _fields: list[str]) -> None:
        """Message 61, reqPositions."""
        for held in self._api.venue.matching.positions():
            words = self._api.listings[held.symbol].fields()
            account = self._api.terms.account
            client.send(61, 3, account, *words, held.quantity, held.average_price)
        client.send(62, 1)

    def updates(self, client: Session, fields: list[str]) -> None:
        """Message 6, reqAccountUpdates; changes are not sent, as the gateway does every 3 min."""
        account, venue = self._api.terms.account, self._api.venue
        if fields[2] != "1":
            return
        for tag, value, currency in self._values():
            client.send(6, 2, tag, value, currency, account)
        for held in venue.matching.positions():
            words = self._api.listings[held.symbol].fields("NASDAQ")
            price = venue.market.price(held.symbol) or held.average_price
            worth, gain = held.quantity * price, held.quantity * (price - held.average_price)
            numbers = (held.quantity, price, worth, held.average_price, gain, 0)
            client.send(7, 8, *words, *numbers, account)
        client.send(8, 1, f"{venue.at.astimezone(tws_words.ZONE):%H:%M}")
        client.send(54, 1, account)

    def multi(self, client: Session, fields: list[str]) -> None:
        """Message 76, reqAccountUpdatesMulti."""
        for tag, value, currency in self._values():
            client.send(73, 1, fields[2], self._api.terms.account, "", tag, value, currency)
        client.send(74, 1, fields[2])

    def summary(self, client: Session, fields: list[str]) -> None:
        """Message 62, reqAccountSummary."""
        wanted = fields[4].split(",")
        for tag, value, currency in self._values():
            if tag in wanted:
                client.send(63, 1, fields[2], self._api.terms.account, tag, value, currency)
        client.send(64, 1, fields[2])

    def _values(self) -> Sequence[tuple[str, Decimal | str, str]]:
        account = self._api.venue.matching.account()
        invested = account.equity - account.cash
        return (
            ("AccountType", "INDIVIDUAL", ""),
            ("NetLiquidation", account.equity, "USD"),
            ("TotalCashValue", account.cash, "USD"),
            ("BuyingPower", account.buying_power, "USD"),
            ("AvailableFunds", account.cash, "USD"),
            ("GrossPositionValue", abs(invested), "USD"),
        )


@dataclass(frozen=True, slots=True)
class _Updates(Listener[Told]):
    """All clients together, as the venue's orders see them."""

    api: TwsApi

    @property
    def is_listening(self) -> bool:
        return bool(self.api.traders)

    async def deliver(self, message: Told) -> bool:
        return self.api.faults.deliver(message)

    async def break_off(self) -> None:
        self.api.break_off(self.api.traders)


@dataclass(frozen=True, slots=True)
class _Bars(Listener[Sequence[Part]]):
    """All clients together, as the venue's bars see them."""

    api: TwsApi

    @property
    def is_listening(self) -> bool:
        return self.api.data.is_wanted

    async def deliver(self, message: Sequence[Part]) -> bool:
        bars = [it for it in map(_bar, message) if it is not None]
        return self.api.data.deliver(bars, dict(self.api.sessions))

    async def break_off(self) -> None:
        traders = self.api.traders
        self.api.break_off([it for it in self.api.sessions.values() if it not in traders])


def _bar(part: Part) -> VenueBar | None:
    """The finished bar that a part is; of all others nothing is sent here."""
    if part["T"] != "b":
        return None
    return VenueBar(part["S"], part["t"], part["o"], part["h"], part["l"], part["c"], part["v"])


def _answers(api: TwsApi) -> dict[int, Answer]:
    orders, data, account = api.orders, api.data, Account(api)

    def ids(client: Session, _fields: list[str]) -> None:
        client.send(9, 1, api.next_order_id())

    def time(client: Session, _fields: list[str]) -> None:
        client.send(49, 1, int(api.venue.at.timestamp()))

    def nothing(_client: Session, _fields: list[str]) -> None:
        """What needs no answer."""

    return {
        1: data.price,
        2: nothing,
        3: orders.place,
        4: orders.cancel,
        5: orders.tell_open,
        6: account.updates,
        7: orders.tell_executions,
        8: ids,
        9: data.details,
        15: nothing,
        16: orders.tell_all_open,
        20: data.history,
        25: nothing,
        49: time,
        50: data.listen,
        51: data.leave,
        58: orders.cancel_all,
        59: nothing,
        61: account.positions,
        62: account.summary,
        63: nothing,
        64: nothing,
        76: account.multi,
        77: nothing,
        99: orders.tell_completed,
    }
