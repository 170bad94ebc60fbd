"""What the Client Portal is known to do to its clients, done to ours by a scripted double."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.clock import SystemClock
from brokers.errors import (
    ConfigError,
    DuplicateOrderId,
    SchemaRefused,
    Throttled,
    Transient,
    Unknown,
    VenueRefused,
)
from brokers.orders import OrderSchema
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Unpaced
from brokers.wire.transport import Reconnected, Replacement
from tests.brokers.loopback import serving
from tests.brokers.portal_double import ACCOUNT, PortalDouble, order_row, trade_row
from tests.contract.transport_suite import LONGEST_S, Watch, bracket, exits, limit, market

ORDERS, PLACE = "iserver/account/orders", f"iserver/account/{ACCOUNT}/orders"
TRADES, INIT = "iserver/account/trades", "iserver/auth/ssodh/init"
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
ORDER = f"iserver/account/{ACCOUNT}/order"


class Hasty(SystemClock):
    """A hundred seconds in each."""

    def monotonic(self):
        return super().monotonic() * 100

    async def wait(self, wait_s):
        await asyncio.sleep(wait_s / 100)


@dataclass
class Stage:
    transport: Portal
    double: PortalDouble
    url: str


@asynccontextmanager
async def staged(double, timeout_s=5.0, clock=None, **access):
    clock = clock or SystemClock()
    async with asyncio.timeout(LONGEST_S), serving(double.app) as url:
        portal = Portal(
            PortalAccess(url, **access),
            clock=clock,
            rng=random.Random(1),
            pace=Unpaced(),
            timeout_s=timeout_s,
        )
        try:
            yield Stage(portal, double, url)
        finally:
            await portal.close()


def scene(play, double=None, **options):
    async def run():
        async with staged(double or PortalDouble(), **options) as stage:
            await play(stage)

    asyncio.run(run())


def test_allowed_questions_are_confirmed_one_after_the_other():
    async def play(stage):
        stage.double.questions = [["o163"], ["o354", "o10151"]]
        order = await stage.transport.submit(limit())
        assert order.status == "new"
        replies = stage.double.asked("POST", "iserver/reply/q1")
        assert replies == [{"confirmed": True}, {"confirmed": True}]

    scene(play)


@pytest.mark.parametrize("ids", [["o163", "o99999"], ["o451"], []])
def test_question_that_may_not_be_confirmed_refuses_the_order_and_is_logged(ids, caplog):
    async def play(stage):
        stage.double.questions = [ids]
        with pytest.raises(VenueRefused, match="Are you sure"):
            await stage.transport.submit(limit())
        assert stage.double.asked("POST", "iserver/reply/q1") == [{"confirmed": False}]
        assert stage.double.orders == {}
        assert await stage.transport.find("l1") is None

    scene(play)
    assert "is not confirmed: Are you sure?" in caplog.text


def test_endless_questions_leave_the_order_unknown():
    async def play(stage):
        stage.double.questions = [["o163"]] * 30
        with pytest.raises(Unknown, match="more than 20"):
            await stage.transport.submit(limit())

    scene(play)


def test_error_inside_an_answer_of_status_200_is_a_verdict():
    async def play(stage):
        stage.double.script["POST", PLACE] = [(200, {"error": "no trading permission"})]
        with pytest.raises(VenueRefused, match="no trading permission"):
            await stage.transport.submit(limit())

    scene(play)


def test_second_order_of_one_name_is_a_duplicate_also_for_the_venue():
    text = "Order couldn't be submitted: Local order ID=l1 is already registered."

    async def play(stage):
        stage.double.script["POST", PLACE] = [(200, {"error": text})]
        with pytest.raises(DuplicateOrderId):
            await stage.transport.submit(limit())

    scene(play)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(502, "bad"), (200, "<html>"), (200, []), (200, ["?"]), (None, "")],
)
def test_order_without_a_verdict_is_unknown(status, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["POST", PLACE] = [(status, answer)]
        with pytest.raises(Unknown, match="order l1"):
            await stage.transport.submit(limit())

    scene(play, timeout_s=0.3)


@pytest.mark.parametrize(("status", "answer"), [(503, {"error": "busy"}), (200, "<html>")])
def test_read_without_an_answer_may_be_tried_again(status, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(status, answer)]
        with pytest.raises(Transient):
            await stage.transport.find("l1")
        assert await stage.transport.find("l1") is None

    scene(play)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (ORDERS, {"rows": []}),
        (
            ORDERS,
            {
                "orders": [
                    {
                        "orderId": 1,
                        "status": "Filled",
                        "ticker": "AAPL",
                        "side": "BUY",
                        "totalSize": "many",
                        "orderType": "Limit",
                    }
                ],
                "snapshot": True,
            },
        ),
    ],
)
def test_orders_that_cannot_be_read_are_no_orders(path, answer):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", path] = [(200, answer)]
        with pytest.raises(Transient):
            await stage.transport.orders_since(LONG_AGO)

    scene(play)


@pytest.mark.parametrize("rows", [{}, [{"execution_id": "1", "side": "Q"}]])
def test_trades_that_cannot_be_read_are_no_trades(rows):
    async def play(stage):
        await stage.transport.fills_since(LONG_AGO)
        stage.double.script["GET", TRADES] = [(200, rows)]
        with pytest.raises(Transient):
            await stage.transport.fills_since(LONG_AGO)

    scene(play)


def test_orders_that_are_never_prepared_are_waited_for_no_longer():
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(200, {"orders": [], "snapshot": False})] * 5
        with pytest.raises(Transient, match="still prepares"):
            await stage.transport.find("l1")

    scene(play)


@pytest.mark.parametrize(
    ("path", "answer", "read"),
    [
        (f"portfolio/{ACCOUNT}/summary", {}, "account"),
        (f"portfolio/{ACCOUNT}/summary", {}, "time"),
        (f"portfolio2/{ACCOUNT}/positions", [{"position": 1}], "positions"),
    ],
)
def test_account_that_cannot_be_read_is_no_empty_account(path, answer, read):
    async def play(stage):
        stage.double.script["GET", path] = [(200, answer)]
        with pytest.raises(Transient, match="cannot be read"):
            await getattr(stage.transport, read)()

    scene(play)


def test_positions_are_named_as_the_session_names_them():
    async def play(stage):
        stage.double.positions = [
            {"conid": "265598", "position": -10.0, "avgPrice": "100.50", "description": "AAPL"},
            {"conid": "1", "position": 3.0, "avgPrice": 5, "ticker": "BRK B"},
            {"conid": "2", "position": 0.0, "avgPrice": 0},
        ]
        held = await stage.transport.positions()
        assert [(it.symbol, it.quantity, it.average_price) for it in held] == [
            ("AAPL", -10, Decimal("100.5")),
            ("BRK.B", 3, 5),
        ]

    scene(play)


def test_time_is_that_of_the_account_s_summary():
    async def play(stage):
        assert await stage.transport.time() == datetime(2024, 3, 4, 15, tzinfo=UTC)

    scene(play)


def test_too_many_requests_are_throttled_with_the_wait_that_is_asked_for():
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [(429, "slow down")]
        with pytest.raises(Throttled, match="slow down"):
            await stage.transport.find("l1")

    scene(play)


# The login


@pytest.mark.parametrize("status", [(401, {"error": "not authenticated"}), (400, "no bridge")])
def test_login_that_is_lost_is_taken_up_again(status):
    async def play(stage):
        await stage.transport.account()
        stage.double.script["GET", ORDERS] = [status]
        with pytest.raises(Transient, match="nobody is logged in"):
            await stage.transport.find("l1")
        assert await stage.transport.find("l1") is None
        assert len(stage.double.asked("POST", "tickle")) == 2

    scene(play)


def test_unbridged_login_is_bridged_at_the_start():
    double = PortalDouble()
    double.login["authenticated"] = False
    ready = {"authenticated": True, "competing": False, "connected": True}
    double.script["POST", "iserver/auth/status"] = [(200, double.login), (200, ready)]

    async def play(stage):
        assert (await stage.transport.account()).account_id == ACCOUNT
        assert double.asked("POST", INIT) == [{"publish": True, "compete": False}]

    scene(play, double, clock=Hasty(), timeout_s=500.0)


def test_login_is_taken_up_once_for_all_who_need_it():
    async def play(stage):
        await asyncio.gather(stage.transport.account(), stage.transport.positions())
        assert len(stage.double.asked("POST", "tickle")) == 1

    scene(play)


def test_nobody_logged_in_at_the_start_says_where_to_log_in():
    double = PortalDouble()
    double.login["authenticated"] = False

    async def play(stage):
        with pytest.raises(ConfigError, match=f"open {stage.url} in a browser and log in"):
            await stage.transport.account()

    scene(play, double, clock=Hasty(), timeout_s=500.0)


def test_login_that_another_session_holds_is_left_to_it():
    double = PortalDouble()
    double.login["competing"] = True

    async def play(stage):
        with pytest.raises(ConfigError, match=r"another session \(TWS, a phone, a browser\)"):
            await stage.transport.account()
        assert double.asked("POST", INIT) == []

    scene(play, double)


def test_login_that_another_session_holds_is_taken_over_if_so_wished():
    double = PortalDouble()
    double.login["competing"] = True
    ready = {"authenticated": True, "competing": False, "connected": True}
    double.script["POST", "iserver/auth/status"] = [(200, ready)]

    async def play(stage):
        await stage.transport.account()
        assert double.asked("POST", INIT) == [{"publish": True, "compete": True}]

    scene(play, double, competes=True)


def test_order_while_the_login_is_lost_is_refused_with_the_reason():
    async def play(stage):
        await stage.transport.account()
        stage.double.login["competing"] = True
        stage.double.script["GET", ORDERS] = [(401, {"error": "not authenticated"})]
        with pytest.raises(Transient):
            await stage.transport.find("l1")
        with pytest.raises(VenueRefused, match="another session") as refused:
            await stage.transport.submit(limit())
        assert refused.value.code == "401"
        assert stage.double.asked("POST", PLACE) == []

    scene(play)


def test_answer_without_a_login_in_it_is_no_client_portal_s():
    double = PortalDouble()
    double.script["POST", "tickle"] = [(200, {"hello": "world"})]

    async def play(stage):
        with pytest.raises(ConfigError, match=r"is none: .*hello.* to tickle"):
            await stage.transport.account()

    scene(play, double)


@pytest.mark.parametrize(
    ("accounts", "wanted", "text"),
    [
        (["DU1", "DU2"], "", "choose one account of DU1, DU2"),
        (["DU1"], "DU9", "no account DU9: there is DU1"),
        (["U1"], "", "U1 is an account with money"),
    ],
)
def test_account_that_is_not_surely_meant_is_refused(accounts, wanted, text):
    double = PortalDouble()
    double.accounts = accounts

    async def play(stage):
        with pytest.raises(ConfigError, match=text):
            await stage.transport.positions()

    scene(play, double, account=wanted)


def test_account_that_is_wanted_is_selected_when_another_one_is():
    double = PortalDouble()
    double.accounts = ["DU1", ACCOUNT]

    async def play(stage):
        await stage.transport.account()
        assert double.asked("POST", "iserver/account") == [{"acctId": ACCOUNT}]

    scene(play, double, account=ACCOUNT)


def test_account_with_money_is_no_surprise_where_it_is_asked_for():
    double = PortalDouble()
    double.accounts = ["U1"]

    async def play(stage):
        await stage.transport.look_up("AAPL")

    scene(play, double, is_money=True)


def test_login_is_kept_alive_while_the_websocket_is_quiet():
    async def play(stage):
        async with Watch(stage.transport):
            await stage.double.ticked.wait()
        assert len(stage.double.asked("POST", "tickle")) == 2

    scene(play, clock=Hasty(), timeout_s=500.0)


def test_login_that_ends_between_two_heartbeats_is_taken_up_again():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            lost = {"authenticated": False, "competing": False, "connected": False}
            told = {"session": "s", "iserver": {"authStatus": lost}}
            stage.double.script["POST", "tickle"] = [(200, told)]
            await watch.connected(times=2)

    scene(play, clock=Hasty(), timeout_s=500.0)


def test_login_that_the_websocket_says_is_lost_is_taken_up_again():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.say("sts", {"authenticated": True, "competing": False})
            await stage.double.say("sts", {"authenticated": False})
            await watch.connected(times=2)
        assert len(stage.double.asked("POST", "tickle")) >= 2

    scene(play)


def test_cookie_of_the_websocket_is_the_login_s():
    async def play(stage):
        async with Watch(stage.transport):
            assert stage.double.cookie == 'api={"session":"s3cret"}'

    scene(play)


# The websocket, and doing without it


def test_without_a_websocket_orders_and_trades_are_asked_for():
    double = PortalDouble()
    double.takes_websockets = False
    double.script["GET", TRADES] = [(500, "down")]

    async def play(stage):
        async with Watch(stage.transport) as watch:
            assert isinstance(watch.seen[0], Reconnected)
            await stage.transport.submit(limit())
            double.trades.append(trade_row(1, "l1"))
            await watch.filled("AAPL", 10)
            await stage.transport.submit(limit("l2"))
            double.orders["1001"]["status"] = "Cancelled"
            await watch.said("1001/l2", "canceled")
        assert double.said == []

    scene(play, double, clock=Hasty(), timeout_s=500.0)


def test_frame_that_is_no_message_ends_the_connection():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            for number, frame in enumerate(("{", "[]"), 2):
                await stage.double.send(frame)
                await watch.connected(times=number)

    scene(play)


def test_heartbeats_are_not_counted_and_unknown_topics_are_left_alone():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.send('{"topic":"system","hb":1}')
            await stage.double.say("blt", {"message": "hello"})
            await stage.double.say("sor", order_row(7, "by-hand"))
            await watch.said("7/by-hand", "new")
            assert stage.transport.heard == (2, 1)
        assert stage.transport.heard[0] == -1

    scene(play)


def test_rows_of_another_account_are_not_ours():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.say("sor", order_row(7, "theirs", acct="DU9"))
            await stage.double.say("str", trade_row(1, "theirs", account="DU9"))
            await stage.double.say("sor", order_row(8, "ours"))
            await watch.said("8/ours", "new")
        assert [news.order.client_order_id for news in watch.updates] == ["ours"]

    scene(play)


def test_partial_row_about_an_unknown_order_has_all_orders_read():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            stage.double.orders["7"] = order_row(7, "by-hand", status="Cancelled")
            await stage.double.say("sor", {"acct": ACCOUNT, "orderId": 7, "status": "Cancelled"})
            await watch.said("7/by-hand", "canceled")

    scene(play)


async def overtaken(stage, asked, *said):
    """What was asked for is answered after all of this has come by the websocket."""
    heard = stage.transport.heard[0]
    stage.double.holds.clear()
    task = asyncio.create_task(asked)
    await stage.double.holds.wait()
    for topic, row in said:
        await stage.double.say(topic, row)
    while stage.transport.heard[0] < heard + len(said):  # noqa: ASYNC110  it has no event for it
        await asyncio.sleep(0)
    stage.double.lets_go.set()
    return await task


def test_order_is_told_by_its_answer_though_the_websocket_is_faster():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            stage.double.lets_go.clear()
            said = ("sor", order_row(1000, "l1")), ("str", trade_row(1, "l1", size=4))
            order = await overtaken(stage, stage.transport.submit(limit()), *said)
            await watch.filled("AAPL", 4)
            assert (order.client_order_id, order.filled_quantity) == ("l1", 4)
        assert len(watch.fills("AAPL")) == 1

    scene(play)


def test_replacement_is_told_by_its_answer_though_the_websocket_is_faster():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(limit())
            stage.double.lets_go.clear()
            terms = Replacement(limit_price=Decimal(91))
            asked = stage.transport.replace(order.venue_order_id, "l2", terms)
            said = ("sor", order_row(1000, "l2/l1", price="91"))
            changed = await overtaken(stage, asked, said)
            await watch.said("1000/l1", "replaced")
        assert (changed.client_order_id, changed.limit_price) == ("l2", 91)
        assert changed.replaces == order.venue_order_id

    scene(play)


def test_contracts_may_be_watched_before_the_websocket_is_open():
    async def play(stage):
        await stage.transport.stream.watch([7])
        async with Watch(stage.transport):
            await stage.transport.submit(limit())
        assert 'smd+7+{"fields":["31"]}' in stage.double.said

    scene(play)


def test_updates_end_where_nobody_ever_was_logged_in():
    double = PortalDouble()
    double.login["competing"] = True

    async def play(stage):
        with pytest.raises(ConfigError, match="another session"):
            await anext(stage.transport.updates())

    scene(play, double)


@pytest.mark.parametrize("told", [{}, []])
def test_accounts_that_cannot_be_read_may_be_asked_for_again(told):
    double = PortalDouble()
    double.script["GET", "iserver/accounts"] = [(200, told)]

    async def play(stage):
        with pytest.raises(Transient, match="accounts cannot be read"):
            await stage.transport.account()
        assert (await stage.transport.account()).account_id == ACCOUNT

    scene(play, double)


def test_execution_is_told_once_though_it_comes_thrice_and_corrected():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.transport.submit(limit())
            await stage.double.say("str", trade_row(1, "l1", commission=None))
            await stage.double.say("str", trade_row(1, "l1", execution_id="0000e0d5.1.02"))
            stage.double.trades.append(trade_row(1, "l1"))
            (fill,) = await stage.transport.fills_since(LONG_AGO)
            await watch.filled("AAPL", 10)
            await stage.double.say("sor", {"orderId": 1000, "status": "Filled"})
            await stage.double.say("sor", order_row(8, "after"))
            await watch.said("8/after", "new")
        assert len(watch.fills("AAPL")) == 1
        assert fill.commission == 1

    scene(play)


def test_execution_may_come_before_its_order():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            await stage.double.say("str", trade_row(1, "by-hand"))
            await stage.double.say("sor", order_row(7, "by-hand", status="Filled"))
            await watch.filled("AAPL", 10)
            await watch.said("7/by-hand", "filled")
        assert watch.fills("AAPL")[0].venue_order_id == "7/by-hand"

    scene(play)


def test_execution_of_an_order_that_is_never_told_of_is_among_the_fills():
    async def play(stage):
        stage.double.trades.append(trade_row(1, "yesterday's"))
        (fill,) = await stage.transport.fills_since(LONG_AGO)
        assert (fill.quantity, fill.price, fill.commission) == (10, 100, 1)

    scene(play)


# Orders


@pytest.mark.parametrize(
    "row", [{"order_id": "-1"}, {"order_id": "1001", "order_status": "Failed"}]
)
def test_family_that_is_taken_in_part_is_cancelled_whole(row):
    async def play(stage):
        await stage.transport.cancel("none")  # which reads the orders that there are
        stage.double.orders["1000"] = order_row(1000, "b1")
        names = ("b1", "b1-sl", "b1-tp")
        rows = [{"order_id": "1000", "local_order_id": "b1", "order_status": "Submitted"}]
        rows += [{**row, "local_order_id": name, "text": "bad\nprice"} for name in names[1:]]
        stage.double.script["POST", PLACE] = [(200, rows)]
        with pytest.raises(VenueRefused, match="bad price"):
            await stage.transport.submit(bracket())
        assert stage.double.asked("DELETE", f"{ORDER}/1000") == [None]

    scene(play)


def test_answers_without_our_names_are_taken_in_turn():
    async def play(stage):
        rows = [{"order_id": number, "order_status": "PreSubmitted"} for number in ("1", "2", "3")]
        stage.double.script["POST", PLACE] = [(200, rows)]
        order = await stage.transport.submit(bracket())
        assert order.venue_order_id == "1/b1"
        assert [leg.venue_order_id for leg in order.legs] == ["2/b1-sl", "3/b1-tp"]

    scene(play)


@pytest.mark.parametrize(
    ("answer", "is_over"),
    [((400, {"error": "Order is inactive"}), True), ((400, {"error": "OrderID is busy"}), False)],
)
def test_refused_cancel_matters_only_while_the_order_works(answer, is_over):
    async def play(stage):
        order = await stage.transport.submit(limit())
        stage.double.script["DELETE", f"{ORDER}/1000"] = [answer]
        if is_over:
            stage.double.orders["1000"]["status"] = "Inactive"
            await stage.transport.cancel(order.venue_order_id)
            assert (await stage.transport.find("l1")).status == "rejected"
        else:
            with pytest.raises(VenueRefused, match="busy"):
                await stage.transport.cancel(order.venue_order_id)

    scene(play)


def test_order_that_has_ended_is_not_replaced():
    async def play(stage):
        with pytest.raises(VenueRefused, match="not at work"):
            await stage.transport.replace("7/x", "l2", Replacement(limit_price=Decimal(91)))

    scene(play)


def test_order_of_an_earlier_session_is_replaced_and_cancelled():
    row = order_row(
        7, "s1", orderType="Stop Limit", price="90", auxPrice="91", status="PreSubmitted"
    )
    double = PortalDouble()
    double.orders["7"] = row

    async def play(stage):
        terms = Replacement(quantity=Decimal(5), limit_price=Decimal(89), stop_price=Decimal(92))
        order = await stage.transport.replace("7/s1", "s2", terms)
        (body,) = double.asked("POST", f"{ORDER}/7")
        assert (body["cOID"], body["quantity"]) == ("s2/s1", 5.0)
        assert (body["price"], body["auxPrice"]) == (89.0, 92.0)
        assert (order.status, order.replaces, order.quantity) == ("new", "7/s1", 5)
        await stage.transport.cancel("7/s2")
        assert (await stage.transport.find("s2")).status == "canceled"
        assert (await stage.transport.find("s1")).status == "replaced"

    scene(play, double)


@pytest.mark.parametrize(
    ("trail", "change", "sent"),
    [({"trail_amount": "2"}, "3", 3.0), ({"trail_frac": "0.05"}, "0.1", 10.0)],
)
def test_trail_is_replaced_in_the_unit_that_it_had(trail, change, sent):
    async def play(stage):
        order = await stage.transport.submit(
            OrderSchema(
                client_order_id="t1",
                symbol="AAPL",
                side="sell",
                quantity="10",
                order_type="trailing_stop",
                **trail,
            )
        )
        terms = Replacement(trail=Decimal(change))
        await stage.transport.replace(order.venue_order_id, "t2", terms)
        (body,) = stage.double.asked("POST", f"{ORDER}/1000")
        assert body["trailingAmt"] == sent

    scene(play)


def test_stop_is_replaced_by_its_trigger():
    async def play(stage):
        order = await stage.transport.submit(exits())
        (stop,) = order.legs
        terms = Replacement(stop_price=Decimal(96))
        changed = await stage.transport.replace(stop.venue_order_id, "x2", terms)
        assert (changed.stop_price, changed.role) == (96, "stop_loss")

    scene(play)


def test_partly_filled_order_is_replaced_by_what_is_left():
    async def play(stage):
        async with Watch(stage.transport) as watch:
            order = await stage.transport.submit(limit())
            await stage.double.say("str", trade_row(1, "l1", size=4))
            await watch.filled("AAPL", 4)
            terms = Replacement(quantity=Decimal(6), limit_price=Decimal(91))
            after = await stage.transport.replace(order.venue_order_id, "l2", terms)
            before = await stage.transport.find("l1")
        assert (after.quantity, after.filled_quantity) == (6, 0)
        assert (before.status, before.filled_quantity) == ("replaced", 4)
        assert stage.double.asked("POST", f"{ORDER}/1000")[0]["quantity"] == 10.0

    scene(play)


def test_modification_that_fails_is_refused():
    async def play(stage):
        order = await stage.transport.submit(limit())
        stage.double.script["POST", f"{ORDER}/1000"] = [(200, [{"order_id": "-1"}])]
        with pytest.raises(VenueRefused, match="no reason given"):
            await stage.transport.replace(order.venue_order_id, "l2", Replacement())
        assert await stage.transport.find("l2") is None

    scene(play)


def test_name_that_was_used_is_refused_before_anything_is_sent():
    async def play(stage):
        order = await stage.transport.submit(limit())
        with pytest.raises(DuplicateOrderId):
            await stage.transport.replace(order.venue_order_id, "l1", Replacement())

    scene(play)


@pytest.mark.parametrize(
    ("stocks", "symbol", "error", "text"),
    [
        ([(1, "NYSE", True), (2, "ARCA", True)], "XX", SchemaRefused, "XX@NYSE, XX@ARCA"),
        ([(2, "MEXI", False)], "XX", VenueRefused, "no stock XX in the USA"),
    ],
)
def test_symbol_that_is_not_one_stock_is_refused(stocks, symbol, error, text):
    async def play(stage):
        stage.double.stocks["XX"] = stocks
        with pytest.raises(error, match=text):
            await stage.transport.submit(market(symbol=symbol))

    scene(play)


def test_listing_may_be_chosen_and_classes_of_shares_are_written_with_a_point():
    async def play(stage):
        stage.double.stocks["BRK B"] = [(1, "NYSE", True), (2, "ARCA", True)]
        await stage.transport.submit(market(symbol="BRK.B@ARCA"))
        (body,) = stage.double.asked("POST", PLACE)
        assert body["orders"][0]["conid"] == 2

    scene(play)


def test_contracts_that_cannot_be_read_are_none():
    async def play(stage):
        stage.double.script["GET", "trsrv/stocks"] = [(200, {"XX": [{"name": "XX"}]})]
        with pytest.raises(Transient, match="cannot be read"):
            await stage.transport.look_up("XX")

    scene(play)


def test_orders_since_leave_out_what_ended_before():
    async def play(stage):
        stage.double.orders["7"] = order_row(7, "old", status="Cancelled")
        assert await stage.transport.orders_since(LONG_AGO + timedelta(days=300)) == []
        assert len(await stage.transport.orders_since(LONG_AGO)) == 1

    scene(play)
