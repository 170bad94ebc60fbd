"""The TWS API's messages about contracts, bars and prices."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from brokers.wire.transport import VenueBar
from live.paper import tws_words
from live.paper.spans import Span, gathered
from live.paper.tws_orders import Client
from live.paper.tws_wire import Field
from live.paper.tws_words import ZONE, Listing
from live.paper.venue import Venue

SLICE_S = 5
_UNITS = {"S": 1, "D": 86_400, "W": 7 * 86_400, "M": 31 * 86_400, "Y": 366 * 86_400}
_SIZES = {
    "1 min": "1Min",
    "5 mins": "5Min",
    "15 mins": "15Min",
    "30 mins": "30Min",
    "1 hour": "1Hour",
    "1 day": "1Day",
    "1W": "1Week",
    "1M": "1Month",
}
_DATED = ("1 day", "1W", "1M")
NO_DATA, BAD_REQUEST, UNKNOWN_SYMBOL, ELSEWHERE = 162, 321, 200, 10197
_ELSEWHERE = "No market data during competing live session"


class Data:
    """Contracts, history, and bars of five seconds for whoever asked.

    Args:
        twins: symbols that are listed a second time, with the other place.
    """

    def __init__(
        self, venue: Venue, listings: dict[str, Listing], twins: Sequence[Listing] = ()
    ) -> None:
        self._venue = venue
        self._listings = listings
        self._twins = tuple(twins)
        self._is_elsewhere = False  # the market data: another session has it
        self._wanted: dict[tuple[int, str], str] = {}  # client id and request id: symbol

    @property
    def is_wanted(self) -> bool:
        """Whether anybody has asked for live bars."""
        return bool(self._wanted)

    def details(self, client: Client, fields: list[str]) -> None:
        """Message 9, reqContractDetails."""
        request_id, con_id, symbol, primary = fields[2], fields[3], fields[4], fields[11]
        found = [
            it
            for it in (*self._listings.values(), *self._twins)
            if (it.symbol == symbol or str(it.con_id) == con_id) and primary in ("", it.primary)
        ]
        if not found:
            self._unknown(client, request_id)
            return
        for listing in found:
            client.send(*tws_words.contract_details(listing, request_id, client.version))
        client.send(52, 1, request_id)

    def history(self, client: Client, fields: list[str]) -> None:
        """Message 20, reqHistoricalData."""
        request_id, symbol, end_text = fields[1], fields[3], fields[15]
        size, duration = fields[16], fields[17]
        is_epoch, stays = fields[20] == "2", fields[21] == "1"
        end = _instant(end_text) or self._venue.at
        wait_s = _seconds(duration)
        if symbol not in self._listings:
            self._unknown(client, request_id)
            return
        if size not in _SIZES or wait_s is None or end is None or stays:
            client.error(request_id, BAD_REQUEST, f"Error validating request: {size}, {duration}")
            return
        bars = self._bars(symbol, end - timedelta(seconds=wait_s), end, Span.parse(_SIZES[size]))
        if not bars:
            text = "Historical Market Data Service error message:HMDS query returned no data"
            client.error(request_id, NO_DATA, text)
            return
        words = [_history_fields(bar, size, is_epoch=is_epoch) for bar in bars]
        head = (17, request_id, _plain(bars[0].start_at), _plain(end), len(bars))
        client.send(*head, *(word for row in words for word in row))

    def listen(self, client: Client, fields: list[str]) -> None:
        """Message 50, reqRealTimeBars."""
        request_id, symbol = fields[2], fields[4]
        if symbol not in self._listings:
            self._unknown(client, request_id)
            return
        if self._is_elsewhere:
            client.error(request_id, ELSEWHERE, _ELSEWHERE)
            return
        self._wanted[client.client_id, request_id] = symbol

    def leave(self, client: Client, fields: list[str]) -> None:
        """Message 51, cancelRealTimeBars."""
        self._wanted.pop((client.client_id, fields[2]), None)

    @property
    def clients(self) -> frozenset[int]:
        """The ids of those who have asked for live bars."""
        return frozenset(client_id for client_id, _ in self._wanted)

    def withhold(self, clients: Mapping[int, Client], *, until_told: bool) -> None:
        """Give no live bars, and say so to whoever has them; or give them again when asked."""
        self._is_elsewhere = until_told
        for client_id, request_id in tuple(self._wanted) if until_told else ():
            if client_id in clients:
                clients[client_id].error(request_id, ELSEWHERE, _ELSEWHERE)
        if until_told:
            self.forget_all()

    def forget_all(self) -> None:
        """Drop what anybody asked for, without telling."""
        self._wanted.clear()

    def forget(self, client_id: int) -> None:
        """Drop what a client asked for; it has gone."""
        self._wanted = {key: it for key, it in self._wanted.items() if key[0] != client_id}

    def price(self, client: Client, fields: list[str]) -> None:
        """Message 1, reqMktData: the last price, once."""
        request_id, symbol = fields[2], fields[4]
        last = self._venue.market.price(symbol)
        if symbol not in self._listings or last is None:
            self._unknown(client, request_id)
            return
        client.send(1, 6, request_id, 4, last, Decimal(100), 0)
        if "1" in fields[17:18]:
            client.send(57, 1, request_id)

    def deliver(self, bars: Sequence[VenueBar], clients: dict[int, Client]) -> bool:
        """Send finished minute bars as bars of five seconds; False when nobody wanted any."""
        sent = False
        for (client_id, request_id), symbol in tuple(self._wanted.items()):
            client = clients.get(client_id)
            for bar in bars:
                if client is not None and bar.symbol == symbol:
                    for row in slices(bar, self._venue.market.timeframe.delta):
                        client.send(50, 3, request_id, *row)
                        sent = True
        return sent

    def _bars(self, symbol: str, start: datetime, end: datetime, span: Span) -> list[VenueBar]:
        market = self._venue.market
        own = Span.of(market.timeframe)
        shown = min(end, self._venue.shown_to)
        found = market.bars(symbol, span.start(start), shown, adjusted=True)
        return [bar for bar in gathered(found, own, span) if bar.start_at >= span.start(start)]

    @staticmethod
    def _unknown(client: Client, request_id: str) -> None:
        text = "No security definition has been found for the request"
        client.error(request_id, UNKNOWN_SYMBOL, text)


def slices(bar: VenueBar, span: timedelta | None) -> list[tuple[Field, ...]]:
    """A bar as the gateway's real-time bars, whose sum it is to the last bit."""
    count = max(int((span or timedelta(minutes=1)).total_seconds()) // SLICE_S, 4)
    part = float(bar.volume // count)
    rest = bar.volume - part * (count - 1)
    first = int(bar.start_at.timestamp())
    rows: list[tuple[Field, ...]] = []
    for number in range(count):
        price = bar.open if number < count // 2 else bar.close
        high = max(price, bar.high) if number == 1 else price
        low = min(price, bar.low) if number == 2 else price
        volume = rest if number == count - 1 else part
        rows.append((first + number * SLICE_S, price, high, low, price, volume, price, 1))
    return rows


def _history_fields(bar: VenueBar, size: str, *, is_epoch: bool) -> tuple[Field, ...]:
    at: Field = _plain(bar.start_at)
    if size in _DATED:
        at = f"{bar.start_at.astimezone(ZONE):%Y%m%d}"
    elif is_epoch:
        at = int(bar.start_at.timestamp())
    return (at, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.close, 1)


def _plain(at: datetime) -> str:
    return tws_words.in_words(at)


def _instant(text: str) -> datetime | None:
    """An end in UTC (20240304-15:30:00), or with a zone's name; None: now, or not readable."""
    try:
        if "-" in text:
            return datetime.fromisoformat(text.replace("-", "T")).replace(tzinfo=UTC)
        if text:
            day, clock, *zone = text.split(" ")
            local = datetime.fromisoformat(f"{day}T{clock}")
            return local.replace(tzinfo=UTC if zone == ["UTC"] else ZONE)
    except ValueError:
        return None
    return None


def _seconds(duration: str) -> int | None:
    number, _, unit = duration.partition(" ")
    if not number.isdigit() or unit not in _UNITS:
        return None
    return int(number) * _UNITS[unit]
