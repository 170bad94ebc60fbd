"""Questions to the trading host that no transport asks: clock, calendar, assets."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from brokers.clock import SystemClock
from brokers.errors import Transient
from brokers.wire.alpaca_errors import refuse
from brokers.wire.http import Http, NoAnswer

TIMEOUT_S = 10.0
WAITS_S = (0.2, 0.4)
_NO_INSTANT = datetime.max.replace(tzinfo=UTC)  # nobody here waits as long as a 429 asks


async def ask(
    http: Http, path: str, params: Mapping[str, str] | None = None, *, where: str = "the venue"
) -> Any:
    """The answer's JSON; a question that stays without one is asked twice more.

    Args:
        where: names the account in errors.

    Raises:
        ConfigError: the keys were refused.
        Transient: there was no answer, or none that can be read.
        VenueRefused: any other verdict; its code begins with 404 where there is no such thing.
    """
    for wait_s in WAITS_S:
        try:
            return await _asked(http, path, params, where)
        except Transient:
            await SystemClock().wait(wait_s)
    return await _asked(http, path, params, where)


async def _asked(http: Http, path: str, params: Mapping[str, str] | None, where: str) -> Any:
    try:
        answer = await http.request("GET", path, params=params, timeout_s=TIMEOUT_S)
        if answer.status >= 300:
            refuse(answer, f"GET {path}", where=where, now=_NO_INSTANT)
        return orjson.loads(answer.body)
    except NoAnswer as error:
        raise Transient(str(error)) from None
    except orjson.JSONDecodeError:
        raise Transient(f"the answer to GET {path} is no JSON") from None
