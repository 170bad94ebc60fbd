"""Whether an account may trade, asked before anything is sent."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
import pytest

from brokers.errors import ConfigError, SeawallError, Transient, VenueRefused
from brokers.wire.http import NoAnswer, Response
from brokers.wire.transport import VenueAccount
from live.permissions import objections, require

ACCOUNT = VenueAccount("PA1", Decimal(10), Decimal(10), Decimal(20))
GOOD = {"tradable": True, "status": "active", "fractionable": True}


@dataclass
class Host:
    """A trading host with one answer."""

    status: int = 200
    body: Any = None

    async def request(self, method: str, path: str, **_: object) -> Response:
        if self.status == 0:
            raise NoAnswer(f"no connection for {method} {path}")
        return Response(self.status, {}, orjson.dumps(self.body) if self.body else b"<html>")


def _ask(host: Any, account: VenueAccount = ACCOUNT) -> None:
    asyncio.run(require(partial(objections, host), account, ("SPY",), (2.5, "95%", None)))


def test_an_account_and_symbols_that_trade_let_a_session_begin() -> None:
    _ask(Host(body=GOOD))


def test_a_blocked_account_stops_the_start_with_the_venues_word() -> None:
    with pytest.raises(ConfigError, match=r"PA1 cannot trade \(status ONBOARDING\): settle it"):
        _ask(Host(body=GOOD), replace(ACCOUNT, blocked="status ONBOARDING"))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (GOOD | {"tradable": False}, "SPY cannot be traded now"),
        (GOOD | {"status": "inactive"}, "SPY cannot be traded now"),
        (GOOD | {"fractionable": False}, "SPY takes whole units only: give a whole size"),
    ],
)
def test_a_symbol_that_cannot_be_traded_so_stops_the_start(body: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        _ask(Host(body=body))


@pytest.mark.parametrize(
    ("host", "error", "text"),
    [
        (Host(404, {"code": 40410000, "message": "no"}), ConfigError, "SPY is unknown"),
        (Host(401, {"code": 40110000, "message": "no"}), ConfigError, "refused the keys"),
        (Host(422, {"code": 42210000, "message": "no"}), VenueRefused, "no"),
        (Host(429, {"message": "too many"}), Transient, "429"),
        (Host(503), Transient, "503"),
        (Host(200), Transient, "is no JSON"),
        (Host(0), Transient, "no connection"),
    ],
)
def test_what_the_venue_does_not_say_is_never_taken_for_a_yes(
    host: Host, error: type[SeawallError], text: str
) -> None:
    with pytest.raises(error, match=text):
        _ask(host)
