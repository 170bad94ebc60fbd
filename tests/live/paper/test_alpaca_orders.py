"""Alpaca's calls about orders and positions, by what protocols and public reports say."""

import pytest

from brokers.errors import VenueRefused
from live.paper.account import BacktraderRules
from live.paper.alpaca_errors import ApiError, refused
from live.paper.alpaca_forms import json_object
from tests.live.paper.front import BUY, Front

BRACKET = {
    "order_class": "bracket",
    "time_in_force": "gtc",
    "take_profit": {"limit_price": "130"},
    "stop_loss": {"stop_price": 90.5},
}


def test_decimals_are_strings_and_times_are_rfc_3339_in_utc() -> None:
    order = Front().submit(limit_price=100.5, type="limit", qty=10.0)
    assert (order["qty"], order["limit_price"], order["filled_qty"]) == ("10", "100.5", "0")
    assert order["submitted_at"] == "2024-01-02T14:40:00Z"


def test_same_orders_get_the_same_ids_in_every_run() -> None:
    assert Front().submit() == Front().submit()


def test_bracket_comes_back_with_sleeping_legs() -> None:
    order = Front().submit(**BRACKET)
    assert [(leg["type"], leg["status"]) for leg in order["legs"]] == [
        ("limit", "held"),
        ("stop", "held"),
    ]


def test_legs_stand_in_the_order_of_the_body() -> None:
    turned = {name: BRACKET[name] for name in reversed(BRACKET)}
    assert [leg["type"] for leg in Front().submit(**turned)["legs"]] == ["stop", "limit"]


def test_flat_list_leaves_sleeping_legs_out_and_nested_list_holds_them_in_their_entry() -> None:
    front = Front()
    order = front.submit(**BRACKET)
    _, flat = front.call("GET", "/v2/orders")
    assert [(row["id"], row["legs"]) for row in flat] == [(order["id"], None)]
    _, nested = front.call("GET", "/v2/orders", nested="true")
    assert [len(row["legs"]) for row in nested] == [2]


def test_filled_entry_is_open_when_nested_while_its_legs_work() -> None:
    front = Front()
    front.submit(**BRACKET)
    front.turn()
    front.turn()
    _, flat = front.call("GET", "/v2/orders")
    assert {row["type"] for row in flat} == {"limit", "stop"}
    _, nested = front.call("GET", "/v2/orders", nested="true")
    assert [(row["status"], len(row["legs"])) for row in nested] == [("filled", 2)]


def test_orders_are_paged_by_time_both_ends_exclusive() -> None:
    front = Front()
    ids = []
    for _ in range(3):
        ids.append(front.submit()["id"])
        front.turn()
    asked = {"status": "all", "direction": "asc"}
    _, rows = front.call("GET", "/v2/orders", after="2024-01-02T14:40:00Z", **asked)
    assert [row["id"] for row in rows] == ids[1:]
    _, rows = front.call("GET", "/v2/orders", until="2024-01-02T14:42:00+00:00", **asked)
    assert [row["id"] for row in rows] == ids[:2]
    _, rows = front.call("GET", "/v2/orders", status="closed", limit="1")
    assert [row["id"] for row in rows] == ids[2:]


def test_orders_are_chosen_by_side_and_symbol() -> None:
    front = Front()
    front.submit()
    assert front.call("GET", "/v2/orders", side="sell") == (200, [])
    assert front.call("GET", "/v2/orders", symbols="MSFT,IBM") == (200, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"symbol": None}, "symbol is required"),
        ({"qty": None}, "one of qty or notional is required"),
        ({"notional": "5"}, "one of qty or notional is required"),
        ({"qty": "-1"}, "qty must be a number above 0"),
        ({"qty": True}, "qty must be a number above 0"),
        ({"qty": "NaN"}, "qty must be a number above 0"),
        ({"side": "hold"}, "invalid side"),
        ({"type": "iceberg"}, "invalid type"),
        ({"time_in_force": None}, "invalid time_in_force"),
        ({"extended_hours": "yes"}, "extended_hours must be true or false"),
        ({"client_order_id": "x" * 49}, "no more than 48 characters"),
        ({"client_order_id": "a b"}, "client_order_id"),
        ({"limit_price": "5"}, "takes no limit_price"),
        ({"type": "limit"}, "needs limit_price"),
        ({"order_class": "mleg"}, "invalid order_class"),
        ({"order_class": "bracket"}, "bracket orders require take_profit.limit_price"),
        (
            {"order_class": "bracket", "take_profit": {"limit_price": 130}},
            "bracket orders require stop_loss.stop_price",
        ),
        ({**BRACKET, "order_class": "oto"}, "and not both"),
        ({**BRACKET, "order_class": "simple"}, "simple orders take no take_profit"),
        ({**BRACKET, "stop_loss": {"limit_price": 5}}, "require stop_loss.stop_price"),
        ({**BRACKET, "stop_loss": 5}, "stop_loss must be an object"),
        ({**BRACKET, "type": "limit", "limit_price": 140}, "must be below take profit"),
        ({"order_class": "oco"}, "oco orders require take_profit.limit_price"),
        ({**BRACKET, "order_class": "oco"}, "oco orders must be limit orders"),
        ({"qty": None, "notional": "0.000000001"}, "notional must buy at least"),
        ({"qty": None, "notional": "5", "symbol": "IBM"}, "has no price"),
        ({"symbol": "IBM"}, "asset IBM"),
        ({"type": "limit", "limit_price": "100.123"}, "sub-penny"),
    ],
)
def test_order_that_makes_no_sense_is_unprocessable(words: dict[str, object], message: str) -> None:
    status, text = Front().refusal(**words)
    assert status == 422
    assert message in text


