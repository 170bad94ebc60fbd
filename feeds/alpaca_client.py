"""Alpaca's historical bars over REST: pages, limits, refusals.

Source: docs.alpaca.markets, "Historical bars" (GET /v2/stocks/bars).
"""

import functools
import itertools
import math
import random
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson
import pandas as pd

from brokers.clock import Clock
from brokers.errors import ConfigError, DataError, SeawallError, Transient
from brokers.wire.alpaca_access import KEY_ID, SECRET_KEY, AlpacaKeys
from brokers.wire.backoff import Backoff
from brokers.wire.http import Http, NoAnswer, Response
from brokers.wire.limiter import Limiter
from brokers.wire.transport import VenueBar
from feeds import calendars
from feeds.gathering import joined
from feeds.timeframe import Timeframe

CALENDAR = "XNYS"
MINUTE = Timeframe("1m")
FEEDS = ("iex", "sip", "delayed_sip", "boats", "overnight", "otc", "test")
ADJUSTMENTS = {"none": "raw", "raw": "raw", "split": "split", "total": "all", "all": "all"}
TO_IEX = "ask for feed iex (--feed iex)"
_SPANS = {
    "1m": "1Min",
    "5m": "5Min",
    "15m": "15Min",
    "30m": "30Min",
    "1h": "1Hour",
    "1d": "1Day",
    "1w": "1Week",
    "1mo": "1Month",
}
_PAGE = 10_000  # bars, of all symbols together
_SYMBOLS = 100  # in one request: its URL stays short
_HOUR = timedelta(hours=1)
_RECENT = timedelta(minutes=16)  # the free plan's 15, and a little for clocks that differ
BACKOFF = Backoff(deadline_s=60.0)
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


class Past(Protocol):
    """Fetches the finished bars of a range; see `AlpacaHistory.bars`."""

    def __call__(
        self,
        symbols: Sequence[str],
        start: datetime,
        end: datetime,
        timeframe: Timeframe,
        *,
        seen_at: datetime | None = None,
    ) -> Awaitable[Mapping[str, Sequence[VenueBar]]]:
        """Fetch them."""


