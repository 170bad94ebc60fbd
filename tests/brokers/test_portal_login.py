"""Logins that are lost, displaced, kept alive and taken up again."""

import asyncio

import pytest

from brokers.errors import (
    ConfigError,
    Transient,
    VenueRefused,
)
from tests.brokers.portal_double import ACCOUNT, PortalDouble
from tests.brokers.portal_stage import (
    INIT,
    ORDERS,
    PLACE,
    Hasty,
    scene,
)
from tests.contract.orders import limit
from tests.contract.transport_suite import Watch


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
