"""What can be wrong with a Client Portal gateway: one line, a documented exit code, no order."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest

from brokers.clock import SystemClock
from live.cli import main
from live.paper.account import BacktraderRules
from live.paper.portal_api import PortalApi, Terms
from live.paper.portal_questions import Precautions
from tests.brokers.loopback import serving
from tests.contract.test_transports import paper_market

SETTINGS = """
venue = "portal"
folder = "{folder}"
{more}
[data]
symbols = ["{symbol}"]
[portal]
{portal}
"""


@pytest.fixture
def said(tmp_path, capsys):
    """The exit code and the one line on stderr of a session with such settings."""

    def start(portal="", more="", symbol="AAPL"):
        settings = tmp_path / "live.toml"
        words = {"folder": tmp_path / "session", "portal": portal, "more": more}
        words["symbol"] = symbol
        settings.write_text(SETTINGS.format(**words))
        code = main(["--settings", str(settings), "--quiet"])
        told = capsys.readouterr().err.strip()
        assert "\n" not in told
        return code, told

    return start


def free_port():
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def test_gateway_that_does_not_run_is_named_with_its_port_and_how_to_start_it(said):
    port = free_port()
    code, told = said(f'url = "https://127.0.0.1:{port}"')
    assert code == 2
    assert f"127.0.0.1:{port}: nobody answers: start the Client Portal gateway" in told


@pytest.mark.parametrize(
    ("portal", "text"),
    [
        ('url = "https://gateway.example"', "name the PEM file of its certificate"),
        ('url = "http://gateway.example"', "is not encrypted: use https"),
        ('url = "localhost"', "is no address"),
        ('certificate = "nowhere.pem"', "nowhere.pem"),
    ],
)
def test_gateway_that_cannot_be_trusted_is_refused(said, portal, text):
    code, told = said(portal)
    assert code == 2
    assert text in told


def test_url_of_another_protocol_is_refused_and_not_ignored(said):
    code, told = said(more='url = "http://127.0.0.1:1"')
    assert code == 2
    assert "leave it out for portal, and say the url of a gateway in [portal]" in told


class Gateway(PortalApi):
    """Ours, with a login as a test wants it."""

    def __init__(self, deed=None, **terms):
        super().__init__(
            paper_market(BacktraderRules(), SystemClock()),
            SystemClock(),
            Terms(is_paced=False, **terms),
        )
        if deed is not None:
            deed(self.session)


@contextmanager
def standing(make):
    """Serve on a port of loopback, in a thread, while the block runs."""
    told, is_up = [], threading.Event()

    async def run():
        end = asyncio.Event()
        async with serving(make()) as url:
            told.extend((url, asyncio.get_running_loop(), end))
            is_up.set()
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    is_up.wait()
    url, loop, end = told
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Gateway(lambda login: login.log_out()), "nobody is logged in"),
        (lambda: Gateway(lambda login: login.compete()), "another session (TWS, a phone"),
        (lambda: Gateway(account="U7654321"), "U7654321 is an account with money"),
        (lambda: Gateway(twins=(("AAPL", "NYSE"),)), "AAPL@NASDAQ, AAPL@NYSE"),
        (
            lambda: Gateway(precautions=Precautions(unsubscribed=frozenset({"AAPL"}))),
            "no market data permission for AAPL",
        ),
    ],
)
def test_gateway_that_cannot_trade_says_why(said, make, text):
    with standing(make) as url:
        code, told = said(f'url = "{url}"')
    assert code == 2
    assert text in told


def test_unknown_symbol_is_named(said):
    with standing(Gateway) as url:
        code, told = said(f'url = "{url}"', symbol="NOSUCH")
    assert code == 2
    assert "NOSUCH" in told


def test_check_of_the_embedded_portal_is_a_go(tmp_path, capsys):
    words = ["--venue", "paper-portal", "--symbols", "SPY", "--folder", str(tmp_path / "out")]
    assert main(["check", *words]) == 0
    told = capsys.readouterr().out
    assert told.startswith("GO")
    assert "next login" in told


def test_real_money_behind_a_portal_takes_the_explicit_word(tmp_path, capsys):
    assert main(["--venue", "portal-live", "--folder", str(tmp_path / "out")]) == 2
    assert "--yes-real-money" in capsys.readouterr().err
