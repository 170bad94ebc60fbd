"""Alpaca's calls about account, calendar, assets and market data."""

import json
from datetime import date
from decimal import Decimal

import pytest

from brokers.wire.http_asgi import Asgi
from live.paper.account import AlpacaRules
from live.paper.alpaca_api import Terms
from live.paper.alpaca_checks import Asset
from live.paper.alpaca_trading import Announcement
from tests.fakes import HeldClock
from tests.live.paper.front import Client, Front

TRADING_CALLS = 3


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/v2/account/activities/DIV", {}, 200),
        ("/v2/account/activities/NONSENSE", {}, 422),
        ("/v2/account/activities", {"activity_types": "DIV,FEE"}, 200),
        ("/v2/account/activities", {"page_token": "none"}, 422),
        ("/v2/account/activities", {"page_size": "101"}, 422),
        ("/v2/account/activities", {"date": "2024-01-02", "after": "2024-01-01"}, 422),
        ("/v2/account/activities", {"after": "yesterday"}, 422),
        ("/v2/account/activities", {"after": "0001-01-01"}, 422),
        ("/v2/account/portfolio/history", {"period": "3D"}, 200),
        ("/v2/account/portfolio/history", {"period": "lately"}, 422),
        ("/v2/account/portfolio/history", {"timeframe": "2D"}, 422),
        ("/v2/orders", {"status": "sleeping"}, 422),
        ("/v2/orders", {"limit": "501"}, 422),
        ("/v2/orders", {"nested": "perhaps"}, 422),
        ("/v2/assets", {"status": "inactive"}, 200),
        ("/v2/assets/IBM", {}, 404),
        ("/v2/corporate_actions/announcements", {"ca_types": "split"}, 422),
        ("/v2/nowhere", {}, 404),
    ],
)
def test_questions_are_answered_or_refused(path: str, params: dict[str, str], status: int) -> None:
    answer = Front().call("GET", path, **params)
    assert answer[0] == status
    if path.startswith("/v2/account/activities") and status == 200:
        assert answer[1] == []


def test_method_that_a_path_has_not_is_refused_with_those_that_it_has() -> None:
    response = Front().response("PUT", "/v2/clock")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_portfolio_history_has_the_last_equity_of_each_window() -> None:
    front = Front()
    front.submit()
    for _ in range(6):
        front.turn()
    _, history = front.call("GET", "/v2/account/portfolio/history", timeframe="5Min", period="1D")
    assert len(history["timestamp"]) == len(history["equity"]) == 2
    assert history["base_value"] == history["equity"][0]
    assert history["profit_loss"][1] == pytest.approx(2.0)  # ten units, two minutes at 0.1


def test_configurations_are_kept_and_wrong_ones_refused() -> None:
    front = Front()
    path = "/v2/account/configurations"
    assert front.call("PATCH", path, {"no_shorting": True})[1]["no_shorting"] is True
    assert front.call("GET", path)[1]["no_shorting"] is True
    assert front.call("PATCH", path, {"no_shorting": "no"})[0] == 422
    assert front.call("PATCH", path, {"trade_confirm_email": "some"})[0] == 422
    assert front.call("PATCH", path, {"colour": "blue"})[0] == 422


def test_calendar_has_half_days_and_clock_has_new_yorks_time() -> None:
    front = Front()
    _, days = front.call("GET", "/v2/calendar", start="2024-07-03", end="2024-07-05")
    assert [(day["date"], day["close"]) for day in days] == [
        ("2024-07-03", "13:00"),
        ("2024-07-05", "16:00"),
    ]
    assert len(front.call("GET", "/v2/calendar")[1]) == 252
    _, clock = front.call("GET", "/v2/clock")
    assert clock["is_open"] is True
    assert clock["next_close"] == "2024-01-02T16:00:00-05:00"


def test_corporate_actions_are_found_by_kind_date_and_symbol() -> None:
    split = Announcement("AAPL", date(2024, 1, 10), new_rate=Decimal(4))
    front = Front(announcements=(split,))
    path = "/v2/corporate_actions/announcements"
    asked = {"ca_types": "split", "since": "2024-01-01", "until": "2024-02-01"}
    _, (row,) = front.call("GET", path, **asked)
    assert (row["initiating_symbol"], row["old_rate"], row["new_rate"]) == ("AAPL", "1", "4")
    assert front.call("GET", f"{path}/{row['id']}") == (200, row)
    assert front.call("GET", path, **{**asked, "symbol": "MSFT"}) == (200, [])
    assert front.call("GET", path, **{**asked, "ca_types": "party"})[0] == 422
    assert front.call("GET", path, **{**asked, "until": "2024-12-01"})[0] == 422


def test_bars_come_in_pages_one_symbol_after_the_other() -> None:
    front = Front()
    asked = {"symbols": "MSFT,AAPL", "timeframe": "5Min", "start": "2024-01-02", "limit": "3"}
    _, first = front.call("GET", "/v2/stocks/bars", **asked)
    assert {symbol: len(bars) for symbol, bars in first["bars"].items()} == {"AAPL": 2, "MSFT": 1}
    asked["page_token"] = first["next_page_token"]
    _, second = front.call("GET", "/v2/stocks/bars", **asked)
    assert {symbol: len(bars) for symbol, bars in second["bars"].items()} == {"MSFT": 1}
    assert second["next_page_token"] is None


