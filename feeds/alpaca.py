"""Bars from Alpaca: history as a source, history and live bars for a session."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pandas as pd
from pydantic import SecretStr

from brokers.clock import Clock, SystemClock
from brokers.errors import ConfigError, DataError, Transient
from brokers.wire.alpaca_access import KEY_ID, LOOPBACK, SECRET_KEY, AlpacaKeys
from brokers.wire.backoff import Backoff
from brokers.wire.http import Http
from brokers.wire.transport import Reconnected, VenueBar
from feeds import vendor
from feeds.alpaca_actions import StockSplit, splits
from feeds.alpaca_client import BACKOFF, CALENDAR, MINUTE, AlpacaData, AlpacaHistory
from feeds.alpaca_stream import AlpacaBarStream
from feeds.bars import COLUMNS
from feeds.cache import Key
from feeds.daily_bars import ZONE, DailyBars
from feeds.gathered_bars import GatheredBars
from feeds.passport import stamp
from feeds.ranges import Bound, at_zone, in_words
from feeds.timeframe import Timeframe

T = TypeVar("T")
Ask = Callable[[str, datetime, datetime, Timeframe], Sequence[VenueBar]]

DATA_URL = "https://data.alpaca.markets"
STREAM_URL = "https://stream.data.alpaca.markets"  # of the handshake; a websocket afterwards
_FIRST = pd.Timestamp("2016-01-01", tz=ZONE)  # its oldest bar
_HOUSE_WORDS = {"raw": "none", "all": "total"}
_LIVE = ("1m", "5m", "15m", "30m", "1h", "1d")


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
    timeframe: Timeframe,
    *,
    feed: str = "iex",
    adjustment: str = "split",
    regular_hours: bool = True,
    base: str = DATA_URL,
    keys: AlpacaKeys | None = None,
    cache: Path | str | None = None,
    clock: Clock | None = None,
    backoff: Backoff = BACKOFF,
    rng: random.Random | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch checked bars by symbol, from `start` up to but not including `end`.

    Args:
        feed, adjustment, regular_hours: see `feeds.alpaca_client.AlpacaData`.
        base: the data host.
        keys: without them, APCA_API_KEY_ID and APCA_API_SECRET_KEY are read, now.
        cache: folder of bars already fetched; None asks for all of them.

    Raises:
        ConfigError: no symbol, no keys or refused ones, an unknown feed or adjustment.
        DataError: unknown symbol, no bars, not in the plan, no network, or the back-off gave up.
    """
    vendor.require(symbols, "alpaca")
    clock, rng = clock or SystemClock(), rng or random.Random()  # noqa: S311  jitter
    data = AlpacaData(feed=feed, adjustment=adjustment, regular_hours=regular_hours)
    keys = keys or keys_from_environment()
    host = _Host(data_url(base), keys, data, clock, rng, backoff)
    series = _Series(timeframe, data, clock)

    def fetch_all() -> dict[str, pd.DataFrame]:
        with host.reached() as ask:
            return {symbol: series.bars(symbol, (start, end), ask, cache) for symbol in symbols}

    return _beside_any_loop(fetch_all)


class AlpacaBars:
    """A session's bars, past and live; see `brokers.wire.transport.BarSource`.

    Args:
        rest: the data host, with `keys.headers()` on every request.
        stream: the data stream's host.
        keys: once more for the stream, whose first message carries them.
        rng: seeded; draws the waits between tries.
        data: what is wanted; its timeframe is that of `bars`.
        on_outage: told, on the loop, why live bars do not come.

    Raises:
        ConfigError: live bars are not longer than days.
    """

    def __init__(
        self,
        rest: Http,
        stream: Http,
        keys: AlpacaKeys,
        data: AlpacaData,
        *,
        clock: Clock,
        rng: random.Random,
        on_outage: Callable[[str], None],
    ) -> None:
        if data.timeframe.text not in _LIVE:
            raise ConfigError(
                f"alpaca: live bars are {', '.join(_LIVE)}, not {data.timeframe}: choose 1d, and "
                "resample the days with cerebro.resampledata"
            )
        self._data = data
        self._clock = clock
        self._rest = rest
        self._stream = stream
        self._past = AlpacaHistory(rest, keys, data, clock=clock, rng=rng)
        self._live: AlpacaBarStream | GatheredBars | DailyBars
        if not data.timeframe.is_intraday:
            self._live = DailyBars(self._past.bars, data, clock=clock, on_outage=on_outage)
            return
        listen = partial(AlpacaBarStream, stream, keys, data, self._past.bars, clock=clock, rng=rng)
        if data.timeframe == MINUTE:
            self._live = listen(on_outage=on_outage)
        else:
            self._live = GatheredBars(listen, data, clock=clock, on_outage=on_outage)

    async def history(
        self, symbols: Sequence[str], start: datetime, end: datetime, timeframe: str
    ) -> dict[str, tuple[VenueBar, ...]]:
        """Finished bars that start in [start, end), oldest first; every symbol has an entry.

        Raises:
            ConfigError: the keys were refused.
            DataError: not in the plan, or an answer that is wrong.
            Transient: the back-off gave up.
        """
        return await self._past.bars(symbols, start, end, Timeframe(timeframe))

    async def frames(
        self, symbols: Sequence[str], start: datetime, end: datetime
    ) -> dict[str, pd.DataFrame]:
        """The history of live bars as stamped frames, for a warm-up.

        Raises:
            DataError: as `history`, or a symbol has no bar.
        """
        timeframe = self._data.timeframe
        found = await self._past.bars(symbols, start, end, timeframe)
        series = _Series(timeframe, self._data, self._clock)
        for symbol, bars in found.items():
            if not bars:
                raise series.no_bars(symbol, start, end)
        return {symbol: series.stamped(symbol, bars) for symbol, bars in found.items()}

    async def splits(
        self, symbols: Sequence[str], first: date, last: date
    ) -> tuple[StockSplit, ...]:
        """Splits with an ex-date from `first` to `last`; see `feeds.alpaca_actions.splits`."""
        return await splits(self._past, symbols, first, last)

    def bars(self, symbols: Sequence[str]) -> AsyncIterator[VenueBar | Reconnected]:
        """Bars as they finish, corrections marked: of the stream, gathered, or fetched by day."""
        return self._live.bars(symbols)

    async def close(self) -> None:
        """End the connections."""
        await self._rest.close()
        await self._stream.close()


