"""The Client Portal's session: what comes before what, how it ends, how fast it may be asked."""

import pytest

from live.paper.portal_api import Terms
from live.paper.portal_errors import PortalError
from live.paper.portal_gate import Pacing, PortalDoor
from live.paper.portal_session import PortalSession
from tests.fakes import HeldClock
from tests.live.paper.portal_front import ACCOUNT, BUY, ORDERS, Front

INIT = "/iserver/auth/ssodh/init"
CONFIRMED = {"publish": True, "compete": False}
OUSTING = {"publish": True, "compete": True}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ORDERS),
        ("DELETE", f"/iserver/account/{ACCOUNT}/order/1001"),
        ("GET", "/iserver/account/orders"),
        ("GET", "/iserver/account/trades"),
        ("GET", "/iserver/marketdata/snapshot"),
        ("GET", f"/portfolio/{ACCOUNT}/ledger"),
    ],
)
def test_calls_want_the_accounts_to_be_asked_for_first(method: str, path: str) -> None:
    status, told = Front(is_ready=False).call(method, path, {"orders": [BUY]})
    assert status == 400
    assert told["error"].startswith("Please query /")


def test_tickle_names_the_session_and_says_how_it_is() -> None:
    status, told = Front().call("POST", "/tickle")
    assert (status, len(told["session"])) == (200, 32)
    assert told["iserver"]["authStatus"]["authenticated"] is True
    assert told["iserver"]["authStatus"]["connected"] is True


def test_session_without_requests_is_lost_and_may_be_begun_again() -> None:
    front = Front()
    name = front.call("POST", "/tickle")[1]["session"]
    front.clock.sleep(301)
    assert front.call("GET", "/iserver/accounts") == (
        401,
        {"error": "not authenticated", "statusCode": 401},
    )
    assert front.call("POST", INIT, CONFIRMED)[1]["authenticated"] is True
    assert front.call("POST", ORDERS, {"orders": [BUY]})[0] == 400  # accounts, once more
    assert front.call("POST", "/tickle")[1]["session"] != name


def test_session_that_is_tickled_stays() -> None:
    front = Front()
    for _ in range(10):
        front.clock.sleep(60)
        front.call("POST", "/tickle")
    name = front.call("POST", "/tickle")[1]["session"]
    assert front.call("POST", INIT, CONFIRMED)[1]["authenticated"] is True
    assert front.call("POST", "/tickle")[1]["session"] == name


def test_session_that_somebody_else_has_is_taken_back_only_by_who_competes() -> None:
    front = Front()
    front.api.session.compete()
    assert front.call("GET", "/iserver/accounts") == (
        400,
        {"error": "no bridge", "statusCode": 400},
    )
    assert front.call("POST", "/iserver/auth/status")[1]["competing"] is True
    assert front.call("POST", INIT, CONFIRMED)[0] == 500
    assert front.call("POST", "/iserver/reauthenticate")[0] == 200
    assert front.call("POST", "/iserver/auth/status")[1]["authenticated"] is False
    assert front.call("POST", INIT, OUSTING)[1]["authenticated"] is True
    assert front.call("GET", "/iserver/accounts")[0] == 200


def test_who_has_logged_out_needs_a_browser() -> None:
    front = Front()
    assert front.get("/sso/validate")["RESULT"] is True
    assert front.call("POST", "/logout") == (200, {"status": True})
    assert front.call("POST", "/tickle")[0] == 401
    assert front.call("POST", INIT, "no object")[0] == 500
    assert front.call("POST", "/iserver/auth/status")[1]["connected"] is False


def test_account_is_there_and_another_one_is_not() -> None:
    front = Front()
    assert front.get("/iserver/accounts")["selectedAccount"] == ACCOUNT
    assert front.get("/portfolio/accounts")[0]["id"] == ACCOUNT
    assert "success" in front.call("POST", "/iserver/account", {"acctId": ACCOUNT})[1]
    assert front.call("GET", "/portfolio/U1/ledger")[0] == 400
    assert front.call("POST", "/iserver/account/U1/orders", {"orders": [BUY]})[0] == 400


def test_unknown_path_is_an_error_with_status_404() -> None:
    assert Front().call("GET", "/nowhere") == (404, {"error": "Not Found"})


def test_eleventh_call_in_a_second_is_the_first_of_ten_minutes_without_answers() -> None:
    front = Front(terms=Terms(), is_ready=False)
    codes = [front.call("POST", "/iserver/auth/status")[0] for _ in range(11)]
    assert codes == [200] * 10 + [429]
    front.clock.sleep(599)
    assert front.call("POST", "/iserver/auth/status")[0] == 429
    front.clock.sleep(1)
    assert front.call("POST", "/iserver/auth/status")[0] == 200


def test_orders_may_be_asked_for_once_in_five_seconds() -> None:
    front = Front(terms=Terms())
    first, soon = (front.call("GET", "/iserver/account/orders")[0] for _ in range(2))
    front.clock.sleep(5)
    assert (first, soon, front.call("GET", "/iserver/account/orders")[0]) == (200, 429, 200)


def test_pacing_that_is_off_still_knows_penalties() -> None:
    clock = HeldClock()
    pacing = Pacing(clock, is_on=False)
    for _ in range(100):
        pacing.check("GET /anything")
    pacing.punish(10)
    with pytest.raises(PortalError, match="Too many requests"):
        pacing.check("GET /anything")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", f"/v1/api{ORDERS}", "POST /iserver/account/{id}/orders"),
        (
            "DELETE",
            f"/v1/api/iserver/account/{ACCOUNT}/order/-1",
            "DELETE /iserver/account/{id}/order/{id}",
        ),
        ("GET", "/v1/api/iserver/account/trades/", "GET /iserver/account/trades"),
        ("GET", f"/v1/api/portfolio/{ACCOUNT}/positions/0", "GET /portfolio/{id}/positions/{id}"),
        (
            "POST",
            "/v1/api/iserver/reply/5ea11a11-0000-5000-8000-000000000001",
            "POST /iserver/reply/{id}",
        ),
        ("GET", "/v1/api/iserver/marketdata/history", "DATA /iserver/marketdata/history"),
    ],
)
def test_calls_are_named_by_their_routes(method: str, path: str, name: str) -> None:
    clock = HeldClock()
    door = PortalDoor(PortalSession(clock), Pacing(clock))
    assert door.verb({"method": method, "path": path}) == name
