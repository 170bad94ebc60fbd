"""The real alpaca-py against the paper venue: every call it offers, every answer parsed by it."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    CorporateActionType,
    OrderClass,
    OrderSide,
    OrderStatus,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import AccountConfiguration, Order, TradeUpdate
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetCalendarRequest,
    GetCorporateAnnouncementsRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    GetPortfolioHistoryRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from live.paper.child import VenueProcess
from live.paper.control import ControlError
from tests.live.conformance.small_venue import KEY, SECRET, started

PATIENCE_S = 10.0
DAY, GTC = TimeInForce.DAY, TimeInForce.GTC
BUY, SELL = OrderSide.BUY, OrderSide.SELL
# What the venue does not have, by alpaca-py's own names.
OUT_OF_SCOPE = {
    *("get_watchlists", "get_watchlist_by_id", "create_watchlist", "update_watchlist_by_id"),
    *("add_asset_to_watchlist_by_id", "delete_watchlist_by_id"),
    "remove_asset_from_watchlist_by_id",
    *("exercise_options_position", "get_option_contracts", "get_option_contract"),
}
STREAM_PLUMBING = {"run", "stop", "stop_ws", "close"}
NEVER_SENT = {"register_trade_corrections", "register_trade_cancels"}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[VenueProcess]:
    with started(tmp_path / "venue") as running:
        yield running
    assert running.stop() == running.summary
    with pytest.raises(ControlError, match="does not answer"):
        running.remote.counters()


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    with started(tmp_path_factory.mktemp("alpaca") / "venue") as running:
        yield running


def methods(client: type, base: type = object) -> set[str]:
    """Public methods of a client that its base does not have."""
    return {
        name
        for name in dir(client)
        if not name.startswith("_") and callable(getattr(client, name)) and not hasattr(base, name)
    }


class Recorder:
    """A client that notes which of its methods were called."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self._client, name)


def trading(venue: VenueProcess, key: str = KEY, secret: str = SECRET) -> Any:
    client = TradingClient(key, secret, paper=True, url_override=venue.url)
    client._retry = 0  # alpaca-py would send a POST four times
    return Recorder(client)


def turn(venue: VenueProcess) -> None:
    venue.remote.step()
    venue.remote.bars()


def orders_of_every_kind(client: Any) -> dict[str, Order]:
    """Bought first, so that exits have something to close."""
    common = {"symbol": "AAPL", "qty": 2, "time_in_force": GTC}
    bracket = {
        "order_class": OrderClass.BRACKET,
        "take_profit": TakeProfitRequest(limit_price=230.0),
        "stop_loss": StopLossRequest(stop_price=150.5, limit_price=150.25),
    }
    requests = {
        "limit": LimitOrderRequest(**common, side=SELL, limit_price=150.5),
        "stop": StopOrderRequest(**common, side=SELL, stop_price=50.5),
        "stop_limit": StopLimitOrderRequest(**common, side=SELL, stop_price=50, limit_price=49),
        "trailing": TrailingStopOrderRequest(**common, side=SELL, trail_percent=10),
        "bracket": MarketOrderRequest(
            symbol="MSFT", qty=3, side=BUY, time_in_force=GTC, client_order_id="b-1", **bracket
        ),
        "oco": LimitOrderRequest(
            **common,
            side=SELL,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=160.5),
            stop_loss=StopLossRequest(stop_price=40.5),
        ),
        "notional": MarketOrderRequest(symbol="MSFT", notional=50.25, side=BUY, time_in_force=DAY),
    }
    return {name: client.submit_order(request) for name, request in requests.items()}


def test_trading_client_makes_every_call_of_ours_and_parses_every_answer(
    fresh: VenueProcess,
) -> None:
    client = trading(fresh)
    client.submit_order(MarketOrderRequest(symbol="AAPL", qty=20, side=BUY, time_in_force=DAY))
    turn(fresh)
    placed = orders_of_every_kind(client)
    assert [leg.status for leg in placed["bracket"].legs] == [OrderStatus.HELD] * 2
    assert placed["notional"].notional == "50.25"
    account_calls(client)
    reference_calls(client)
    order_calls(client, placed)
    turn(fresh)
    position_calls(client, fresh)
    expected = methods(TradingClient, RESTClient) - OUT_OF_SCOPE
    assert expected <= client.called
    assert client.called - expected == {"get"}  # activities have no method of their own


def account_calls(client: Any) -> None:
    assert float(client.get_account().cash) < 100_000
    settings = client.get_account_configurations()
    assert isinstance(client.set_account_configurations(settings), AccountConfiguration)
    history = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1W", timeframe="1H"))
    assert len(history.equity) == 1
    rows = client.get("/account/activities", {"activity_types": "FILL", "page_size": 1})
    assert (rows[0]["type"], rows[0]["qty"]) == ("fill", "20")
    assert client.get("/account/activities/FILL", {"page_token": rows[0]["id"]}) == []