def keys_from_environment() -> AlpacaKeys:
    """The keys in APCA_API_KEY_ID and APCA_API_SECRET_KEY, read now.

    Raises:
        ConfigError: one is missing, or cannot be a key.
    """
    found = [os.environ.get(name, "").strip() for name in (KEY_ID, SECRET_KEY)]
    for name, key in zip((KEY_ID, SECRET_KEY), found, strict=True):
        if not key:
            raise ConfigError(f"alpaca: no API key: set {KEY_ID} and {SECRET_KEY}")
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise ConfigError(f"alpaca: {name} has a blank or an odd character: copy it again")
    return AlpacaKeys(*map(SecretStr, found))


def data_url(base: str) -> str:
    """The address of a data host.

    Raises:
        ConfigError: it is none, or would send the keys unencrypted to another machine.
    """
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ConfigError(f"alpaca: base {base!r} is no address such as {DATA_URL}")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"alpaca: {base} would send the keys unencrypted: use https")
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class _Host:
    """Alpaca's data host, for code that does not await."""

    url: str
    keys: AlpacaKeys
    data: AlpacaData
    clock: Clock
    rng: random.Random
    backoff: Backoff

    @contextmanager
    def reached(self) -> Iterator[Ask]:
        """One connection and one limiter for several questions."""
        with asyncio.Runner() as loop:
            http = loop.run(_connected(self.url, self.keys, self.clock))
            client = AlpacaHistory(
                http, self.keys, self.data, clock=self.clock, rng=self.rng, backoff=self.backoff
            )

            def ask(
                symbol: str, since: datetime, before: datetime, timeframe: Timeframe
            ) -> Sequence[VenueBar]:
                try:
                    return loop.run(client.bars([symbol], since, before, timeframe))[symbol]
                except Transient as error:
                    raise DataError(
                        f"{error}: check the network and run it again; with a cache folder "
                        "(cache=), what was already fetched is not asked for twice"
                    ) from None

            try:
                yield ask
            finally:
                loop.run(http.close())


@dataclass(frozen=True)
class _Series:
    """What the frames of one call have in common."""

    timeframe: Timeframe
    data: AlpacaData
    clock: Clock

    def bars(
        self, symbol: str, bounds: tuple[Bound, Bound], ask: Ask, cache: Path | str | None
    ) -> pd.DataFrame:
        def fetch(first: Bound, after: Bound) -> pd.DataFrame:
            since = at_zone(first, ZONE) or _FIRST
            before = at_zone(after, ZONE) or pd.Timestamp(self.clock.now())
            found = ask(symbol, since.to_pydatetime(), before.to_pydatetime(), self.timeframe)
            if not found:
                raise self.no_bars(symbol, first, after)
            return self.stamped(symbol, found)

        return vendor.kept(cache, self._key(symbol), bounds, self.clock, fetch)

    def stamped(self, symbol: str, bars: Sequence[VenueBar]) -> pd.DataFrame:
        key = self._key(symbol)
        index = pd.DatetimeIndex([bar.start_at for bar in bars], name="time")
        columns = {name: [getattr(bar, name) for bar in bars] for name in COLUMNS}
        return stamp(
            pd.DataFrame(columns, index=index),
            symbol=symbol,
            source=key.source,
            timeframe=self.timeframe,
            feed=key.feed,
            adjustment=key.adjustment,
            calendar=CALENDAR,
            zone=ZONE,
            fetched_at=self.clock.now(),
        )

    def no_bars(self, symbol: str, start: Bound, after: Bound) -> DataError:
        return DataError(
            f"alpaca: no {self.timeframe} bars of {symbol} {in_words(start, after)}: check the "
            "ticker (BRK.B, not BRK-B) and the range; bars begin in 2016"
        )

    def _key(self, symbol: str) -> Key:
        all_hours = self.timeframe.is_intraday and not self.data.regular_hours
        feed = f"{self.data.feed}-all-hours" if all_hours else self.data.feed
        adjustment = _HOUSE_WORDS.get(self.data.adjustment, self.data.adjustment)
        return Key("alpaca", symbol, self.timeframe.text, adjustment, feed)


async def _connected(url: str, keys: AlpacaKeys, clock: Clock) -> Http:
    try:
        from brokers.wire.http_aiohttp import Aiohttp  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigError("alpaca: aiohttp is missing: pip install 'seawall[live]'") from error
    return Aiohttp(url, headers=keys.headers(), clock=clock)


def _beside_any_loop(work: Callable[[], T]) -> T:
    """Do what needs a loop of its own: here, or in a thread where one runs (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1, "alpaca-history") as thread:
        return thread.submit(work).result()