def test_five_minute_bar_is_gathered_from_its_minutes() -> None:
    asked = {"symbols": "AAPL", "timeframe": "5Min", "start": "2024-01-02", "sort": "desc"}
    _, answer = Front().call("GET", "/v2/stocks/bars", **asked)
    bar = answer["bars"]["AAPL"][1]
    assert (bar["t"], bar["o"], bar["h"]) == ("2024-01-02T14:30:00Z", 99.95, 100.9)
    assert (bar["l"], bar["c"], bar["v"]) == (99.5, 100.4, 5000)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400),
        ({"symbols": "AAPL"}, 400),
        ({"timeframe": "1Day"}, 400),
        ({"symbols": "AAPL", "timeframe": "60Min"}, 400),
        ({"symbols": "AAPL", "timeframe": "5Month"}, 400),
        ({"symbols": "AAPL", "timeframe": "1Day", "adjustment": "some"}, 400),
        ({"symbols": "AAPL", "timeframe": "1Day", "feed": "mine"}, 400),
        ({"symbols": "AAPL", "timeframe": "1Day", "page_token": "x"}, 400),
        ({"symbols": "AAPL", "timeframe": "1Day", "start": "2024-02-01"}, 400),
        ({"symbols": "AAPL", "timeframe": "1Day", "feed": "sip"}, 403),
        ({"symbols": "AAPL", "timeframe": "1Week", "feed": "sip", "end": "2024-01-01"}, 400),
        ({"symbols": "AAPL", "timeframe": "3Month", "start": "2024-01-01"}, 200),
        ({"symbols": "IBM", "timeframe": "1Day"}, 200),
    ],
)
def test_market_data_calls_refuse_with_a_message_alone(params: dict[str, str], status: int) -> None:
    answer = Front().call("GET", "/v2/stocks/bars", **params)
    assert answer[0] == status
    assert status == 200 or list(answer[1]) == ["message"]


def test_newest_of_everything_belongs_to_the_last_finished_bar() -> None:
    front = Front()
    front.turn()
    asked = {"symbols": "AAPL,IBM"}
    _, bars = front.call("GET", "/v2/stocks/bars/latest", **asked)
    assert {symbol: bar["c"] for symbol, bar in bars["bars"].items()} == {"AAPL": 101.0}
    _, snapshots = front.call("GET", "/v2/stocks/snapshots", **asked)
    assert snapshots["AAPL"]["dailyBar"]["v"] == 11_000
    assert snapshots["AAPL"]["latestTrade"]["t"] == "2024-01-02T14:41:00Z"


def test_no_bar_is_told_before_it_has_ended() -> None:
    asked = {"symbols": "AAPL", "timeframe": "1Min", "start": "2024-01-02", "end": "2024-01-03"}
    _, answer = Front(terms=Terms(has_sip=True)).call("GET", "/v2/stocks/bars", **asked)
    assert answer["bars"]["AAPL"][-1]["t"] == "2024-01-02T14:39:00Z"


def test_call_beyond_the_quota_is_throttled_until_the_minute_is_over() -> None:
    front = Front(terms=Terms(calls_per_minute=TRADING_CALLS))
    told = [front.response("GET", "/v2/clock") for _ in range(4)]
    assert [answer.status for answer in told] == [200, 200, 200, 429]
    assert told[3].body == b'{"message":"too many requests."}'
    assert told[1].headers["x-ratelimit-limit"] == "3"
    assert [answer.headers["x-ratelimit-remaining"] for answer in told] == ["2", "1", "0", "0"]
    assert told[0].headers["x-ratelimit-reset"] == str(1_704_206_400 + 60)
    assert front.call("GET", "/v2/stocks/snapshots", symbols="AAPL")[0] == 200
    front.clock.sleep(60.0)
    assert front.call("GET", "/v2/clock")[0] == 200


def test_quota_may_be_silent() -> None:
    front = Front(terms=Terms(calls_per_minute=1, tells_calls=False))
    told = [front.response("GET", "/v2/clock") for _ in range(2)]
    assert [answer.status for answer in told] == [200, 429]
    assert not [name for answer in told for name in answer.headers if "ratelimit" in name]


def test_assets_are_told_with_what_the_account_may_do_with_them() -> None:
    front = Front(rules=AlpacaRules(assets={"MSFT": Asset(fractionable=False)}))
    _, assets = front.call("GET", "/v2/assets")
    assert [(row["symbol"], row["fractionable"]) for row in assets] == [
        ("AAPL", True),
        ("MSFT", False),
    ]
    assert front.call("GET", f"/v2/assets/{assets[1]['id']}") == (200, assets[1])


def test_trades_and_quotes_of_the_past_lie_at_the_bars_closes() -> None:
    front = Front()
    asked = {"symbols": "AAPL", "start": "2024-01-02T14:38:00Z", "end": "2024-01-02T14:39:00+00:00"}
    _, trades = front.call("GET", "/v2/stocks/trades", **asked)
    assert [trade["p"] for trade in trades["trades"]["AAPL"]] == [100.8, 100.9]
    _, quotes = front.call("GET", "/v2/stocks/quotes", **asked)
    assert [quote["ap"] for quote in quotes["quotes"]["AAPL"]] == [100.8, 100.9]
    _, latest = front.call("GET", "/v2/stocks/quotes/latest", symbols="AAPL")
    assert latest["quotes"]["AAPL"]["bp"] == 100.9
    assert front.call("GET", "/v2/stocks/trades/latest", symbols="IBM") == (200, {"trades": {}})


def test_document_of_the_calls_needs_no_key() -> None:
    front = Front()

    async def scenario(_client: Client) -> None:
        stranger = Asgi(front.api, clock=HeldClock())
        document = await stranger.request("GET", "/openapi.json", timeout_s=5.0)
        assert json.loads(document.body)["openapi"] == "3.1.0"
        assert (await stranger.request("GET", "/v2/clock", timeout_s=5.0)).status == 401
        await stranger.close()

    front.run(scenario)