def reference_calls(client: Any) -> None:
    assert [asset.symbol for asset in client.get_all_assets(GetAssetsRequest())] == ["AAPL", "MSFT"]
    asset = client.get_asset("AAPL")
    assert client.get_asset(asset.id) == asset
    assert client.get_clock().is_open
    wanted = GetCalendarRequest(start=date(2024, 7, 3), end=date(2024, 7, 5))
    assert [day.close.hour for day in client.get_calendar(wanted)] == [13, 16]
    kinds = [CorporateActionType.SPLIT]
    asked = GetCorporateAnnouncementsRequest(
        ca_types=kinds, since=date(2024, 1, 1), until=date(2024, 2, 1)
    )
    with pytest.warns(DeprecationWarning, match="get_corporate_announcements is deprecated"):
        assert client.get_corporate_announcements(asked) == []
    with pytest.raises(APIError, match="announcement not found"):
        client.get_corporate_announcement_by_id(asset.id)


def order_calls(client: Any, placed: dict[str, Order]) -> None:
    bracket = placed["bracket"]
    nested = client.get_order_by_id(bracket.id, GetOrderByIdRequest(nested=True))
    assert [leg.id for leg in nested.legs] == [leg.id for leg in bracket.legs]
    assert client.get_order_by_client_id("b-1").id == bracket.id
    found = client.get_orders(
        GetOrdersRequest(
            status=QueryOrderStatus.ALL, nested=True, after=datetime(2024, 1, 1, tzinfo=UTC)
        )
    )
    assert len(found) == 8
    new = client.replace_order_by_id(
        placed["limit"].id, ReplaceOrderRequest(limit_price=155.5, qty=1)
    )
    assert (str(new.replaces), new.limit_price, new.qty) == (str(placed["limit"].id), "155.5", "1")
    assert client.get_order_by_id(placed["limit"].id).status == OrderStatus.REPLACED
    client.cancel_order_by_id(new.id)
    assert client.get_order_by_id(new.id).status == OrderStatus.CANCELED
    rows = client.cancel_orders()
    assert {row.status for row in rows} == {200}
    client.submit_order(MarketOrderRequest(symbol="MSFT", qty=5, side=BUY, time_in_force=DAY))


def position_calls(client: Any, venue: VenueProcess) -> None:
    held = {position.symbol: position for position in client.get_all_positions()}
    assert {symbol: position.qty for symbol, position in held.items()} == {
        "AAPL": "20",
        "MSFT": "5",
    }
    assert client.get_open_position("AAPL") == held["AAPL"]
    part = client.close_position("AAPL", ClosePositionRequest(percentage="25"))
    assert (part.qty, part.side) == ("5", SELL)
    turn(venue)
    closed = client.close_all_positions(cancel_orders=True)
    assert [(row.symbol, row.status, row.body.qty) for row in closed] == [
        ("AAPL", 200, "15"),
        ("MSFT", 200, "5"),
    ]
    turn(venue)
    assert client.get_all_positions() == []


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ({"symbol": "NONE"}, 422, "not found"),
        ({"qty": 1_000_000}, 403, "insufficient buying power"),
    ],
)
def test_refusals_reach_alpaca_py_as_its_own_errors(
    venue: VenueProcess, request_: dict[str, Any], status: int, words: str
) -> None:
    client = trading(venue)
    fields = {"symbol": "AAPL", "qty": 1, "side": BUY, "time_in_force": DAY, **request_}
    with pytest.raises(APIError) as raised:
        client.submit_order(MarketOrderRequest(**fields))
    assert raised.value.status_code == status
    assert words in raised.value.message


def test_wrong_key_and_key_of_the_other_environment_are_told_apart(venue: VenueProcess) -> None:
    for key, secret, status in (("PKOTHER", SECRET, 401), ("AKLIVE", SECRET, 403)):
        with pytest.raises(APIError) as raised:
            trading(venue, key, secret).get_account()
        assert raised.value.status_code == status


