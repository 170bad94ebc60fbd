"""Bars from Yahoo Finance through yfinance: free, unofficial, a fallback.

`Ticker.history` is asked for one symbol at a time, because `yfinance.download` never raises: it
logs, and returns columns of NaN for a rate limit, a dead network and an unknown symbol alike.
"""

import atexit
import functools
import json
import logging
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from brokers.clock import Clock, SystemClock
from brokers.errors import ConfigError, DataError, Transient
from brokers.wire.backoff import Backoff
from feeds import vendor
from feeds.bars import COLUMNS
from feeds.passport import stamp
from feeds.timeframe import Timeframe

_INTERVALS = {"1w": "1wk"}  # the others have Yahoo's own names; yfinance makes 30m out of 15m
_LOOK_BACK = {
    "1m": "the last 30 days, 7 in one request",
    "5m": "the last 60 days",
    "15m": "the last 60 days",
    "30m": "the last 60 days",
    "1h": "the last 730 days",
}
_PRICES = list(COLUMNS[:4])
_BACKOFF = Backoff(first_s=5.0, cap_s=60.0, deadline_s=180.0)
_JUMP = 1.8  # a missed split of 2 for 1, less an ordinary day's move


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: datetime | None,
    end: datetime | None,
    timeframe: Timeframe,
    *,
    session: Any = None,
    adjustment: str = "total",
    calendar: str | None = "auto",
    timeout_s: float = 10.0,
    clock: Clock | None = None,
    backoff: Backoff = _BACKOFF,
    rng: random.Random | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch checked bars by symbol; nothing that Yahoo got wrong is repaired.

    Bars without prices and an unfinished last bar are left out; these, and moves that look like
    a missed split or a 100x error, are named in the passport's `repairs`.

    Args:
        start: inclusive; midnight UTC stands for that date at the exchange.
        end: exclusive, likewise.
        session: a curl_cffi session; None lets yfinance make its own, as it advises.
        adjustment: "total" (splits and dividends) or "split". Yahoo has no unadjusted prices, and
            intraday bars know no dividends: their passports always say split.
        calendar: a name of exchange_calendars; "auto" is XNYS for shares and ETFs in New York's
            time zone and none for others.
        timeout_s: of one request.
        backoff: between the tries after a rate limit, a time-out or a broken answer.
        rng: where its jitter is drawn.

    Raises:
        ConfigError: no symbol, an unknown adjustment or calendar, an unfit session.
        DataError: unknown symbol, no bars in the range, no network, a rate limit that outlasted
            the back-off, or bars that contradict themselves.
    """
    if not symbols:
        raise ConfigError("yahoo: no symbol: name at least one, such as AAPL")
    if adjustment not in ("total", "split"):
        raise ConfigError(
            f"yahoo: adjustment {adjustment!r}: use 'total' or 'split'; Yahoo's prices are always "
            "adjusted for splits, so there are no unadjusted ones"
        )
    clock = clock or SystemClock()
    frames = {}
    for symbol in symbols:
        asked = _Asked(symbol, start, end, timeframe)
        attempt = functools.partial(_ask, asked, session, timeout_s)
        answer = vendor.insist(attempt, "yahoo", backoff, clock, rng)
        frames[symbol] = _checked(asked, answer, adjustment, calendar, clock.now())
    return frames


@dataclass(frozen=True)
class _Asked:
    symbol: str
    start: datetime | None
    after: datetime | None
    timeframe: Timeframe

    def __str__(self) -> str:
        when = vendor.said(self.start, self.after)
        return f"{self.timeframe} bars of {self.symbol} {when}"


@dataclass(frozen=True)
class _Answer:
    """What yfinance returned: index in the exchange's zone, prices adjusted for splits."""

    frame: pd.DataFrame
    exchange: str
    kind: str  # EQUITY, ETF, INDEX, CRYPTOCURRENCY, ...


def _ask(asked: _Asked, session: Any, timeout_s: float) -> _Answer:
    """Ask Yahoo once, with every failure told apart."""
    import yfinance  # noqa: PLC0415  a second that `import feeds` spares
    from yfinance.data import YfData  # noqa: PLC0415

    _use_own_folder(os.getpid())
    # yfinance keeps what it was answered for old ranges, an error page too: a second try would
    # get the first one's answer.
    YfData.cache_get.cache_clear()
    try:
        ticker = yfinance.Ticker(asked.symbol, session=session)
    except (yfinance.exceptions.YFDataException, ValueError) as error:
        raise ConfigError(f"yahoo: {error}") from error
    with _quiet(yfinance), _told_apart(asked):
        frame = _history(ticker, asked, timeout_s)
        if frame.empty:
            raise _no_bars(asked)
        about = ticker.history_metadata
        return _Answer(frame, about.get("exchangeName", ""), about.get("instrumentType", ""))


def _history(ticker: Any, asked: _Asked, timeout_s: float) -> pd.DataFrame:
    from yfinance.exceptions import YFPricesMissingError  # noqa: PLC0415

    text = asked.timeframe.text
    bounds = {"start": vendor.as_bound(asked.start), "end": vendor.as_bound(asked.after)}
    try:
        frame: pd.DataFrame = ticker.history(
            **{side: bound for side, bound in bounds.items() if bound is not None},
            **({} if asked.start else {"period": "max"}),
            interval=_INTERVALS.get(text, text),
            # Its own adjustment can put a high one bit below its close; ours cannot.
            auto_adjust=False,
            # Rows without numbers are counted here; those of 30m are bins that yfinance made up.
            keepna=text != "30m",
            timeout=timeout_s,
        )
    except YFPricesMissingError as error:
        if error.yahoo_reason is None and "symbol" not in ticker.history_metadata:
            text = "its answer is no chart; it may be down, or refuse this client"
            raise Transient(text) from error
        raise
    return frame


