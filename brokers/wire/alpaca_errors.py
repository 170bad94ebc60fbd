"""What Alpaca says no with, as our errors; the one place that knows its codes and texts."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn

import orjson

from brokers.errors import ConfigError, DuplicateOrderId, Throttled, VenueRefused
from brokers.wire.alpaca_access import keys_refused
from brokers.wire.alpaca_words import UNREADABLE
from brokers.wire.http import NoAnswer, Response

WRONG_KEYS = ("forbidden", "not authorized")
DUPLICATE = "client_order_id must be unique"  # its code, 40010001, is used for other things too


def refuse(response: Response, what: str, *, where: str, now: datetime) -> NoReturn:
    """Raise what an answer of status 300 or above means.

    Args:
        what: the request in a few words.
        where: names the account.
        now: to read an instant until which we are to wait.

    Raises:
        Throttled: 429, with the seconds to wait when a header says them.
        NoAnswer: 5xx, or a 404 that is not Alpaca's own and so says nothing of any order.
        ConfigError: the keys were refused, or the address is that of a redirect.
        DuplicateOrderId: the venue knows the client order id.
        VenueRefused: any other verdict.
    """
    status, complaint = response.status, _complaint(response)
    code, text = complaint or ("", response.body[:80].decode("utf-8", "replace"))
    if status == 429:
        wait_s = _wait_s(response.headers, now)
        raise Throttled(f"Alpaca answered 429 to {what}: {text}", wait_s)
    if status >= 500 or (status == 404 and complaint is None):
        raise NoAnswer(f"Alpaca answered {status} to {what}: {text or 'no text'}")
    if status < 400:
        raise ConfigError(
            f"Alpaca ({where}) answered {status} to {what}: a redirect, which is not followed "
            "with keys in hand; correct the address"
        )
    if status == 401 or (status == 403 and _is_about_keys(code, text)):
        raise keys_refused(where)
    if DUPLICATE in text:
        raise DuplicateOrderId(code, text)
    raise VenueRefused(code or str(status), text)


def _is_about_keys(code: str, text: str) -> bool:
    """Tell wrong keys from a verdict on an order, which is 403 too, with a code that says so."""
    return not code.startswith("403") or any(words in text for words in WRONG_KEYS)


def _complaint(response: Response) -> tuple[str, str] | None:
    """Code (empty where there is none) and message; None: the body is not Alpaca's JSON."""
    try:
        body = orjson.loads(response.body)
        return str(body.get("code") or ""), str(body["message"])
    except UNREADABLE:
        return None


def _wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a 429 asks to wait; None where it does not say."""
    after, reset = headers.get("retry-after"), headers.get("x-ratelimit-reset")
    try:
        if after is not None:
            wait_s = float(after) if after.isdigit() else _seconds_until(after, now)
        elif reset is not None:
            wait_s = float(reset) - now.timestamp()
        else:
            return None
    except (TypeError, ValueError):
        return None
    return max(wait_s, 0.0)


def _seconds_until(http_date: str, now: datetime) -> float:
    return (parsedate_to_datetime(http_date) - now).total_seconds()
