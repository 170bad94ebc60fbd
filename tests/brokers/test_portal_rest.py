"""Gateways that are not there, or are something else."""

import asyncio
import random
import socket
import sys

import pytest

from brokers.clock import SystemClock
from brokers.errors import ConfigError
from brokers.wire.http import NoAnswer
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Unpaced
from brokers.wire.portal_rest import Nobody, PortalRest
from live.paper.portal_tls import identity
from tests.brokers.loopback import serving
from tests.brokers.portal_double import PortalDouble
from tests.brokers.portal_stage import Hasty


def free_port():
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def rest(access):
    return PortalRest(access, clock=SystemClock(), pace=Unpaced(), timeout_s=5.0)


async def first_words(access):
    portal = Portal(access, clock=SystemClock(), rng=random.Random(1), pace=Unpaced())
    try:
        await portal.account()
    finally:
        await portal.close()


def test_gateway_that_does_not_run_says_which_address_and_what_to_start():
    url = f"https://127.0.0.1:{free_port()}"
    text = f"{url}: nobody answers: start the Client Portal gateway and log in"
    with pytest.raises(ConfigError, match=text):
        asyncio.run(first_words(PortalAccess(url)))


def test_certificate_of_somebody_else_is_refused():
    async def play():
        double = PortalDouble()
        with identity("localhost") as shown, identity("localhost") as other:
            secured = {"ssl_context_factory": lambda _config, _default: shown.context}
            async with serving(double.app, **secured) as url:
                address = url.replace("http:", "https:")
                await first_words(PortalAccess(address, certificate=str(other.authority)))

    with pytest.raises(ConfigError, match="no TLS"):
        asyncio.run(play())


def test_port_without_tls_is_told_from_the_portal_s():
    async def play():
        async with serving(PortalDouble().app) as url:
            await first_words(PortalAccess(url.replace("http:", "https:")))

    with pytest.raises(ConfigError, match="use the port of the Client Portal gateway"):
        asyncio.run(play())


def test_port_of_the_other_gateway_hangs_up_without_a_word():
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    async def play():
        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await rest(PortalAccess(f"http://127.0.0.1:{port}")).request("GET", "tickle")

    with pytest.raises(NoAnswer, match="broke during GET tickle: use the port"):
        asyncio.run(play())


def test_gateway_that_answers_too_late_has_not_answered():
    async def play():
        double = PortalDouble()
        double.script["GET", "tickle"] = [(None, "")]
        async with serving(double.app) as url:
            late = PortalRest(PortalAccess(url), clock=Late(), pace=Unpaced(), timeout_s=0.2)
            await late.request("GET", "tickle")

    with pytest.raises(NoAnswer, match="no answer to GET tickle in time"):
        asyncio.run(play())


def test_gateway_that_hangs_is_waited_for_by_the_clock():
    async def play():
        double = PortalDouble()
        double.script["GET", "tickle"] = [(None, "")]
        async with serving(double.app) as url:
            hasty = PortalRest(PortalAccess(url), clock=Hasty(), pace=Unpaced(), timeout_s=10.0)
            await hasty.request("GET", "tickle")

    with pytest.raises(NoAnswer, match="no answer to GET tickle in time"):
        asyncio.run(play())


def test_client_library_that_is_missing_is_named_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ibind", None)
    with pytest.raises(ConfigError, match=r"pip install 'seawall\[ibkr\]'"):
        rest(PortalAccess())


class Late(SystemClock):
    """Its time-outs come after those of the sockets."""

    async def wait(self, wait_s):
        await super().wait(wait_s + 5.0)


def test_address_that_is_none_for_the_client_library_is_an_error_of_ours():
    with pytest.raises(NoAnswer, match="GET tickle failed"):
        asyncio.run(rest(PortalAccess("http://localhost:99999")).request("GET", "tickle"))


def test_certificate_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"there is no file nowhere\.pem"):
        rest(PortalAccess("https://localhost", certificate="nowhere.pem"))


def test_nobody_is_surely_not_reached():
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Nobody):
        asyncio.run(rest(PortalAccess(url)).request("POST", "iserver/reply/1"))
