"""The Client Portal's calls about orders: questions, names, families, changes, lists."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.paper.portal_api import Terms
from live.paper.portal_questions import Precautions
from tests.live.paper.portal_front import AAPL, ACCOUNT, BUY, LIMIT, MSFT, ORDERS, Front

SELL = {**BUY, "side": "SELL"}


def refusal(front: Front, *orders: Any, path: str = ORDERS) -> tuple[int, str]:
    """Status and text of an answer that is an error."""
    body = {"orders": list(orders)} if path == ORDERS else orders[0]
    status, told = front.call("POST", path, body)
    return status, told["error"]


def asked(front: Front, *orders: Any) -> list[str]:
    """Ids of the question that submitted orders bring first."""
    return list(front.call("POST", ORDERS, {"orders": list(orders)})[1][0].get("messageIds", []))


def bracket(**entry: Any) -> list[dict[str, Any]]:
    """A long entry with both exits."""
    parent = {**BUY, "cOID": "entry", "tif": "GTC", **entry}
    leg = {**SELL, "parentId": "entry", "tif": "GTC"}
    profit = {**leg, "cOID": "profit", "orderType": "LMT", "price": 102.0}
    stop = {**leg, "cOID": "stop", "orderType": "STP", "price": 95.0}
    return [parent, profit, stop]


def test_market_order_is_taken_after_its_question_and_fills_at_the_next_open() -> None:
    front = Front()
    (taken,) = front.place({**BUY, "cOID": "mine"})
    assert (taken["local_order_id"], taken["order_status"]) == ("mine", "PendingSubmit")
    front.turn()
    (row,) = front.live()
    assert (row["status"], row["filledQuantity"], row["avgPrice"]) == ("Filled", 10.0, "100.95")
    assert (row["order_ref"], str(row["orderId"])) == ("mine", taken["order_id"])


def test_order_that_is_not_confirmed_is_discarded() -> None:
    front = Front()
    _, told = front.call("POST", ORDERS, {"orders": [BUY]})
    path = f"/iserver/reply/{told[0]['id']}"
    assert "discarded" in front.call("POST", path, {"confirmed": False})[1]["error"]
    assert front.call("POST", path, {"confirmed": True})[0] == 400
    assert front.live() == []


def test_second_submission_makes_the_question_about_the_first_obsolete() -> None:
    front = Front()
    _, told = front.call("POST", ORDERS, {"orders": [BUY]})
    front.place(LIMIT)
    assert front.call("POST", f"/iserver/reply/{told[0]['id']}", {"confirmed": True})[0] == 400
    assert [row["orderType"] for row in front.live()] == ["Limit"]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        (BUY, ["o10151"]),
        ({**BUY, "orderType": "STP", "price": 110.0}, ["o10331"]),
        ({**BUY, "orderType": "STOP_LIMIT", "price": 111.0, "auxPrice": 110.0}, ["o10331"]),
        ({**BUY, "orderType": "LMT", "price": 97.0}, ["o163"]),
        (LIMIT, []),
        ({**LIMIT, "quantity": 501}, ["o383"]),
        ({**LIMIT, "quantity": 400}, ["o451"]),
        ({**LIMIT, "conid": MSFT, "price": 200.5}, ["o354"]),
    ],
)
def test_each_precaution_has_a_question_of_its_own(order: dict[str, Any], ids: list[str]) -> None:
    cautions = Precautions(Decimal(500), Decimal(40_000), frozenset({"MSFT"}))
    assert asked(Front(terms=Terms(precautions=cautions, is_paced=False)), order) == ids


def test_suppressed_questions_are_not_asked_until_the_suppression_is_reset() -> None:
    front = Front()
    body = {"messageIds": ["o10151"]}
    assert front.call("POST", "/iserver/questions/suppress", body)[1] == {"status": "submitted"}
    assert asked(front, BUY) == []
    front.call("POST", "/iserver/questions/suppress/reset")
    assert asked(front, BUY) == ["o10151"]
    many = {"messageIds": ["o1"] * 52}
    assert front.call("POST", "/iserver/questions/suppress", many)[0] == 400


def test_name_that_was_used_is_refused_inside_an_answer_with_status_200() -> None:
    front = Front()
    front.place({**LIMIT, "cOID": "mine"})
    text = "Order couldn't be submitted: Local order ID=mine is already registered."
    assert refusal(front, {**LIMIT, "cOID": "mine"}) == (200, text)


def test_bracket_ends_by_its_take_profit_and_the_stop_is_cancelled() -> None:
    front = Front()
    entry, profit, stop = front.place(*bracket())
    assert profit["parent_order_id"] == stop["parent_order_id"] == entry["order_id"]
    front.turn()
    states = [row["status"] for row in front.live()]
    assert states == ["Filled", "Submitted", "PreSubmitted"]
    front.turn(12)
    assert [row["status"] for row in front.live()] == ["Filled", "Filled", "Cancelled"]
    assert front.get(f"/portfolio2/{ACCOUNT}/positions") == []


def test_legs_of_an_entry_that_rests_are_held() -> None:
    front = Front()
    front.place(*bracket(orderType="LMT", price=98.0))
    front.turn()
    assert [row["status"] for row in front.live()] == ["Submitted", "PreSubmitted", "PreSubmitted"]
    assert [row.get("parentId") for row in front.live()] == [None, 1001, 1001]


def test_of_a_single_group_one_fills_and_the_other_is_cancelled() -> None:
    front = Front()
    front.place(BUY)
    front.turn()
    group = {**SELL, "tif": "GTC", "isSingleGroup": True}
    front.place(
        {**group, "orderType": "STP", "price": 95.0}, {**group, "orderType": "LMT", "price": 102.0}
    )
    front.turn(12)
    assert [row["status"] for row in front.live()] == ["Filled", "Cancelled", "Filled"]


def test_order_of_a_group_that_is_refused_leaves_the_other_at_work() -> None:
    front = Front()
    group = {**LIMIT, "isSingleGroup": True}
    taken, failed = front.place({**group, "cOID": "a"}, {**group, "quantity": 0, "cOID": "b"})
    assert (taken["local_order_id"], taken["order_status"]) == ("a", "PendingSubmit")
    assert (failed["local_order_id"], failed["order_status"]) == ("b", "Failed")
    assert len(front.live()) == 1


def test_order_keeps_its_number_when_it_is_modified() -> None:
    front = Front()
    (taken,) = front.place({**BUY, "orderType": "LMT", "price": 90.0, "cOID": "mine", "tif": "GTC"})
    front.turn()
    path = f"/iserver/account/{ACCOUNT}/order/{taken['order_id']}"
    (changed,) = front.settled(front.call("POST", path, {**LIMIT, "price": 101.0, "tif": "GTC"}))
    assert changed["order_id"] == taken["order_id"]
    front.turn(2)
    assert front.order(taken["order_id"])["order_status"] == "Filled"
    assert (
        refusal(front, LIMIT, path=path)[1] == "Order cannot be modified: it is no longer working"
    )


def test_modification_that_the_venue_refuses_leaves_the_order_as_it_was() -> None:
    front = Front()
    (taken,) = front.place({**LIMIT, "price": 98.5})
    path = f"/iserver/account/{ACCOUNT}/order/{taken['order_id']}"
    status, text = refusal(front, {**LIMIT, "price": 99.0}, path=path)  # it is not accepted yet
    assert (status, text.startswith("Order modify failed. ")) == (200, True)
    assert front.order(taken["order_id"])["limit_price"] == "98.5"


def test_cancelled_order_is_told_so_and_cannot_be_cancelled_twice() -> None:
    front = Front()
    (taken,) = front.place({**LIMIT, "price": 98.5, "tif": "GTC"})
    path = f"/iserver/account/{ACCOUNT}/order/{taken['order_id']}"
    assert "cannot be cancelled" in front.call("DELETE", path)[1]["error"]  # not accepted yet
    front.turn()
    assert front.call("DELETE", path)[1]["msg"] == "Request was submitted"
    assert front.order(taken["order_id"])["order_status"] == "Cancelled"
    assert "no longer working" in front.call("DELETE", path)[1]["error"]


def test_minus_one_cancels_every_order() -> None:
    front = Front()
    front.place({**LIMIT, "price": 98.5, "tif": "GTC"})
    front.place({**LIMIT, "price": 98.6, "tif": "GTC"})
    front.turn()
    assert front.call("DELETE", f"/iserver/account/{ACCOUNT}/order/-1")[1]["order_id"] == -1
    assert [row["status"] for row in front.live()] == ["Cancelled", "Cancelled"]


@pytest.mark.parametrize("number", ["77", "x"])
def test_order_that_nobody_knows_is_an_error(number: str) -> None:
    front = Front()
    path = f"/iserver/account/{ACCOUNT}/order/{number}"
    assert front.call("DELETE", path) == (200, {"error": f"OrderID {number} doesn't exist"})


def test_rejected_order_is_inactive_and_its_status_says_why() -> None:
    front = Front()
    (taken,) = front.place({**BUY, "quantity": 10_000})
    front.turn()
    (row,) = front.live()
    assert (row["status"], row["order_ccp_status"]) == ("Inactive", "Rejected")
    told = front.order(taken["order_id"])["order_status_description"]
    assert told == "Order Rejected - reason:margin"


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ({"conid": 1}, 400, "Bad Request: no contract 1"),
        ({"conid": "x"}, 400, "Bad Request: conid"),
        ({"orderType": "MIDPRICE"}, 200, "Invalid order type: MIDPRICE"),
        ({"side": "buy"}, 200, "Invalid side: buy"),
        ({"tif": "GTD"}, 200, "Invalid time in force: GTD"),
        ({"quantity": "ten"}, 400, "Bad Request: quantity 'ten'"),
        ({"quantity": "NaN"}, 400, "Bad Request: quantity 'NaN'"),
        ({"parentId": "nobody"}, 200, "Parent order nobody not found"),
    ],
)
def test_order_that_makes_no_sense_is_refused(words: Any, status: int, text: str) -> None:
    assert refusal(Front(), {**LIMIT, **words}) == (status, text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"price": 100.505}, "The price does not conform"),
        ({"orderType": "STP", "price": 110.001}, "The price does not conform"),
        ({"quantity": 1.5}, "Order size does not conform"),
    ],
)
def test_order_off_the_increments_is_refused_where_there_are_any(words: Any, text: str) -> None:
    strict = Precautions(tick=Decimal("0.01"), lot=Decimal(1))
    front = Front(terms=Terms(precautions=strict, is_paced=False))
    status, told = refusal(front, {**LIMIT, **words})
    assert (status, told.startswith(text)) == (200, True)
    front.place(LIMIT, {**BUY, "orderType": "TRAIL", "trailingAmt": 2.005, "trailingType": "amt"})


FIELDS = (
    *("conid", "conidex", "cOID", "parentId", "isSingleGroup", "side", "quantity", "orderType"),
    *("price", "auxPrice", "tif", "trailingAmt", "trailingType", "outsideRTH"),
)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["", "SELL", "STP", "STOP_LIMIT", "TRAIL", "%", "GTC", "1e999", "-1", "0.5"]),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_whatever_an_order_holds_it_is_taken_asked_about_or_refused(words: Any) -> None:
    front = Front()
    status, told = front.call("POST", ORDERS, {"orders": [{**LIMIT, **words}]})
    if status == 200 and isinstance(told, list) and "message" in told[0]:
        path = f"/iserver/reply/{told[0]['id']}"
        status, told = front.call("POST", path, {"confirmed": True})
    assert status in (200, 400)
    assert "error" in told or "order_id" in told[0] or "message" in told[0]


@pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": ["x"]}, {"orders": 1}, "text"])
def test_submission_without_orders_is_refused(body: object) -> None:
    assert Front().call("POST", ORDERS, body)[0] == 400


def test_order_that_contradicts_itself_is_refused_and_forgotten() -> None:
    front = Front()
    words = {**LIMIT, "quantity": 0, "cOID": "mine"}
    assert refusal(front, words)[1].startswith("Order couldn't be submitted: ")
    assert front.place({**LIMIT, "cOID": "mine"})[0]["local_order_id"] == "mine"


def test_contract_may_be_named_with_its_route() -> None:
    front = Front()
    words = {name: word for name, word in LIMIT.items() if name != "conid"}
    front.place({**words, "conidex": f"{AAPL}@SMART"})
    assert [row["ticker"] for row in front.live()] == ["AAPL"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({"orderType": "STOP_LIMIT", "price": 111.0, "auxPrice": 110.0}, "Stop Limit"),
        ({"orderType": "TRAIL", "trailingAmt": 2.0, "trailingType": "amt"}, "Trailing Stop"),
        ({"orderType": "TRAIL", "trailingAmt": 2.0, "trailingType": "%"}, "Trailing Stop"),
    ],
)
def test_every_type_is_taken(words: dict[str, Any], kind: str) -> None:
    front = Front()
    front.place({**BUY, **words})
    front.turn()
    assert [row["orderType"] for row in front.live()] == [kind]


def test_trail_in_percent_follows_the_price() -> None:
    front = Front()
    front.place(BUY)
    front.place(
        {**SELL, "orderType": "TRAIL", "trailingAmt": 2.0, "trailingType": "%", "tif": "GTC"}
    )
    front.turn(3)
    stop = front.venue.matching.orders()[1].stop_price
    assert stop is None  # what it follows is the venue's to know
    assert front.live()[1]["status"] == "PreSubmitted"


def test_orders_are_there_at_the_second_question_and_filtered_by_status() -> None:
    front = Front()
    front.place(BUY)
    front.place({**LIMIT, "price": 98.5, "tif": "GTC"})
    front.turn()
    path = "/iserver/account/orders"
    assert front.get(path) == {"orders": [], "snapshot": False}
    found = front.get(path, filters="filled,sort_by_time")["orders"]
    assert [row["status"] for row in found] == ["Filled"]
    assert front.get(path, force="true") == {"orders": [], "snapshot": False}
    assert len(front.get(path)["orders"]) == 2


def test_trades_have_their_commission_and_are_there_at_the_second_question() -> None:
    front = Front()
    front.place({**BUY, "cOID": "mine"})
    front.place(SELL)
    front.turn()
    assert front.get("/iserver/account/trades/") == []
    bought, sold = front.get("/iserver/account/trades", days="7")
    assert (bought["side"], bought["price"], bought["size"]) == ("B", "100.95", 10.0)
    assert (bought["order_ref"], bought["commission"]) == ("mine", "1.0095")
    assert (sold["side"], "order_ref" in sold) == ("S", False)
    assert front.call("GET", "/iserver/account/trades", days="8")[0] == 400


def test_what_another_client_did_is_no_trade_of_this_front() -> None:
    front = Front()
    front.place({**LIMIT, "tif": "DAY"})
    front.get("/iserver/account/trades")
    front.turn()
    front.api.orders.book.remove(next(iter(front.api.orders.book)))
    assert front.get("/iserver/account/trades") == []
