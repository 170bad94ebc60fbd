"""Polygon's REST interface through the massive client: one HTTP call, one limiter slot.

Every page is asked for raw, because the client answers an empty list where the body is no JSON or
has no results.
"""

import functools
import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from urllib3 import exceptions as http
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

from brokers.errors import ConfigError, DataError, SeawallError, Transient
from brokers.wire.limiter import Limiter
from feeds.polygon_actions import Kind, query
from feeds.vendor import Patience, UnknownSymbol

KEYS = ("POLYGON_API_KEY", "MASSIVE_API_KEY")

T = TypeVar("T", list[dict[str, Any]], dict[str, Any])

_SET_A_KEY = f"set {KEYS[0]} or {KEYS[1]}, or pass api_key"
_PAGE = 50_000  # the most that one may hold


class PolygonClient:
    """Five endpoints, at the pace of a plan.

    Args:
        api_key: without it, POLYGON_API_KEY or else MASSIVE_API_KEY is read, now. It is in no
            error, log line or repr.
        base: the host; None is https://api.massive.com.
        calls_per_minute: what the plan allows.
        timeout_s: of connecting, and of each read.
        patience: with 429, 5xx, time-outs and broken answers.

    Raises:
        ConfigError: no key, or one that cannot be one.
    """

    def __init__(
        self,
        api_key: str | None,
        base: str | None,
        calls_per_minute: int,
        timeout_s: float,
        patience: Patience,
    ) -> None:
        if base and not base.startswith(("http://", "https://")):
            raise ConfigError(f"polygon: base {base!r} is no URL: such as https://api.polygon.io")
        self._key = _key(api_key)
        self._limiter = Limiter(calls_per_minute, 60.0, patience.clock)
        self._slot_s = 60.0 / calls_per_minute
        self._patience = patience
        self._rest = _massive().RESTClient(
            self._key,
            connect_timeout=timeout_s,
            read_timeout=timeout_s,
            # Its own retries end within a second and would spend the minute's calls.
            connection_pool_kw={"retries": _Verdicts(False, status_forcelist=range(400, 600))},
            **({"base": base.rstrip("/")} if base else {}),
        )

    def aggregates(
        self, symbol: str, span: tuple[int, str], first: str, last: str, *, adjusted: bool
    ) -> list[dict[str, Any]]:
        """Ask for the bars of all pages.

        Args:
            span: how many of which unit, such as (5, "minute").
            first, last: both included; an ISO date in New York, or milliseconds since 1970.
        """
        query: dict[str, Any] = {"adjusted": str(adjusted).lower(), "sort": "asc", "limit": _PAGE}
        rows: list[dict[str, Any]] = []
        asked: set[str] = set()
        while True:
            request = functools.partial(
                self._rest.get_aggs, _in_path(symbol), *span, first, last, params=query, raw=True
            )
            page = self._ask(request, f"bars of {symbol}")
            rows += _results(page, list)
            url = str(page.get("next_url") or "")
            if not url:
                return rows
            # The page's own path and query, on our host: the one in the link may be another.
            parts = urlsplit(url)
            *path, first, last = ("", *parts.path.split("/"))
            query = dict(parse_qsl(parts.query))
            if url in asked or not path:
                raise DataError(f"polygon: the pages of {symbol} lead nowhere: try again later")
            asked.add(url)

    def grouped(self, day: date, *, adjusted: bool) -> list[dict[str, Any]]:
        """Ask for one day's bars of the whole market."""
        request = functools.partial(
            self._rest.get_grouped_daily_aggs, day.isoformat(), adjusted=adjusted, raw=True
        )
        return _results(self._ask(request, f"bars of {day}"), list)

    def actions(self, kind: Kind, first: date, last: date) -> list[dict[str, Any]]:
        """Ask for the splits or dividends of the market with ex-dates in a range, all pages."""
        lists = {"splits": self._rest.list_splits, "dividends": self._rest.list_dividends}
        params = query(kind, first, last)
        rows: list[dict[str, Any]] = []
        asked: set[str] = set()
        while True:
            request = functools.partial(lists[kind], params=params, raw=True)
            page = self._ask(request, f"{kind} of {first} to {last}")
            rows += _results(page, list)
            url = str(page.get("next_url") or "")
            if not url:
                return rows
            if url in asked:
                raise DataError(f"polygon: the pages of {kind} lead nowhere: try again later")
            asked.add(url)
            params = dict(parse_qsl(urlsplit(url).query))

    def details(self, symbol: str) -> dict[str, Any]:
        """Ask what is known of a ticker."""
        request = functools.partial(self._rest.get_ticker_details, _in_path(symbol), raw=True)
        facts = _results(self._ask(request, f"details of {symbol}"), dict)
        if not facts:
            raise UnknownSymbol(f"polygon: it says nothing of {symbol}: check the ticker")
        return facts

    def _ask(self, request: Callable[[], Any], what: str) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            self._patience.clock.sleep(self._limiter.reserve())
            with self._told_apart(what):
                return _content(request())

        return self._patience.insist(once)

    @contextmanager
    def _told_apart(self, what: str) -> Iterator[None]:
        """Turn what massive and urllib3 raise into our errors, by what can be done."""
        from massive.exceptions import BadResponse  # noqa: PLC0415

        try:
            yield
        except _Verdict as verdict:
            raise self._error(verdict, what) from None
        except (http.ProtocolError, http.ReadTimeoutError, http.DecodeError) as error:
            raise self._unusable(what, error) from None
        except (http.HTTPError, BadResponse) as error:
            raise DataError(
                f"polygon: no connection for {what}: {self._without_key(str(error))}: "
                "check the network and base=, or read bars from files"
            ) from None
        except ValueError as error:
            raise self._unusable(what, error) from None

    def _unusable(self, what: str, error: Exception) -> Transient:
        text = self._without_key(f"{type(error).__name__}: {error}")
        return Transient(f"no usable answer for {what} ({text})")

    def _error(self, verdict: "_Verdict", what: str) -> SeawallError:
        said = f"{what}: {verdict.status} {self._without_key(verdict.text)}".rstrip()
        if verdict.status == 429:
            return Transient(f"over its calls a minute ({said})", verdict.wait_s or self._slot_s)
        if verdict.status >= 500:
            return Transient(f"a fault at its side ({said})", verdict.wait_s)
        if verdict.status == 401:
            return ConfigError(f"polygon: the key was refused ({said}): {_SET_A_KEY}")
        remedy = {
            403: "the key's plan does not include this: ask for a later or coarser range, change "
            f"the plan, or use another key ({_SET_A_KEY})",
            404: "check the ticker (case matters; BRK.B, not BRK-B)",
        }
        kind = UnknownSymbol if verdict.status == 404 else DataError
        return kind(f"polygon: {said}: {remedy.get(verdict.status, 'mend the request')}")

    def _without_key(self, text: str) -> str:
        return " ".join(text.replace(self._key, "***").split())[:300]