@dataclass(frozen=True)
class AlpacaData:
    """What is wanted of Alpaca's market data.

    Args:
        timeframe: of live bars, from 1m to 1d.
        feed: iex is in every plan; sip's last 15 minutes are in the paid ones only.
        adjustment: of history: none, split or total (splits and dividends); Alpaca's raw and all
            also do. Live bars are as traded, which is adjusted for splits as of today.
        regular_hours: intraday, only what begins in a session; hours then count from the open.
        sentinel: a liquid symbol that is listened to besides, so that silence means something.
        since: live bars from here on are fetched at the start; None: none are.
        mute_s: seconds without any frame, while the market is open, that make the stream mute.
        quiet_s: seconds of silence after which the stream is pinged; after twice that it is dead.
        settle_s: seconds between a session's close and the first look for its daily bar.
        gather_s: of bars longer than a minute: seconds that one waits for its last minute when
            another symbol has had it.
        calls_per_minute: the free plan allows 200.
        timeout_s: of one request.

    Raises:
        ConfigError: no such feed or adjustment, or a number out of range.
    """

    timeframe: Timeframe = MINUTE
    feed: str = "iex"
    adjustment: str = "split"
    regular_hours: bool = True
    sentinel: str | None = "SPY"
    since: datetime | None = None
    mute_s: float = 180.0
    quiet_s: float = 10.0
    settle_s: float = 60.0
    gather_s: float = 2.5
    calls_per_minute: int = 180
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if self.feed not in FEEDS:
            raise ConfigError(f"alpaca: unknown feed {self.feed!r}: use one of {', '.join(FEEDS)}")
        if self.adjustment not in ADJUSTMENTS:
            raise ConfigError(f"alpaca: adjustment {self.adjustment!r}: use none, split or total")
        for name in ("mute_s", "quiet_s", "settle_s", "gather_s", "timeout_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"alpaca: {name} must be above 0, not {getattr(self, name)}")


class AlpacaHistory:
    """Finished bars of the past, at the pace of a plan.

    Args:
        http: the data host, with `keys.headers()` on every request.
        keys: only so that no error shows them.
        clock: for waiting, and to tell which bars are finished.
        rng: draws the jitter of the back-off.
    """

    def __init__(
        self,
        http: Http,
        keys: AlpacaKeys,
        data: AlpacaData,
        *,
        clock: Clock,
        rng: random.Random,
        backoff: Backoff = BACKOFF,
    ) -> None:
        self._http = http
        self._keys = keys
        self._data = data
        self._clock = clock
        self._rng = rng
        self._limiter = Limiter(data.calls_per_minute, 60.0, clock)
        self._backoff = backoff

    async def bars(
        self,
        symbols: Sequence[str],
        start: datetime,
        end: datetime,
        timeframe: Timeframe,
        *,
        seen_at: datetime | None = None,
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Fetch the finished bars that start in [start, end), oldest first, perhaps none.

        Args:
            seen_at: an instant that the venue has surely passed, whatever our clock says.

        Raises:
            ConfigError: the keys were refused.
            DataError: not in the plan, or an answer that is wrong.
            Transient: the back-off gave up.
        """
        is_sifted = self._data.regular_hours and timeframe.is_intraday
        is_hourly = is_sifted and timeframe.text == "1h"
        until = self._after_half_an_hour(end) if is_hourly else end
        found: dict[str, list[VenueBar]] = {symbol: [] for symbol in symbols}
        for first in range(0, len(symbols), _SYMBOLS):
            some = symbols[first : first + _SYMBOLS]
            span = _SPANS["30m" if is_hourly else timeframe.text]
            for symbol, rows in await self._pages(some, start, until, span):
                found[symbol] += [read_bar(symbol, row) for row in rows]
        for symbol, bars in found.items():
            kept = _sifted(bars, is_hourly) if is_sifted else bars
            now = max(self._clock.now(), seen_at or start)
            kept = self._finished(kept, timeframe, min(until, now) if is_hourly else now)
            found[symbol] = [bar for bar in kept if start <= bar.start_at < end]
        return {symbol: tuple(bars) for symbol, bars in found.items()}

    def _after_half_an_hour(self, end: datetime) -> datetime:
        """Where the last hour before `end` is complete, as far as every plan may ask."""
        allowed = self._clock.now() - _RECENT
        return max(end, min(end + _HOUR / 2, allowed))

    async def _pages(
        self, symbols: Sequence[str], start: datetime, end: datetime, span: str
    ) -> list[tuple[str, list[Any]]]:
        query = {
            "feed": self._data.feed,
            "adjustment": ADJUSTMENTS[self._data.adjustment],
            "sort": "asc",
            "symbols": ",".join(symbols),
            "timeframe": span,
            "start": _instant(start),
            "end": _instant(end - timedelta(microseconds=1)),  # Alpaca's end is inclusive
            "limit": str(_PAGE),
        }
        pages = await self.pages("/v2/stocks/bars", query)
        return [row for page in pages for row in _rows(page, symbols)]

    async def pages(self, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Ask for something of several pages.

        Raises:
            ConfigError, DataError, Transient: as `bars`.
        """
        pages: list[Mapping[str, Any]] = []
        tokens: dict[str, str] = {}
        while True:
            ask = functools.partial(self._ask, path, {**query, **tokens})
            page = await self._backoff.acall(ask, clock=self._clock, rng=self._rng)
            pages.append(page)
            token = page.get("next_page_token")
            if not token:
                return pages
            if any(token == earlier.get("next_page_token") for earlier in pages[:-1]):
                raise DataError("alpaca: its pages lead in a circle: try again later")
            tokens = {"page_token": token}

    async def _ask(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        await self._clock.wait(self._limiter.reserve())
        try:
            answer = await self._http.request(
                "GET", path, params=query, timeout_s=self._data.timeout_s
            )
        except (NoAnswer, Transient) as error:
            raise Transient(f"alpaca: {error}") from None
        if answer.status != 200:
            raise self._error(answer)
        try:
            page: Mapping[str, Any] = orjson.loads(answer.body)
            page.get("next_page_token")
        except UNREADABLE as error:
            raise Transient(f"alpaca: an answer that cannot be read ({error})") from None
        return page

    def _error(self, answer: Response) -> SeawallError:
        said = f"alpaca: {answer.status} {self._without_keys(_message(answer.body))}".rstrip()
        if answer.status == 429:
            wait_s = _wait_s(answer.headers, self._clock.now())
            self._limiter.penalise(wait_s or 0.0)
            return Transient(said, wait_s)
        if answer.status >= 500:
            return Transient(said)
        if answer.status == 403 and "subscription" in said:
            return DataError(
                f"{said}: the plan does not include these bars of feed {self._data.feed} (the free "
                f"one has no SIP bars of the last 15 minutes): {TO_IEX}, or end the range earlier"
            )
        if answer.status in (401, 403):
            return ConfigError(f"{said}: the keys were refused: check {KEY_ID} and {SECRET_KEY}")
        return DataError(f"{said}: check the symbols and the range")

    def _without_keys(self, text: str) -> str:
        for key in self._keys.headers().values():
            text = text.replace(key, "***")
        return " ".join(text.split())[:300]

    def _finished(
        self, bars: list[VenueBar], timeframe: Timeframe, complete_at: datetime
    ) -> list[VenueBar]:
        """Leave out a last bar that still moves, or whose second half was not asked for."""
        calendar = CALENDAR if self._data.regular_hours or not timeframe.is_intraday else None
        last = pd.DatetimeIndex([bar.start_at for bar in bars[-1:]], tz="UTC")
        if not timeframe.is_intraday:
            complete_at -= timedelta(seconds=self._data.settle_s)
        is_moving = calendars.bar_close(calendar, last, timeframe) > pd.Timestamp(complete_at)
        return bars[:-1] if is_moving.any() else bars


def read_bar(symbol: str, row: Mapping[str, Any], *, is_correction: bool = False) -> VenueBar:
    """One of Alpaca's bars, from REST or the stream.

    Raises:
        DataError: it cannot be read, or its numbers contradict each other.
    """
    try:
        start_at = _bar_time(row["t"])
        opened, high, low = float(row["o"]), float(row["h"]), float(row["l"])
        close, volume = float(row["c"]), float(row["v"])
    except UNREADABLE as error:
        raise DataError(f"alpaca: a bar of {symbol} cannot be read ({error!r})") from None
    is_between = 0 < low <= opened <= high < math.inf and low <= close <= high
    if not (is_between and 0 <= volume < math.inf):
        raise DataError(
            f"alpaca: the bar of {symbol} at {start_at} contradicts itself: open {opened}, high "
            f"{high}, low {low}, close {close}, volume {volume}: fetch it again later"
        )
    return VenueBar(symbol, start_at, opened, high, low, close, volume, is_correction)


@functools.lru_cache(maxsize=8)
def _bar_time(text: str) -> datetime:
    """A time of Alpaca's, aware UTC; the bars of one minute share theirs."""
    return datetime.fromisoformat(text).astimezone(UTC)


def in_session(bars: Sequence[VenueBar]) -> list[tuple[VenueBar, datetime]]:
    """The bars that begin in a regular session, early closes too, each with its session's open."""
    if not bars:
        return []
    opens = calendars.current_open(CALENDAR, pd.DatetimeIndex([bar.start_at for bar in bars]))
    return [
        (bar, opened.to_pydatetime())
        for bar, opened in zip(bars, opens, strict=True)
        if not pd.isna(opened)
    ]


def _sifted(bars: Sequence[VenueBar], is_hourly: bool) -> list[VenueBar]:
    kept = in_session(bars)
    if not is_hourly:
        return [bar for bar, _ in kept]
    hours = itertools.groupby(
        kept, lambda pair: pair[1] + (pair[0].start_at - pair[1]) // _HOUR * _HOUR
    )
    return [joined(start_at, [bar for bar, _ in group]) for start_at, group in hours]


def _rows(page: Mapping[str, Any], symbols: Sequence[str]) -> list[tuple[str, list[Any]]]:
    try:
        return [
            (symbol, list(rows))
            for symbol, rows in (page["bars"] or {}).items()
            if symbol in symbols
        ]
    except UNREADABLE as error:
        raise DataError(f"alpaca: its bars have another form ({error!r})") from None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _message(body: bytes) -> str:
    """Alpaca's own words, or the body as it is."""
    try:
        return str(orjson.loads(body)["message"])
    except UNREADABLE:
        return body.decode(errors="replace")


def _wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the limit is lifted; Alpaca names the instant, proxies the seconds."""
    for name, origin in (("x-ratelimit-reset", now.timestamp()), ("retry-after", 0.0)):
        try:
            wait_s = float(headers[name]) - origin
        except (KeyError, ValueError):
            continue
        if 0 <= wait_s < math.inf:
            return wait_s
    return None
