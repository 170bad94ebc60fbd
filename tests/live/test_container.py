"""docker-compose.yml and the health check of its gateway."""

import asyncio
import re
from pathlib import Path

import pytest
import yaml

from brokers.clock import SystemClock
from live.paper.account import BacktraderRules
from live.paper.tws_api import TwsApi
from tests.contract.test_transports import paper_market

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
HEALTH = ROOT / "docker" / "gateway_health.sh"


async def checked(port, wait_s="5"):
    """Exit code and what was said."""
    process = await asyncio.create_subprocess_exec(
        *("bash", str(HEALTH), str(port), wait_s),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().strip()


def served(answer, wait_s="5"):
    """The health check of a server that answers connections so."""

    async def run():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            return await checked(server.sockets[0].getsockname()[1], wait_s)

    return asyncio.run(run())


def test_gateway_that_shakes_hands_is_healthy():
    api = TwsApi(paper_market(BacktraderRules(), SystemClock()), SystemClock())
    code, said = served(api.serve)
    assert code == 0
    assert "server version 178, 20240304 15:01:00 UTC" in said
    assert not api.sessions  # no client id was taken


def test_port_where_nobody_listens_is_not_healthy():
    async def run():
        async with await asyncio.start_server(print, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
        return await checked(port)

    code, said = asyncio.run(run())
    assert (code, said.partition(": ")[2]) == (1, "nobody listens")


@pytest.mark.parametrize(
    ("words", "wait_s", "told"),
    [(b"", "0.2", "no answer"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "5", "no TWS API")],
)
def test_port_that_accepts_and_says_no_such_thing_is_not_healthy(words, wait_s, told):
    async def answer(reader, writer):
        writer.write(words)
        if words:
            writer.close()
        await reader.read()
        writer.close()

    code, said = served(answer, wait_s)
    assert (code, said.partition(": ")[2]) == (1, told)


def services():
    return yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def test_every_port_is_bound_to_loopback():
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:4001:4003", "127.0.0.1:4002:4004"]


def test_nothing_starts_itself_again_and_so_nothing_logs_in_again_and_again():
    assert {service["restart"] for service in services().values()} == {"no"}
    gateway = services()["gateway"]["environment"]
    assert (gateway["TWOFA_TIMEOUT_ACTION"], gateway["RELOGIN_AFTER_TWOFA_TIMEOUT"]) == (
        "exit",
        "no",
    )


def test_paper_is_the_default_and_orders_are_permitted():
    gateway, seawall = services()["gateway"], services()["seawall"]
    assert gateway["environment"]["TRADING_MODE"] == "${TRADING_MODE:-paper}"
    assert gateway["environment"]["READ_ONLY_API"] == "no"
    assert "${SEAWALL_VENUE:-ibkr}" in seawall["command"]


def test_password_is_a_secret_that_stands_in_no_file():
    text = COMPOSE.read_text(encoding="utf-8")
    assert re.findall(r"TWS_PASSWORD\b(?!_)", text) == ["TWS_PASSWORD"]
    assert yaml.safe_load(text)["secrets"] == {"tws_password": {"environment": "TWS_PASSWORD"}}


def test_seawall_runs_as_nobody_special():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER seawall" in lines
    assert lines.index("USER seawall") < lines.index('ENTRYPOINT ["python", "-m", "live"]')