@pytest.mark.parametrize("body", [[], "text", None])
def test_body_that_is_no_object_is_a_bad_request(body: object) -> None:
    status, answer = Front().call("POST", "/v2/orders", body)
    assert (status, answer["code"]) == (400, 40010000)


def test_client_order_id_is_unique_for_the_life_of_the_account() -> None:
    front = Front()
    order = front.submit(client_order_id="mine")
    front.call("DELETE", f"/v2/orders/{order['id']}")
    answer = front.call("POST", "/v2/orders", {**BUY, "client_order_id": "mine"})
    assert answer == (422, {"code": 40010001, "message": "client_order_id must be unique"})


def test_wash_trade_names_the_order_that_stands_in_the_way() -> None:
    front = Front()
    resting = front.submit(type="stop", stop_price="150", time_in_force="gtc")
    front.submit(symbol="MSFT")
    status, answer = front.call("POST", "/v2/orders", {**BUY, "side": "sell"})
    assert status == 403
    assert (answer["code"], answer["existing_order_id"]) == (40310000, resting["id"])


def test_order_is_found_by_its_clients_id_or_not_at_all() -> None:
    front = Front()
    front.submit(client_order_id="mine")
    path = "/v2/orders:by_client_order_id"
    assert front.call("GET", path, client_order_id="mine")[1]["client_order_id"] == "mine"
    assert front.call("GET", path, client_order_id="yours")[0] == 404
    assert front.call("GET", path)[0] == 422
    assert front.call("GET", "/v2/orders/none")[1]["message"] == "order not found for none"


def test_replacement_is_another_order_and_the_two_name_each_other() -> None:
    front = Front()
    old = front.submit(type="limit", limit_price="90", time_in_force="gtc")
    path = f"/v2/orders/{old['id']}"
    change = {"limit_price": 91, "qty": "5", "client_order_id": "second"}
    status, new = front.call("PATCH", path, change)
    assert (status, new["limit_price"], new["qty"], new["replaces"]) == (200, "91", "5", old["id"])
    assert new["client_order_id"] == "second"
    _, gone = front.call("GET", path)
    assert (gone["status"], gone["replaced_by"]) == ("replaced", new["id"])
    assert front.call("PATCH", path, change)[1]["message"] == (
        'order is already in "replaced" state'
    )
    again = f"/v2/orders/{new['id']}"
    assert front.call("PATCH", again, {})[0] == 422
    assert (
        "cancel, and order anew"
        in front.call("PATCH", again, {"time_in_force": "day"})[1]["message"]
    )


def test_trailing_stop_is_replaced_in_percent_as_it_was_asked_for() -> None:
    front = Front()
    front.submit()
    front.turn()
    trailing = {"side": "sell", "type": "trailing_stop", "trail_percent": "10"}
    old = front.submit(time_in_force="gtc", **trailing)
    _, new = front.call("PATCH", f"/v2/orders/{old['id']}", {"trail": "5"})
    assert (old["trail_percent"], new["trail_percent"], new["trail_price"]) == ("10", "5", None)


def test_leg_of_a_bracket_is_replaced_alone() -> None:
    front = Front(rules=BacktraderRules())
    order = front.submit(**BRACKET)
    front.turn()
    path = f"/v2/orders/{order['legs'][1]['id']}"
    status, leg = front.call("PATCH", path, {"stop_price": "91"})
    assert (status, leg["stop_price"]) == (200, "91")
    _, entry = front.call("GET", f"/v2/orders/{order['id']}", nested="true")
    assert leg["id"] in [known["id"] for known in entry["legs"]]


def test_cancel_answers_204_once_and_422_for_what_has_ended() -> None:
    front = Front()
    path = f"/v2/orders/{front.submit()['id']}"
    assert front.call("DELETE", path) == (204, None)
    assert front.call("DELETE", path)[1]["message"] == 'order is already in "canceled" state'
    assert front.call("DELETE", "/v2/orders/none")[0] == 404
    assert front.call("DELETE", "/v2/orders") == (207, [])


