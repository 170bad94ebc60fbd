"""What `check` finds behind a gateway."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from brokers.wire.ibkr_night import Night
from live import check_ibkr
from live.check import Subject, checked
from tests.live.test_check import ACCOUNT

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)


class Gateway:
    """Account and bars, all fine unless a test says otherwise."""

    def __init__(self, account=ACCOUNT, orders=None, live=None):
        self._account, self._orders, self._live = account, orders, live

    async def account(self):
        return self._account

    async def orders_since(self, since):
        if self._orders:
            raise self._orders
        return ()

    async def require_live(self, symbols):
        if self._live:
            raise self._live


def rows(gateway, at=NOON, night=None):
    own = check_ibkr.looks(gateway, night)
    subject = Subject(
        gateway, gateway, None, ManualClock(at), ("SPY",), "1m", Path("none.jsonl"), own=own
    )

    async def first():
        found = checked(subject)
        return [await anext(found) for _ in own]

    return {row.name: row for row in asyncio.run(first())}


def test_gateway_that_is_logged_in_trades_and_has_live_bars_is_a_go():
    found = rows(Gateway())
    assert list(found) == ["login", "permissions", "live bars", "next restart"]
    assert {row.verdict for row in found.values()} == {"go"}
    assert "PA1" in found["login"].text


@pytest.mark.parametrize(
    ("gateway", "name", "told"),
    [
        (Gateway(replace(ACCOUNT, blocked="no link to IB: lost")), "login", "no link to IB"),
        (Gateway(orders=ConfigError("its API is read-only")), "permissions", "read-only"),
        (Gateway(live=DataError("no market data permission")), "live bars", "no market data"),
    ],
)
def test_what_lacks_is_a_no_go_in_its_row(gateway, name, told):
    found = rows(gateway)
    assert [row.name for row in found.values() if row.verdict == "no-go"] == [name]
    assert told in found[name].text


def test_what_speaks_against_several_things_is_said_once():
    class Nobody(Gateway):
        async def account(self):
            raise ConfigError("nobody answers")

    found = rows(Nobody(orders=ConfigError("nobody answers")))
    assert (found["login"].text, found["permissions"].text) == ("nobody answers", "as login")


@pytest.mark.parametrize(
    ("at", "verdict", "told"),
    [
        (NOON, "go", "in 11 h 45 min (23:45 to 00:45 America/New_York)"),
        (datetime(2025, 6, 3, 3, 0, tzinfo=UTC), "note", "in 0 h 45 min"),
        (datetime(2025, 6, 3, 4, 0, tzinfo=UTC), "note", "now: new orders from 04:45 UTC on"),
    ],
)
def test_next_restart_is_told_and_noted_when_it_is_near(at, verdict, told):
    row = rows(Gateway(), at, Night())["next restart"]
    assert row.verdict == verdict
    assert row.text.startswith(told)
