"""What can be wrong with a gateway: one line, exit code 2, and no order."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from brokers.clock import SystemClock
from live.cli import main
from live.paper.account import BacktraderRules
from live.paper.tws_api import Terms, TwsApi
from tests.contract.test_transports import paper_market

READ_ONLY = "Error validating request.-'b7' : cause - The API interface is in Read-Only mode."
NO_PERMISSION = "Historical Market Data Service error message:No market data permissions for ARCA"


@contextmanager
def standing(serve):
    """Serve on a port of loopback, in a thread, while the block runs."""
    ports, end = [], asyncio.Event()
    is_up = threading.Event()

    async def run():
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            ports.append(server.sockets[0].getsockname()[1])
            loops.append(asyncio.get_running_loop())
            is_up.set()
            await end.wait()

    loops = []
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    is_up.wait()
    try:
        yield ports[0]
    finally:
        loops[0].call_soon_threadsafe(end.set)
        thread.join()


class Gateway(TwsApi):
    """Ours, with what a test changes of its answers."""

    def __init__(self, answers=(), **terms):
        super().__init__(
            paper_market(BacktraderRules(), SystemClock()), SystemClock(), Terms(**terms)
        )
        self.answers |= dict(answers)


@pytest.fixture
def said(tmp_path, capsys):
    """The one line on stderr of a session at a gateway that serves so."""

    def start(serve, symbol="AAPL", more=""):
        with standing(serve) as port:
            settings = tmp_path / "live.toml"
            settings.write_text(
                f'venue = "ibkr"\nfolder = "{tmp_path / "out"}"\n'
                f'data = {{symbols = ["{symbol}"]}}\nibkr = {{port = {port}}}\n'
                f"wire = {{timeout_s = 1.0}}\n{more}"
            )
            assert main(["--settings", str(settings), "--quiet"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line.replace(str(port), "PORT")

    return start


async def silent(reader, writer):
    await reader.read()
    writer.close()


async def web(reader, writer):
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def tls(reader, writer):
    await reader.read(1)
    writer.write(bytes.fromhex("15030300020246"))  # fatal: bad protocol version
    writer.close()


@pytest.mark.parametrize(
    ("serve", "told"),
    [
        (web, "hung up: log in to it and accept the connection there, or use the API port, 4002"),
        (tls, "hung up: log in to it and accept the connection there, or use the API port, 4002"),
        (silent, "does not answer as an API does: log in to it and accept the connection there"),
    ],
)
def test_what_is_no_gateway_or_not_logged_in_is_told_so(said, serve, told):
    assert f"IB Gateway at 127.0.0.1:PORT {told}" in said(serve)


def test_client_id_in_use_is_told_with_what_to_do(said):
    api = Gateway()
    api.sessions[1] = None
    line = said(api.serve)
    assert "client id 1 is in use by another program: end it, or choose another client_id" in line


def test_read_only_gateway_is_told_how_to_be_opened(said):
    api = Gateway({16: lambda client, _: client.error(-1, 321, READ_ONLY)})
    assert 'untick "Read-Only API"' in said(api.serve)
    assert api.orders.last_order_id == 0


def test_login_with_several_accounts_is_told_to_choose(said):
    assert "set ibkr.account to one of DU1, DU2" in said(Gateway(account="DU1,DU2").serve)


def test_gateway_without_ib_cannot_trade(said):
    def forms(client, fields):
        client.error(-1, 1100, "Connectivity between IB and Trader Workstation has been lost.")
        summary(client, fields)

    api = Gateway()
    summary, api.answers[62] = api.answers[62], forms
    assert "cannot trade (no link to IB: Connectivity between IB" in said(api.serve)


@pytest.mark.parametrize(
    ("symbol", "told"),
    [
        ("NOSUCH", "NOSUCH is unknown to IB (No security definition has been found"),
        ("AAPL", "IB lists AAPL 2 times: write one of AAPL@NASDAQ, AAPL@EBS"),
    ],
)
def test_symbol_that_is_none_or_several_is_told(said, symbol, told):
    assert told in said(Gateway(twins=(("AAPL", "EBS"),)).serve, symbol)


def test_missing_market_data_permission_is_told_with_the_symbol(said):
    api = Gateway({20: lambda client, fields: client.error(fields[1], 162, NO_PERMISSION)})
    line = said(api.serve)
    assert "no market data permission for AAPL" in line
    assert "subscribe to its exchange" in line
    assert api.orders.last_order_id == 0


def test_part_of_a_share_is_told_before_anything_is_sent(said):
    more = '[[strategies]]\nname = "sma_cross"\nsize = 2.5\n'
    assert "IB's API takes whole units only: give a whole size" in said(Gateway().serve, more=more)


def test_window_that_cannot_be_is_told_with_an_example(tmp_path, capsys):
    settings = tmp_path / "live.toml"
    settings.write_text('venue = "ibkr"\nibkr = {restart_begin = "00:45"}\n')
    assert main(["--settings", str(settings), "--folder", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no window from 00:45 to 00:45 America/New_York: write two times such as" in line
