"""The real ibind against our Client Portal, over TLS: what it does here it does at IBKR."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from ibind import (
    CallbackSink,
    ExternalBrokerError,
    IbkrClient,
    IbkrWsClient,
    OrderRequest,
    QuestionType,
    events,
)
from ibind.ibkr_ws.ibkr_subscriptions import (
    MarketDataSubscription,
    OrdersSubscription,
    TradesSubscription,
)

from live.paper.child import VenueProcess
from live.paper.portal_storms import POSTS
from tests.live.conformance.small_venue import started

ACCOUNT, AAPL = "DU123456", 265598
PATIENCE_S, SOON_S = 10.0, 0.5
YES = dict.fromkeys(QuestionType, True)
FAULT = '[[fault]]\nkind = "{}"\n'
NAMES = count()


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """The gateway in a process of its own, in lock-step."""
    folder = tmp_path_factory.mktemp("ibind") / "venue"
    with started(folder, front="portal", account="backtrader", commission=0.001) as running:
        yield running


@dataclass
class Desk:
    """One client, which has asked for its accounts."""

    venue: VenueProcess
    client: Any

    def ask(self, side: str = "BUY", kind: str = "MKT", **words: Any) -> OrderRequest:
        """An order of ten shares with a name of its own."""
        given = {"tif": "GTC", "quantity": 10, "coid": f"order-{next(NAMES)}", **words}
        return OrderRequest(conid=AAPL, side=side, order_type=kind, acct_id=ACCOUNT, **given)

    def place(self, *asks: OrderRequest) -> Any:
        """Submit orders, and say yes to every question that ibind knows."""
        return self.client.place_order(list(asks), YES).data

    def state(self, order_id: str) -> str:
        """The Portal's word for how an order is."""
        return str(self.client.order_status(order_id).data["order_status"])

    def step(self, times: int = 1) -> None:
        """Let minutes pass; prices rise by 0.1 in each."""
        for _ in range(times):
            self.venue.remote.step()
            self.venue.remote.bars()

    @property
    def price(self) -> float:
        """The newest close."""
        bars = self.client.marketdata_history_by_conid(str(AAPL), "1min", period="5min").data
        return float(bars["data"][-1]["c"])

    @property
    def held(self) -> float:
        """Units of the share."""
        rows = self.client.get(f"portfolio2/{ACCOUNT}/positions").data
        return float(sum(row["position"] for row in rows))

    def trades(self) -> list[dict[str, Any]]:
        """Executions of the day."""
        return list(self.client.trades().data or self.client.trades().data)

    @contextmanager
    def listening(self, *subscriptions: Any) -> Iterator["Heard"]:
        """Subscribe on the websocket while the block runs."""
        sink, heard = CallbackSink(), Heard()
        for kind in (events.Orders, events.Trades, events.MarketData, events.AuthenticationStatus):
            sink.on(kind, heard.queue.put)
        url = self.venue.stream_url
        stream = IbkrWsClient(
            ACCOUNT, url=url, ibkr_client=self.client, cacert=self.venue.authority, sink=sink
        )
        assert stream.start()
        # To stop, ibind may wait for a thread that reads what another one has read already.
        stream._runtime._lifecycle._connection_timeout = SOON_S
        try:
            handles = [stream.subscribe(subscription) for subscription in subscriptions]
            assert stream.wait_all(handles, PATIENCE_S) == []
            yield heard
        finally:
            stream.shutdown()


@dataclass
class Heard:
    """What has come on a websocket."""

    queue: "queue.Queue[Any]" = field(default_factory=queue.Queue)

    def next(self, kind: type[Any]) -> Any:
        """The data of the next event of a kind."""
        while True:
            event = self.queue.get(timeout=PATIENCE_S)
            if isinstance(event, kind):
                return event.data

    def rows(self, kind: type[Any], name: str, word: Any) -> dict[str, Any]:
        """The next row whose field is such."""
        while True:
            for row in self.next(kind)["args"]:
                if row.get(name) == word:
                    return dict(row)


@pytest.fixture
def desk(venue: VenueProcess) -> Iterator[Desk]:
    client = IbkrClient(
        account_id=ACCOUNT,
        url=f"{venue.url}/v1/api/",
        cacert=venue.authority,
        max_retries=0,
        auto_register_shutdown=False,
    )
    client.receive_brokerage_accounts()
    client.portfolio_accounts()
    yield Desk(venue, client)
    client.close()


def test_connection_is_healthy_and_the_account_is_there(desk: Desk) -> None:
    assert desk.client.check_health()
    assert desk.client.check_auth_status()
    assert desk.client.receive_brokerage_accounts().data["accounts"] == [ACCOUNT]
    assert desk.client.get_ledger().data["USD"]["cashbalance"] == 100_000
    assert desk.client.portfolio_summary().data["netliquidation"]["amount"] == 100_000
    assert desk.client.positions().data == []


def test_symbol_is_found_with_its_prices_and_its_history(desk: Desk) -> None:
    assert desk.client.stock_conid_by_symbol("AAPL").data == {"AAPL": AAPL}
    found = desk.client.live_marketdata_snapshot_by_symbol("AAPL", ["31", "84"])
    assert float(found["AAPL"]["last_price"]) == desk.price
    days = desk.client.marketdata_history_by_symbol("AAPL", "1d", period="1w").data["data"]
    assert len(days) == 1


