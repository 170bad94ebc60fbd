"""The Client Portal behind TLS, on a socket: its certificate, and faults that break connections."""

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from brokers.clock import ManualClock, SystemClock
from live.paper.control import Remote
from live.paper.faults import Fault, Plan
from live.paper.portal_gate import ROOT
from live.paper.portal_tls import identity
from live.paper.server import serve
from live.paper.spec import VenueSpec
from tests.live.conformance.small_venue import frames
from tests.live.paper.portal_front import LIMIT, ORDERS

PATIENCE_S = 10.0
Scenario = Callable[[aiohttp.ClientSession, dict[str, Any]], Awaitable[None]]


class Out(StringIO):
    """What a venue says; `begun` when it has said where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    def flush(self) -> None:
        """Its first line is whole."""
        self.begun.set()


def serving(scenario: Scenario, *faults: Fault) -> dict[str, Any]:
    """Serve a venue in lock-step while a client who verifies talks to it; its last words."""
    plan = Plan("test", faults)
    spec = VenueSpec(front="portal", warm_up=10, plan=plan.to_toml())

    async def both() -> str:
        out = Out()
        clock = ManualClock(spec.venue(frames(), SystemClock()).at)
        server = asyncio.create_task(serve(spec, spec.venue(frames(), clock), clock, out))
        await out.begun.wait()
        ready = json.loads(out.getvalue())
        trusted = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ready["authority"]))
        remote = Remote(ready["control"], ready["token"])
        try:
            async with aiohttp.ClientSession(ready["url"], connector=trusted) as line:
                await scenario(line, ready)
        finally:
            await asyncio.to_thread(remote.stop)
            remote.close()
            await server
        return out.getvalue().splitlines()[1]

    async def in_time() -> str:
        return await asyncio.wait_for(both(), PATIENCE_S)

    return dict(json.loads(asyncio.run(in_time())))


def test_certificate_is_made_at_the_start_and_goes_with_the_venue() -> None:
    with identity("127.0.0.1") as shown:
        assert shown.authority.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert not shown.authority.exists()


def test_venue_without_trustme_says_what_to_install(tmp_path: Path) -> None:
    VenueSpec(front="portal", warm_up=10).save(tmp_path, frames())
    code = (
        "import sys; sys.modules['trustme'] = None\n"
        "from pathlib import Path; from live.paper.server import main\n"
        "sys.exit(main(Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "portal: trustme is missing: pip install 'seawall[ibkr]'" in done.stderr


def test_client_that_verifies_is_served_and_a_stranger_to_the_authority_is_not() -> None:
    async def scenario(line: aiohttp.ClientSession, ready: dict[str, Any]) -> None:
        assert ready["url"].startswith("https://127.0.0.1:")
        async with line.post(f"{ROOT}/tickle") as answer:
            assert (await answer.json())["iserver"]["authStatus"]["authenticated"] is True
        async with aiohttp.ClientSession(ready["url"]) as stranger:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await stranger.post(f"{ROOT}/tickle")
        async with line.post(f"{ROOT}/iserver/questions/suppress", data=b"not json") as answer:
            assert (await answer.json())["error"] == "Bad Request: no JSON"
        async with line.ws_connect(f"{ROOT}/ws") as stream:
            assert (await stream.receive_json())["topic"] == "system"

    assert serving(scenario)["calls"] == 2


def test_reset_breaks_a_call_and_leaves_a_hang_to_the_client() -> None:
    async def scenario(line: aiohttp.ClientSession, ready: dict[str, Any]) -> None:
        with pytest.raises(aiohttp.ClientError):
            await line.post(f"{ROOT}/tickle")
        async with line.get(f"{ROOT}/iserver/accounts") as answer:
            assert answer.status == 200
        wait = aiohttp.ClientTimeout(total=0.2)
        with pytest.raises(TimeoutError):
            await line.post(f"{ROOT}{ORDERS}", json={"orders": [LIMIT]}, timeout=wait)
        remote = Remote(ready["control"], ready["token"])
        counters = await asyncio.to_thread(remote.counters)
        remote.close()
        assert counters.hits == {"hang": 1, "reset": 1}

    orders = "POST /iserver/account/{id}/orders"
    told = serving(
        scenario, Fault("reset", on="POST /tickle"), Fault("hang", on=orders, after=True)
    )
    assert told["orders"] == 1  # the hang struck after the work was done


def test_broken_websocket_ends_without_a_word() -> None:
    async def scenario(line: aiohttp.ClientSession, ready: dict[str, Any]) -> None:
        remote = Remote(ready["control"], ready["token"])
        async with line.ws_connect(f"{ROOT}/ws") as stream:
            greeting = [(await stream.receive_json()).get("topic") for _ in range(3)]
            assert greeting == ["system", "act", "sts"]
            counters = await asyncio.to_thread(remote.counters)
            assert counters.told == 3
            await asyncio.to_thread(remote.drop, "trade_updates")
            ended = await stream.receive()
            assert ended.type in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.ERROR,
            )
            assert stream.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        remote.close()

    serving(scenario)