def test_position_is_told_with_what_is_not_promised_to_orders() -> None:
    front = Front()
    front.submit()
    front.turn()
    front.submit(side="sell", qty=4, type="limit", limit_price=150, time_in_force="gtc")
    _, held = front.call("GET", "/v2/positions/AAPL")
    assert (held["qty"], held["qty_available"], held["avg_entry_price"]) == ("10", "6", "100.95")
    assert front.call("GET", f"/v2/positions/{held['asset_id']}")[1] == held
    assert front.call("GET", "/v2/positions/MSFT") == (
        404,
        {"code": 40410000, "message": "position does not exist"},
    )


def test_short_position_is_negative_and_bought_back_by_a_close() -> None:
    front = Front()
    front.submit(side="sell")
    front.turn()
    _, held = front.call("GET", "/v2/positions/AAPL")
    assert (held["side"], held["qty"], held["market_value"]) == ("short", "-10", "-1010")
    assert front.call("GET", "/v2/account")[1]["short_market_value"] == "-1010"
    _, order = front.call("DELETE", "/v2/positions/AAPL")
    assert (order["side"], order["qty"], order["type"]) == ("buy", "10", "market")


def test_position_is_closed_in_part_by_quantity_or_by_percentage_but_not_by_both() -> None:
    front = Front()
    front.submit()
    front.turn()
    path = "/v2/positions/AAPL"
    assert front.call("DELETE", path, qty="1", percentage="5")[0] == 422
    assert front.call("DELETE", path, percentage="101")[0] == 422
    assert front.call("DELETE", path, qty="0")[0] == 422
    assert front.call("DELETE", path, qty="4")[1]["qty"] == "4"
    assert front.call("DELETE", path, percentage="33.3")[1]["qty"] == "3.33"


def test_closing_all_tells_of_each_position_by_itself() -> None:
    front = Front()
    front.submit()
    front.submit(symbol="MSFT")
    front.turn()
    front.submit(side="sell", type="limit", limit_price=150, time_in_force="gtc")
    status, rows = front.call("DELETE", "/v2/positions")
    assert (status, [(row["symbol"], row["status"]) for row in rows]) == (
        207,
        [("AAPL", 403), ("MSFT", 200)],
    )
    assert rows[0]["body"]["message"].startswith("insufficient qty available for order")


def test_fills_are_paged_by_the_id_of_the_last_row() -> None:
    front = Front()
    for _ in range(3):
        front.submit()
        front.turn()
    path = "/v2/account/activities/FILL"
    _, rows = front.call("GET", path, direction="asc")
    assert [row["cum_qty"] for row in rows] == ["10"] * 3
    assert rows[0]["id"].startswith("20240102144100000::")
    _, page = front.call("GET", path, direction="asc", page_token=rows[0]["id"], page_size="1")
    assert page == rows[1:2]
    _, late = front.call("GET", path, after="2024-01-02T14:42:00Z")
    assert late == rows[2:]
    _, newest_first = front.call("GET", "/v2/account/activities", date="2024-01-02")
    assert newest_first == rows[::-1]


def test_backtraders_account_takes_prices_that_no_exchange_would() -> None:
    front = Front(rules=BacktraderRules())
    order = front.submit(type="limit", limit_price="100.12345678901", time_in_force="gtc")
    assert order["limit_price"] == "100.12345678901"
    assert front.refusal(time_in_force="ioc")[0] == 422


def test_exit_pair_is_a_target_with_a_stop_as_its_leg() -> None:
    front = Front()
    front.submit()
    front.turn()
    pair = {**BRACKET, "side": "sell", "type": "limit", "order_class": "oco"}
    order = front.submit(**pair)
    assert (order["limit_price"], order["legs"][0]["stop_price"]) == ("130", "90.5")
    assert front.call("GET", "/v2/account")[1]["long_market_value"] == "1010"


def test_closing_all_may_cancel_what_is_at_work_first() -> None:
    front = Front(rules=BacktraderRules())
    front.submit()
    front.turn()
    resting = front.submit(side="sell", type="limit", limit_price="150", time_in_force="gtc")
    front.turn()
    _, rows = front.call("DELETE", "/v2/positions", cancel_orders="true")
    assert [row["status"] for row in rows] == [200]
    assert front.call("GET", f"/v2/orders/{resting['id']}")[1]["status"] == "canceled"


def test_entry_replaced_before_it_fills_keeps_its_legs() -> None:
    front = Front()
    entry = front.submit(**{**BRACKET, "type": "limit", "limit_price": "99"})
    _, new = front.call("PATCH", f"/v2/orders/{entry['id']}", {"limit_price": "99.5"})
    assert [leg["status"] for leg in new["legs"]] == ["held", "held"]
    _, nested = front.call("GET", "/v2/orders", nested="true")
    assert [(row["id"], len(row["legs"])) for row in nested] == [(new["id"], 2)]


def test_nan_is_no_number_of_json() -> None:
    with pytest.raises(ApiError, match="request body format is invalid"):
        json_object(b'{"symbol": "AAPL", "qty": NaN}')


def test_verdict_without_a_code_of_alpacas_is_a_403() -> None:
    assert refused(VenueRefused("margin", "no cash")).body == {
        "code": 40310000,
        "message": "no cash",
    }