def test_market_order_fills_with_its_commission(desk: Desk) -> None:
    before = desk.held
    order = desk.ask()
    taken = desk.place(order)
    assert taken["local_order_id"] == order.coid
    desk.step()
    assert desk.state(taken["order_id"]) == "Filled"
    (trade,) = [it for it in desk.trades() if it["order_ref"] == order.coid]
    cost = float(trade["price"]) * 10 * 0.001
    assert float(trade["commission"]) == pytest.approx(cost)
    assert desk.held == before + 10


def test_bracket_ends_by_its_take_profit_and_the_stop_is_cancelled(desk: Desk) -> None:
    price, entry = desk.price, desk.ask()
    legs = {"parent_id": entry.coid, "side": "SELL"}
    profit = desk.ask(kind="LMT", price=round(price + 1.0, 2), **legs)
    stop = desk.ask(kind="STP", price=round(price - 5.0, 2), **legs)
    before = desk.held
    ids = [row["order_id"] for row in desk.place(entry, profit, stop)]
    desk.step(12)
    assert [desk.state(it) for it in ids] == ["Filled", "Filled", "Cancelled"]
    assert desk.held == before


def test_modified_order_keeps_its_number_and_works_at_its_new_price(desk: Desk) -> None:
    low = desk.ask(kind="LMT", price=round(desk.price - 1.0, 2))
    taken = desk.place(low)
    desk.step()
    assert desk.state(taken["order_id"]) == "Submitted"
    high = desk.ask(kind="LMT", price=round(desk.price + 1.0, 2), coid=low.coid)
    changed = desk.client.modify_order(taken["order_id"], high, YES).data
    desk.step()
    assert changed["order_id"] == taken["order_id"]
    assert desk.state(taken["order_id"]) == "Filled"


def test_cancelled_order_is_gone(desk: Desk) -> None:
    taken = desk.place(desk.ask(kind="LMT", price=round(desk.price - 1.0, 2)))
    desk.step()
    assert desk.client.cancel_order(taken["order_id"]).data["msg"] == "Request was submitted"
    assert desk.state(taken["order_id"]) == "Cancelled"
    desk.client.live_orders()
    rows = {row["orderId"]: row["status"] for row in desk.client.live_orders().data["orders"]}
    assert rows[int(taken["order_id"])] == "Cancelled"


def test_rejected_order_says_why(desk: Desk) -> None:
    taken = desk.place(desk.ask(quantity=1_000_000))
    desk.step()
    told = desk.client.order_status(taken["order_id"]).data
    assert told["order_status"] == "Inactive"
    assert told["order_status_description"] == "Order Rejected - reason:margin"


def test_name_that_was_used_and_questions_that_nobody_knows_are_errors(desk: Desk) -> None:
    order = desk.ask(kind="LMT", price=round(desk.price - 1.0, 2))
    desk.place(order)
    with pytest.raises(ExternalBrokerError, match="already registered"):
        desk.place(order)
    desk.venue.remote.arm(FAULT.format("unknown_question"))
    with pytest.raises(ValueError, match="No answer found for question"):
        desk.place(desk.ask(kind="LMT", price=round(desk.price - 1.0, 2)))


def test_answer_with_status_429_or_500_is_an_error_with_that_status(desk: Desk) -> None:
    for kind, status in (("too_many_requests", 429), ("server_error", 500)):
        desk.venue.remote.arm(FAULT.format(kind) + f'on = "{POSTS}"\n')
        with pytest.raises(ExternalBrokerError) as failed:
            desk.place(desk.ask())
        assert failed.value.status_code == status


def test_lost_session_is_an_error_until_it_is_begun_again(desk: Desk) -> None:
    desk.venue.remote.arm(FAULT.format("session_lost"))
    desk.step()
    assert not desk.client.check_auth_status()
    with pytest.raises(ExternalBrokerError) as lost:
        desk.client.receive_brokerage_accounts()
    assert lost.value.status_code == 401
    desk.client.initialize_brokerage_session()
    assert desk.client.check_auth_status()


def test_events_come_on_the_websocket_and_after_it_broke_what_was_missed(desk: Desk) -> None:
    prices = MarketDataSubscription(conid=str(AAPL), fields=["31"])
    trades = TradesSubscription(realtime_updates_only=True)
    with desk.listening(OrdersSubscription(), trades, prices) as heard:
        order, missed = desk.ask(), desk.ask()
        price = float(heard.next(events.MarketData)["last_price"])
        number = int(desk.place(order)["order_id"])
        desk.step()
        trade = heard.rows(events.Trades, "order_ref", order.coid)
        filled = heard.rows(events.Orders, "status", "Filled")
        assert (trade["side"], trade["size"], filled["orderId"]) == ("B", 10.0, number)
        assert float(heard.next(events.MarketData)["last_price"]) == pytest.approx(price + 0.1)
        desk.venue.remote.drop("trade_updates")
        desk.place(missed)
        desk.step()
        assert heard.rows(events.Orders, "order_ref", missed.coid)["status"] == "Filled"