def _massive() -> Any:
    """Import massive, which writes its log to stdout, and have it say that on stderr instead."""
    import massive  # noqa: PLC0415  a third of a second that `import feeds` spares

    for name in ("RESTClient", "WebSocketClient"):
        log = logging.getLogger(name)
        # Plain handlers only: what an application has set up for these two names stays.
        for handler in [one for one in log.handlers if type(one) is logging.StreamHandler]:
            log.removeHandler(handler)
    return massive


class _Verdict(Exception):
    """An answer of 400 or more, with what massive's BadResponse leaves out."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self.status = response.status
        self.wait_s = _seconds(response.headers.get("Retry-After"))
        self.text = _explanation(response.data)
        super().__init__(self.status)


class _Verdicts(Retry):
    """Retries nothing: raises each refusal with its status, which massive would drop."""

    def increment(self, *args: Any, **call: Any) -> Any:
        response = call.get("response")
        if response is not None and response.status in self.status_forcelist:
            raise _Verdict(response)
        return super().increment(*args, **call)


def _key(given: str | None) -> str:
    key = (given or next(filter(None, map(os.environ.get, KEYS)), "")).strip()
    if not key:
        raise ConfigError(f"polygon: no API key: {_SET_A_KEY}")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(f"polygon: the API key has a blank or an odd character: {_SET_A_KEY}")
    return key


def _in_path(symbol: str) -> str:
    return quote(symbol, safe=":")


def _content(response: BaseHTTPResponse) -> dict[str, Any]:
    content = json.loads(response.data)
    if not isinstance(content, dict):
        raise ValueError("the body is no JSON object")
    if content.get("status") == "ERROR":
        raise ValueError(_explanation(response.data))
    return content


def _results(page: dict[str, Any], kind: type[T]) -> T:
    found = page.get("results")
    if found is not None and not isinstance(found, kind):
        raise DataError("polygon: the results have another form: a newer Seawall may know it")
    return found or kind()


def _explanation(body: bytes) -> str:
    """Polygon's own words, or the body as it is."""
    try:
        content = json.loads(body)
        return str(content.get("error") or content.get("message") or content.get("status") or "")
    except (ValueError, AttributeError):
        return body.decode(errors="replace")


def _seconds(retry_after: str | None) -> float | None:
    """Give the seconds to wait; a date, which Polygon does not send, counts as nothing."""
    try:
        wait_s = float(retry_after or "")
    except ValueError:
        return None
    return wait_s if 0 <= wait_s < math.inf else None