@contextmanager
def _told_apart(asked: _Asked) -> Iterator[None]:
    """Turn what yfinance and its HTTP client raise into our errors, by what can be done."""
    from curl_cffi.requests import exceptions as http  # noqa: PLC0415
    from yfinance import exceptions as yahoo  # noqa: PLC0415

    try:
        yield
    except yahoo.YFRateLimitError as error:
        raise Transient("its rate limit is reached (429)") from error
    except yahoo.YFPricesMissingError as error:
        raise _no_bars(asked, error.yahoo_reason) from error
    except yahoo.YFTzMissingError as error:
        raise _unknown(asked.symbol) from error
    except http.HTTPError as error:
        if getattr(error.response, "status_code", None) == 404:
            raise _unknown(asked.symbol) from error
        raise Transient(f"it failed: {error}") from error
    except (http.Timeout, json.JSONDecodeError, yahoo.YFDataException) as error:
        raise Transient(f"no usable answer ({type(error).__name__}: {error})") from error
    except OSError as error:
        raise DataError(
            f"yahoo: no connection: {error}: check the network, or read bars from files"
        ) from error
    except (LookupError, TypeError, ValueError) as error:
        raise DataError(
            f"yahoo: could not read the answer for {asked} ({type(error).__name__}: {error}): "
            "its format may have changed; a newer yfinance may know it"
        ) from error


def _unknown(symbol: str) -> DataError:
    return DataError(
        f"yahoo: unknown symbol {symbol!r}: check the ticker at finance.yahoo.com/lookup "
        "(BRK-B, not BRK.B; exchanges outside the US have a suffix, such as SAP.DE)"
    )


def _no_bars(asked: _Asked, reason: str | None = None) -> DataError:
    because = f"; Yahoo says: {reason}" if reason else ""
    limit = _LOOK_BACK.get(asked.timeframe.text)
    reach = f"; {asked.timeframe} bars reach back {limit}" if limit else ""
    return DataError(
        f"yahoo: no {asked}{because}{reach}: choose another range, or check the ticker"
    )


@contextmanager
def _quiet(yfinance: Any) -> Iterator[None]:
    """Have yfinance raise rather than log, and keep its pandas warnings to itself."""
    log = logging.getLogger("yfinance")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # nothing on stderr; a configured log still gets all
    debug = yfinance.config.debug
    hidden, debug.hide_exceptions = debug.hide_exceptions, False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", category=pd.errors.Pandas4Warning, module=r"yfinance\b"
            )
            yield
    finally:
        debug.hide_exceptions = hidden


@functools.cache
def _use_own_folder(process_id: int) -> None:
    """Keep yfinance's SQLite files (time zones, cookies) to this process.

    Its default is one folder in the home directory, which fails where that is read-only and
    locks when two processes write. The price is one look-up a symbol and process.
    """
    import yfinance  # noqa: PLC0415

    folder = tempfile.mkdtemp(prefix=f"seawall-yfinance-{process_id}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)


def _checked(
    asked: _Asked, answer: _Answer, adjustment: str, calendar: str | None, now: datetime
) -> pd.DataFrame:
    if asked.timeframe.is_intraday:
        adjustment = "split"
    if calendar == "auto":
        is_american = str(pd.DatetimeIndex(answer.frame.index).tz) == "America/New_York"
        calendar = "XNYS" if is_american and answer.kind in ("EQUITY", "ETF") else None
    bars, dropped = _priced(_cut(answer.frame, asked), adjustment)
    bars, unfinished = vendor.drop_unfinished(bars, asked.timeframe, calendar, now)
    if bars.empty:
        raise _no_bars(asked, "; ".join((*dropped, *unfinished)) or None)
    return stamp(
        bars,
        symbol=asked.symbol,
        source="yahoo",
        timeframe=asked.timeframe,
        feed=answer.exchange,
        adjustment=adjustment,
        calendar=calendar,
        fetched_at=now,
        repairs=(*dropped, *unfinished, *_jumps(bars)),
    )


def _cut(frame: pd.DataFrame, asked: _Asked) -> pd.DataFrame:
    """Yahoo may append the latest price to any range."""
    zone = str(pd.DatetimeIndex(frame.index).tz)
    start, after = (vendor.at_exchange(side, zone) for side in (asked.start, asked.after))
    if start is not None:
        frame = frame[frame.index >= start]
    return frame if after is None else frame[frame.index < after]


def _priced(frame: pd.DataFrame, adjustment: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The five columns, adjusted, without the rows that have no price."""
    raw = frame.rename(columns=str.lower)
    bars = raw[_PRICES].astype("float64")
    if adjustment == "total":
        bars = bars.mul(raw["adj close"] / raw["close"], axis=0)
    bars["volume"] = raw["volume"].astype("float64")
    is_priced = (bars[_PRICES] > 0).all(axis=1)
    lost = pd.DatetimeIndex(bars.index[~is_priced])
    text = f"left out {len(lost)} bar(s) without a price: {vendor.named(lost, '%Y-%m-%d %H:%M')}"
    return bars[is_priced], (text,) if len(lost) else ()


def _jumps(bars: pd.DataFrame) -> tuple[str, ...]:
    """Name closes that moved like a missed split or a 100x error; nothing is changed."""
    ratio = bars["close"] / bars["close"].shift()
    at = pd.DatetimeIndex(bars.index[(ratio >= _JUMP) | (ratio <= 1 / _JUMP)])
    if at.empty:
        return ()
    moved = ratio[at[0]]
    return (
        f"NOT repaired: {len(at)} close(s) moved like a missed split or a 100x error, the first "
        f"times {moved:.4g}: {vendor.named(at, '%Y-%m-%d')}",
    )
