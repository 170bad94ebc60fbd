"""Go or no-go: each thing that can speak against a start."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from analyzers.journal import Journal
from brokers.clock import ManualClock
from brokers.errors import DataError, Transient
from brokers.wire.http import Response
from brokers.wire.transport import VenueAccount, VenueBar, VenueOrder, VenuePosition
from live.check import Row, Subject, checked, is_go, table
from live.exchange import AlpacaExchange

NOON = datetime(2025, 6, 2, 16, tzinfo=UTC)
ACCOUNT = VenueAccount("PA1", Decimal(10), Decimal(10), Decimal(20))
BAR = VenueBar("SPY", NOON - timedelta(minutes=1), 1.0, 1.0, 1.0, 1.0, 1.0)
ORDER = VenueOrder("9b1f", "a1", "SPY", "buy", Decimal(1), "market", "new", Decimal(0), NOON)
OPENS, CLOSES = "2025-06-03T09:30:00-04:00", "2025-06-02T16:00:00-04:00"
CLOCK = {"timestamp": NOON.isoformat(), "is_open": True, "next_open": OPENS, "next_close": CLOSES}
DAY = {"date": "2025-06-02", "open": "09:30", "close": "16:00"}
ASSET = {"tradable": True, "status": "active", "fractionable": False}
SENT = {"kind": "decision", "order_id": "a1", "order": {"client_order_id": "a1"}, "refusal": None}
HELD = {"kind": "fill", "symbol": "SPY", "position": 2.0}


@dataclass
class _Venue:
    """An account, its data and its reference calls, all fine unless a test says otherwise."""

    account_now: VenueAccount = ACCOUNT
    orders: Sequence[VenueOrder] = ()
    held: Sequence[VenuePosition] = ()
    bars: Sequence[VenueBar] = (BAR,)
    answers: dict[str, Any] = field(default_factory=dict)
    fault: Exception | None = None

    async def account(self) -> VenueAccount:
        return self.account_now

    async def positions(self) -> Sequence[VenuePosition]:
        return self.held

    async def orders_since(self, since: datetime) -> Sequence[VenueOrder]:
        return self.orders

    async def history(self, symbols: Sequence[str], *_: object) -> dict[str, Sequence[VenueBar]]:
        if self.fault:
            raise self.fault
        return dict.fromkeys(symbols, self.bars)

    async def request(self, method: str, path: str, **_: object) -> Response:
        known = {"/v2/clock": CLOCK, "/v2/calendar": [DAY], "/v2/assets/SPY": ASSET} | self.answers
        told = known.get(path)
        missing = {"code": 40410000, "message": f"{path} not found"}
        return Response(
            404 if told is None else 200, {}, orjson.dumps(missing if told is None else told)
        )


def _rows(venue: _Venue, folder: Path, **more: Any) -> dict[str, Row]:
    wires: Any = venue
    subject = Subject(
        wires, wires, AlpacaExchange(wires), ManualClock(NOON), ("SPY",), "1m", folder / "log.jsonl"
    )

    async def all_rows() -> list[Row]:
        return [row async for row in checked(replace(subject, **more))]

    return {row.name: row for row in asyncio.run(all_rows())}


def _log(folder: Path, *records: dict[str, Any]) -> None:
    with Journal(folder / "log.jsonl", "s1", ManualClock(NOON)) as journal:
        for record in records:
            journal.append(record)


def test_a_healthy_account_is_a_go(tmp_path: Path) -> None:
    rows = _rows(_Venue(), tmp_path)
    assert is_go(list(rows.values()))
    assert {row.verdict for row in rows.values()} == {"go"}
    assert len(rows) == 10


@pytest.mark.parametrize(
    ("venue", "name", "told"),
    [
        (_Venue(replace(ACCOUNT, blocked="trading is blocked")), "account", "trading is blocked"),
        (_Venue(replace(ACCOUNT, buying_power=Decimal(0))), "buying power", "0 USD"),
        (_Venue(answers={"/v2/calendar": []}), "calendar", "no session in the next week"),
        (_Venue(answers={"/v2/assets/SPY": None}), "symbols", "SPY is unknown to the venue"),
        (
            _Venue(answers={"/v2/assets/SPY": ASSET | {"tradable": False}}),
            "symbols",
            "SPY cannot be traded",
        ),
        (_Venue(bars=()), "market data", "no bars of the last week: SPY"),
        (_Venue(fault=DataError("not in the plan")), "market data", "not in the plan"),
        (_Venue(fault=Transient("no network")), "market data", "no network"),
        (
            _Venue(answers={"/v2/clock": CLOCK | {"timestamp": "2025-06-02T16:00:09Z"}}),
            "clock",
            "+9.0 s to the venue's",
        ),
    ],
)
def test_one_fault_is_a_no_go_that_says_why(
    tmp_path: Path, venue: _Venue, name: str, told: str
) -> None:
    rows = _rows(venue, tmp_path)
    assert rows[name].verdict == "no-go"
    assert told in rows[name].text
    assert not is_go(list(rows.values()))


def test_a_fraction_of_what_takes_whole_units_is_a_no_go(tmp_path: Path) -> None:
    rows = _rows(_Venue(), tmp_path, sizes=(None, "95%", 2.0, 2.5))
    assert rows["symbols"].text == "SPY takes whole units only: give a whole size"


def test_a_closed_market_and_a_fast_venue_are_no_obstacle(tmp_path: Path) -> None:
    closed = _Venue(answers={"/v2/clock": CLOCK | {"is_open": False}})
    row = _rows(closed, tmp_path)["clock"]
    assert row.verdict == "note"
    assert "next open 2025-06-03 09:30 EDT (13:30 UTC)" in row.text
    ahead = _Venue(answers={"/v2/clock": CLOCK | {"timestamp": "2025-06-02T17:00:00Z"}})
    assert _rows(ahead, tmp_path, is_fast=True)["clock"].verdict == "go"


def test_orders_of_this_log_are_known_and_others_are_noted(tmp_path: Path) -> None:
    assert _rows(_Venue(orders=[ORDER]), tmp_path)["open orders"].verdict == "note"
    _log(tmp_path, SENT)
    assert _rows(_Venue(orders=[ORDER]), tmp_path)["open orders"].verdict == "go"


def test_an_order_without_a_word_from_the_venue_is_noted(tmp_path: Path) -> None:
    _log(tmp_path, SENT)
    row = _rows(_Venue(), tmp_path)["unreconciled intents"]
    assert (row.verdict, row.text[:3]) == ("note", "a1:")
    _log(tmp_path, {"kind": "venue", "fact": "Accepted", "order_id": "a1"})
    assert _rows(_Venue(), tmp_path)["unreconciled intents"].text == "none"


def test_positions_are_held_against_the_log(tmp_path: Path) -> None:
    two = [VenuePosition("SPY", Decimal(2), Decimal(1))]
    assert _rows(_Venue(held=two), tmp_path)["positions"].verdict == "note"
    _log(tmp_path, HELD)
    assert _rows(_Venue(held=two), tmp_path)["positions"].verdict == "go"
    row = _rows(_Venue(), tmp_path)["positions"]
    assert (row.verdict, row.text) == ("no-go", "SPY: log 2.0, venue 0")


def test_the_log_of_a_venue_that_is_gone_is_nobody_s_business(tmp_path: Path) -> None:
    _log(tmp_path, HELD)
    rows = _rows(_Venue(), tmp_path, log=None)
    assert is_go(list(rows.values()))
    assert "a new one" in rows["log"].text


def test_a_damaged_log_is_a_no_go(tmp_path: Path) -> None:
    _log(tmp_path, HELD)
    path = tmp_path / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"3.0"))
    assert "damaged at line 1" in _rows(_Venue(), tmp_path)["log"].text


def test_the_table_says_it_in_one_word() -> None:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(table([Row("keys", "go", "fine")]))
        console.print(table([Row("keys", "no-go", "missing")]))
    assert shown.get().splitlines()[0].strip() == "GO"
    assert "NO GO" in shown.get()
