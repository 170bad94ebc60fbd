"""The Client Portal's calls about the account, contracts, prices and bars."""

from typing import Any

import pytest

from live.paper.portal_api import Terms
from live.paper.portal_questions import Precautions
from tests.live.paper.portal_front import AAPL, ACCOUNT, BUY, MSFT, Front

HISTORY = "/iserver/marketdata/history"
SNAPSHOT = "/iserver/marketdata/snapshot"
HIDDEN = Terms(is_paced=False, precautions=Precautions(unsubscribed=frozenset({"AAPL"})))


def test_money_is_in_ledger_and_summary() -> None:
    front = Front()
    front.place(BUY)
    front.turn()
    ledger = front.get(f"/portfolio/{ACCOUNT}/ledger")
    assert ledger["USD"]["cashbalance"] == 100_000 - 1009.5 - 1.0095
    assert ledger["BASE"]["netliquidationvalue"] == 100_000 + 10 * 0.05 - 1.0095
    summary = front.get(f"/portfolio/{ACCOUNT}/summary")
    assert summary["totalcashvalue"]["amount"] == ledger["USD"]["cashbalance"]
    assert summary["accountcode"]["value"] == ACCOUNT


def test_positions_by_page_are_kept_until_they_are_invalidated_or_old() -> None:
    front = Front()
    page = f"/portfolio/{ACCOUNT}/positions/0"
    assert front.get(page) == []
    front.place(BUY)
    front.turn()
    assert front.get(page) == []
    front.call("POST", f"/portfolio/{ACCOUNT}/positions/invalidate")
    (row,) = front.get(page)
    assert (row["ticker"], row["position"], row["avgPrice"], row["mktPrice"]) == (
        "AAPL",
        10.0,
        100.95,
        101.0,
    )
    front.place({**BUY, "conid": MSFT})
    front.turn()
    front.clock.sleep(61)
    assert [row["conid"] for row in front.get(page)] == [AAPL, MSFT]
    assert front.get(f"/portfolio/{ACCOUNT}/positions/1") == []
    assert front.call("GET", f"/portfolio/{ACCOUNT}/positions/x")[0] == 400


def test_symbol_has_its_contract_at_home_and_one_abroad() -> None:
    found = Front().get("/trsrv/stocks", symbols="AAPL,NOSUCH")
    (company,) = found["AAPL"]
    assert [(it["conid"], it["isUS"]) for it in company["contracts"]] == [
        (AAPL, True),
        (AAPL + 38_000_000, False),
    ]
    assert found["NOSUCH"] == []


def test_symbol_that_is_listed_twice_has_two_companies() -> None:
    front = Front(terms=Terms(twins=(("AAPL", "BATS"),), is_paced=False))
    found = front.get("/trsrv/stocks", symbols="AAPL")["AAPL"]
    assert [it["contracts"][0]["exchange"] for it in found] == ["NASDAQ", "BATS"]
    assert len(front.get("/iserver/secdef/search", symbol="AAPL")) == 2


def test_contract_is_described_with_its_increments() -> None:
    front = Front()
    assert front.get(f"/iserver/contract/{AAPL}/info")["symbol"] == "AAPL"
    rules = front.get(f"/iserver/contract/{AAPL}/info-and-rules")["rules"]
    assert (rules["increment"], rules["sizeIncrement"]) == (0.01, 1)
    assert front.call("GET", "/iserver/contract/1/info")[0] == 400
    assert front.call("GET", "/iserver/secdef/search", symbol="NOSUCH")[0] == 400


def test_first_snapshot_of_each_contract_has_no_prices() -> None:
    front = Front()
    asked = {"conids": f"{AAPL},{MSFT}", "fields": "31,84,7295"}
    assert front.get(SNAPSHOT, **asked)[0] == {"conidEx": str(AAPL), "conid": AAPL}
    first, _ = front.get(SNAPSHOT, **asked)
    assert (first["31"], first["84"], first["6509"], "7295" in first) == (
        "100.9",
        "100.9",
        "RB",
        False,
    )
    front.get("/iserver/marketdata/unsubscribeall")
    assert "31" not in front.get(SNAPSHOT, **asked)[0]
    front.call("POST", "/iserver/marketdata/unsubscribe", {"conid": AAPL})
    assert "31" in front.get(SNAPSHOT, **asked)[0]


def test_price_of_a_session_that_is_over_is_marked() -> None:
    front = Front(bars=500, calendar="XNYS")  # 390 minutes of them are shown, to the close
    front.get(SNAPSHOT, conids=str(AAPL))
    assert front.get(SNAPSHOT, conids=str(AAPL))[0]["31"] == "C138.9"


def test_without_permission_there_is_neither_price_nor_bar() -> None:
    front = Front(terms=HIDDEN)
    front.get(SNAPSHOT, conids=str(AAPL))
    (row,) = front.get(SNAPSHOT, conids=str(AAPL))
    assert (row["6509"], "31" in row) == ("N", False)
    assert front.call("GET", HISTORY, conid=str(AAPL), bar="1min", period="1d")[0] == 500


def test_history_has_the_finished_bars_before_now() -> None:
    told = Front().get(HISTORY, conid=str(AAPL), bar="1min", period="3min")
    assert [row["c"] for row in told["data"]] == [100.7, 100.8, 100.9]
    assert told["data"][-1]["t"] == 1_704_206_340_000  # 14:39 UTC, which ended at 14:40
    assert (told["points"], told["barLength"], told["symbol"]) == (2, 60, "AAPL")


def test_history_ends_at_the_instant_that_is_asked_for() -> None:
    told = Front().get(
        HISTORY, conid=str(AAPL), bar="1min", period="2min", startTime="20240102-14:35:00"
    )
    assert [row["c"] for row in told["data"]] == [100.3, 100.4]


def test_longer_bars_are_gathered_from_minutes() -> None:
    told = Front().get(HISTORY, conid=str(AAPL), bar="5min", period="1d")
    assert [row["v"] for row in told["data"]] == [5000.0, 5000.0]


def test_history_is_at_most_a_thousand_points() -> None:
    told = Front(bars=1200).get(HISTORY, conid=str(AAPL), bar="1min", period="1d")
    assert (len(told["data"]), told["data"][-1]["c"]) == (1000, 208.9)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ({"conid": "1"}, 400),
        ({"bar": "7min"}, 400),
        ({"period": "1x"}, 400),
        ({"startTime": "yesterday"}, 400),
        ({"startTime": "20230102-14:35:00"}, 500),
    ],
)
def test_history_that_cannot_be_given_is_an_error(words: dict[str, Any], status: int) -> None:
    asked = {"conid": str(AAPL), "bar": "1min", "period": "1d", **words}
    assert Front().call("GET", HISTORY, **asked)[0] == status