def test_historical_client_makes_every_call_and_follows_pages_across_symbols(
    venue: VenueProcess,
) -> None:
    client = Recorder(StockHistoricalDataClient(KEY, SECRET, url_override=venue.url))
    both = ["MSFT", "AAPL"]
    span = {
        "start": datetime(2024, 1, 2, tzinfo=UTC),
        "end": datetime(2024, 1, 2, 14, 39, tzinfo=UTC),
    }
    how = {"symbol_or_symbols": both, "feed": DataFeed.IEX, **span}
    minutes = client.get_stock_bars(
        StockBarsRequest(
            **how, timeframe=TimeFrame.Minute, adjustment=Adjustment.ALL, asof="2024-01-02"
        )
    )
    assert [len(minutes[symbol]) for symbol in both] == [10, 10]
    (day,) = client.get_stock_bars(StockBarsRequest(**how, timeframe=TimeFrame.Day))["AAPL"]
    newest = day.close
    assert (day.timestamp, day.open) == (datetime(2024, 1, 2, 5, tzinfo=UTC), 99.95)
    assert len(client.get_stock_trades(StockTradesRequest(**how))["AAPL"]) == 10
    assert len(client.get_stock_quotes(StockQuotesRequest(**how))["AAPL"]) == 10
    latest = {"symbol_or_symbols": both}
    assert client.get_stock_latest_bar(StockLatestBarRequest(**latest))["AAPL"].close == newest
    assert client.get_stock_latest_trade(StockLatestTradeRequest(**latest))["AAPL"].price == newest
    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(**latest))["MSFT"]
    assert (quote.bid_price, quote.ask_price) == (newest + 100, newest + 100)
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(**latest))["AAPL"]
    assert (snapshot.daily_bar.close, snapshot.previous_daily_bar) == (newest, None)
    assert client.called == methods(StockHistoricalDataClient, RESTClient)


@contextmanager
def running(
    stream: Any, is_ready: Callable[[], bool], nudge: Callable[[], object]
) -> Iterator[None]:
    """Run an alpaca-py stream in a thread until the block ends; a message wakes it to its end."""
    thread = threading.Thread(target=stream.run)
    thread.start()
    ready = threading.Event()
    try:
        for _ in range(int(PATIENCE_S / 0.05)):
            if is_ready():
                break
            ready.wait(0.05)
        yield
    finally:
        stream.stop()
        nudge()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_trading_stream_tells_of_every_state_of_a_bracket(venue: VenueProcess) -> None:
    told: queue.Queue[TradeUpdate] = queue.Queue()

    async def take(update: TradeUpdate) -> None:
        told.put(update)

    stream = TradingStream(KEY, SECRET, url_override=f"{venue.stream_url}/stream")
    stream.subscribe_trade_updates(take)
    client = trading(venue)

    def another() -> None:
        client.submit_order(MarketOrderRequest(symbol="MSFT", qty=1, side=BUY, time_in_force=DAY))

    before = venue.remote.counters().updates_sent
    with running(stream, lambda: venue.remote.counters().is_listened_to, another):
        client.submit_order(
            LimitOrderRequest(
                symbol="AAPL",
                qty=2,
                side=BUY,
                time_in_force=GTC,
                limit_price=120.0,
                order_class=OrderClass.BRACKET,
                take_profit=TakeProfitRequest(limit_price=130.0),
                stop_loss=StopLossRequest(stop_price=90.0),
            )
        )
        turn(venue)
        sent = venue.remote.counters().updates_sent - before
        updates = [told.get(timeout=PATIENCE_S) for _ in range(sent)]
    events = [update.event for update in updates]
    assert "fill" in events
    filled = updates[events.index("fill")]
    assert (filled.qty, filled.order.filled_qty, filled.position_qty) == (2.0, "2", 2.0)
    assert len(filled.order.legs) == 2
    called = {"subscribe_trade_updates", *STREAM_PLUMBING}
    assert methods(TradingStream) == called


def test_data_stream_gives_every_kind_of_message_it_can_subscribe_to(fresh: VenueProcess) -> None:
    told: queue.Queue[Any] = queue.Queue()

    async def take(message: Any) -> None:
        told.put(message)

    stream = StockDataStream(KEY, SECRET, url_override=f"{fresh.stream_url}/v2/iex")
    kinds = {name for name in methods(StockDataStream) if name.startswith("subscribe_")}
    for name in sorted(kinds):
        getattr(stream, name)(take, "AAPL")
    for name in NEVER_SENT:
        getattr(stream, name)(take)
    with running(stream, lambda: subscribed(fresh), lambda: turn(fresh)):
        turn(fresh)
        first = [told.get(timeout=PATIENCE_S) for _ in range(5)]
        for name in kinds:
            getattr(stream, name.replace("subscribe", "unsubscribe"))("AAPL")
        stream.subscribe_bars(take, "AAPL")  # so that the last turn wakes it to its end
    assert sorted(type(message).__name__ for message in first) == [
        *("Bar", "Bar", "Quote", "Trade", "TradingStatus")
    ]
    assert {message.symbol for message in first} == {"AAPL"}
    unsubscribed = {name.replace("subscribe", "unsubscribe") for name in kinds}
    assert methods(StockDataStream) == {*kinds, *unsubscribed, *STREAM_PLUMBING, *NEVER_SENT}


def subscribed(venue: VenueProcess) -> bool:
    """Whether the client's subscription has arrived: the venue knows, alpaca-py does not say."""
    return venue.remote.counters().is_data_listened_to
