"""One question to Yahoo through yfinance, with every way in which it fails told apart.

`Ticker.history` is asked for one symbol at a time, because `yfinance.download` never raises: it
logs, and returns columns of NaN for a rate limit, a dead network and an unknown symbol alike.
"""

import atexit
import functools
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from brokers.errors import ConfigError, DataError, Transient
from feeds.ranges import Bound, in_words
from feeds.timeframe import Timeframe
from feeds.vendor import UnknownSymbol

_INTERVALS = {"1w": "1wk"}  # the others have Yahoo's own names; yfinance makes 30m out of 15m
_LOOK_BACK = {
    "1m": "the last 30 days, 7 in one request",
    "5m": "the last 60 days",
    "15m": "the last 60 days",
    "30m": "the last 60 days",
    "1h": "the last 730 days",
}


@dataclass(frozen=True)
class Asked:
    """What is wanted; as text, it is named in errors."""

    symbol: str
    start: Bound
    after: Bound
    timeframe: Timeframe

    def __str__(self) -> str:
        return f"{self.timeframe} bars of {self.symbol} {in_words(self.start, self.after)}"


@dataclass(frozen=True)
class AskedSector:
    """Whose sector is wanted; as text, it is named in errors."""

    symbol: str

    def __str__(self) -> str:
        return f"the sector of {self.symbol}"


@dataclass(frozen=True)
class Answer:
    """What yfinance returned: index in the exchange's zone, prices adjusted for splits."""

    frame: pd.DataFrame
    kind: str  # EQUITY, ETF, INDEX, CRYPTOCURRENCY, ...

    @property
    def zone(self) -> str:
        """The exchange's time zone, such as America/New_York."""
        return str(pd.DatetimeIndex(self.frame.index).tz)


def ask(asked: Asked, session: Any, timeout_s: float) -> Answer:
    """Ask Yahoo once.

    Raises:
        Transient: a rate limit, a time-out or an answer that is no chart.
        DataError: unknown symbol, no bars, no network, or a chart that cannot be read.
        ConfigError: yfinance does not take the session.
    """
    with _ticker(asked, session) as ticker:
        frame = _history(ticker, asked, timeout_s)
        if frame.empty:
            raise no_bars(asked)
        return Answer(frame, ticker.history_metadata.get("instrumentType", ""))


def ask_sector(asked: AskedSector, session: Any) -> str:
    """Ask Yahoo once for its name of a symbol's sector; empty for what has none, such as a fund.

    Raises:
        Transient, DataError, ConfigError: as `ask`; UnknownSymbol where Yahoo knows none such.
    """
    with _ticker(asked, session) as ticker:
        facts = ticker.info
        if not facts.get("quoteType"):
            raise _unknown(asked.symbol)
        return str(facts.get("sector") or "")


@contextmanager
def _ticker(asked: Asked | AskedSector, session: Any) -> Iterator[Any]:
    """Yfinance's view of a symbol, with what it raises told apart."""
    import yfinance  # noqa: PLC0415  a second that `import feeds` spares
    from yfinance.data import YfData  # noqa: PLC0415

    _use_own_folder(os.getpid())
    # yfinance keeps what it was answered for old ranges, an error page too: a second try would
    # get the first one's answer.
    YfData.cache_get.cache_clear()
    with _quiet(yfinance), _told_apart(asked):
        try:
            ticker = yfinance.Ticker(asked.symbol, session=session)
        except (yfinance.exceptions.YFDataException, ValueError) as error:
            raise ConfigError(f"yahoo: {error}") from error
        yield ticker


def _history(ticker: Any, asked: Asked, timeout_s: float) -> pd.DataFrame:
    from yfinance.exceptions import YFPricesMissingError  # noqa: PLC0415

    text = asked.timeframe.text
    # yfinance, too, takes a date for its midnight at the exchange.
    bounds = {"start": asked.start, "end": asked.after}
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
        if error.yahoo_reason is None and not _is_chart(ticker):
            text = "its answer is no chart; it may be down, or refuse this client"
            raise Transient(text) from error
        reason = error.yahoo_reason
        raise no_bars(asked, f"Yahoo says: {reason}" if reason else "") from error
    return frame


def _is_chart(ticker: Any) -> bool:
    try:
        return "symbol" in ticker.history_metadata
    except (LookupError, TypeError, ValueError):  # its reader stumbles over an empty chart's parts
        return True


@contextmanager
def _told_apart(asked: Asked | AskedSector) -> Iterator[None]:
    """Turn what yfinance and its HTTP client raise into our errors, by what can be done."""
    from curl_cffi.requests import exceptions as http  # noqa: PLC0415
    from yfinance import exceptions as yahoo  # noqa: PLC0415

    try:
        yield
    except yahoo.YFRateLimitError as error:
        raise Transient("its rate limit is reached (429)") from error
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


def _unknown(symbol: str) -> UnknownSymbol:
    return UnknownSymbol(
        f"yahoo: unknown symbol {symbol!r}: check the ticker at finance.yahoo.com/lookup "
        "(BRK-B, not BRK.B; exchanges outside the US have a suffix, such as SAP.DE)"
    )


def no_bars(asked: Asked, reason: str = "") -> DataError:
    """Make the error that says why there are none, as far as it is known."""
    because = f"; {reason}" if reason else ""
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
