"""What `check` finds behind a Client Portal gateway."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from brokers.clock import ManualClock
from live import check_portal
from live.check import Subject, checked
from tests.live.test_check import ACCOUNT

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)  # in New York
LOGGED_IN = {"authenticated": True, "connected": True, "competing": False}


class Gateway:
    """Login, account and bars at once."""

    def __init__(self, login=LOGGED_IN, seen="R"):
        self._login, self._seen = login, seen

    async def account(self):
        return ACCOUNT

    async def status(self):
        return self._login

    async def availability(self, symbols):
        return dict.fromkeys(symbols, self._seen)


def rows(gateway, at=NOON, is_ours=False):
    own = check_portal.looks(gateway, gateway, is_ours=is_ours)
    subject = Subject(
        gateway, gateway, None, ManualClock(at), ("SPY",), "1m", Path("none.jsonl"), own=own
    )

    async def first():
        found = checked(subject)
        return [await anext(found) for _ in own]

    return {row.name: row for row in asyncio.run(first())}


def test_gateway_with_a_login_and_real_time_data_is_a_go():
    found = rows(Gateway())
    assert list(found) == ["login", "market data permission", "next login"]
    assert {row.verdict for row in found.values()} == {"go"}
    assert found["next login"].text.startswith("in 12 h 0 min, at midnight of New York")


@pytest.mark.parametrize(
    ("gateway", "name", "text"),
    [
        (Gateway({**LOGGED_IN, "competing": True}), "login", "another session"),
        (Gateway({**LOGGED_IN, "authenticated": False}), "login", "log in again"),
        (Gateway(seen="N"), "market data permission", "none for SPY: subscribe"),
        (Gateway(seen="D"), "market data permission", "SPY delayed: live bars need real time"),
    ],
)
def test_what_would_stop_a_session_is_a_no_go(gateway, name, text):
    row = rows(gateway)[name]
    assert row.verdict == "no-go"
    assert text in row.text


def test_login_that_ends_within_the_hour_is_worth_a_note():
    row = rows(Gateway(), at=datetime(2025, 6, 3, 3, 30, tzinfo=UTC))["next login"]
    assert (row.verdict, row.text[:13]) == ("note", "in 0 h 30 min")


def test_our_own_gateway_s_login_lasts():
    assert rows(Gateway(), is_ours=True)["next login"].verdict == "go"
