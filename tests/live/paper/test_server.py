"""The venue as a process: sockets, faults that break them, the control door, the end."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest

from brokers.clock import Clock, ManualClock, SystemClock
from brokers.errors import ConfigError
from live.paper.control import ControlError, Remote
from live.paper.faults import Fault, Plan
from live.paper.server import main, serve
from live.paper.spec import VenueSpec
from tests.live.conformance.small_venue import KEY, SECRET, frames, started
from tests.live.paper.front import BUY, HEADERS

PATIENCE_S = 10.0
PLAN = Plan(
    "test",
    (
        Fault("reset", 1),
        Fault("hang", 1, on="GET /v2/positions"),
        Fault("drop", 1),
        Fault("delay", 3, wait_s=5.0),
    ),
)


ENDED = (
    aiohttp.WSMsgType.ERROR,
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.CLOSING,
)


@dataclass
class Served:
    """A venue served by this process, and its control door."""

    url: str
    stream_url: str
    remote: Remote

    async def ask(self, what: str, *words: Any) -> Any:
        """Ask at the door, from a thread: the venue runs in this one."""
        return await asyncio.to_thread(getattr(self.remote, what), *words)


class Said(StringIO):
    """What the venue says, and that it has begun to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    def flush(self) -> None:
        self.begun.set()  # its first words are whole


def serving(scenario: Callable[[Served], Awaitable[None]], **how: Any) -> dict[str, Any]:
    """Serve a venue while a conversation lasts; what it says at its end."""
    out, spec = Said(), VenueSpec(**{"warm_up": 10, **how})

    async def both() -> None:
        market = spec.venue(frames(), SystemClock())
        clock: Clock = SystemClock() if spec.speed else ManualClock(market.at)
        server = asyncio.create_task(serve(spec, spec.venue(frames(), clock), clock, out))
        await out.begun.wait()
        ready = json.loads(out.getvalue())
        served = Served(ready["url"], ready["stream"], Remote(ready["control"], ready["token"]))
        try:
            await scenario(served)
        finally:
            await served.ask("stop")
            served.remote.close()
            await server

    asyncio.run(asyncio.wait_for(both(), 2 * PATIENCE_S))
    told: dict[str, Any] = json.loads(out.getvalue().splitlines()[1])
    return told


async def listening(line: aiohttp.ClientSession, venue: Served) -> Any:
    stream = await line.ws_connect(f"{venue.stream_url}/stream")
    await stream.send_json({"action": "auth", "key": KEY, "secret": SECRET})
    await stream.receive()
    await stream.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
    await stream.receive()
    return stream


async def broken(served: Served, line: aiohttp.ClientSession) -> None:
    """A reset, then a hang that the client gives up."""
    with pytest.raises(aiohttp.ClientError):
        await line.post(f"{served.url}/v2/orders", json=BUY)
    asked = asyncio.create_task(line.get(f"{served.url}/v2/positions"))
    while not (await served.ask("counters")).parked:
        assert not asked.done()
    asked.cancel()


async def event(stream: Any) -> str:
    return str(json.loads((await stream.receive()).data)["data"]["event"])


def test_faults_break_real_connections_and_lock_step_moves_only_when_told() -> None:
    async def scenario(served: Served) -> None:
        orders = f"{served.url}/v2/orders"
        async with aiohttp.ClientSession(headers=HEADERS) as line:
            await broken(served, line)
            stream = await listening(line, served)
            assert (await line.post(orders, json=BUY)).status == 200
            assert (await served.ask("step"))["updates"] == 2
            assert await event(stream) == "new"
            assert (await stream.receive()).type in ENDED
            stream = await listening(line, served)
            assert (await line.post(orders, json=BUY)).status == 200
            await served.ask("step")
            assert await event(stream) == "fill"
            assert (await served.ask("counters")).updates_late == 1
            await served.ask("wait", 5.0)
            assert await event(stream) == "new"
            await served.ask("drop", "trade_updates")
            assert (await stream.receive()).type in ENDED
            counters = await served.ask("counters")
        assert (counters.orders, counters.updates_sent, counters.updates_withheld) == (2, 3, 1)
        assert counters.at == "2024-01-02T14:42:05+00:00"
        assert counters.now == "2024-01-02T14:42:05+00:00"
        assert (counters.in_flight, counters.steps_left, counters.longest_row) == (0, True, 2)

    told = serving(scenario, plan=PLAN.to_toml(), plan_name="test")
    assert told["faults"] == {"delay": 1, "drop": 1, "hang": 1, "reset": 1}
    assert (told["orders"], told["fills"], told["missed"]) == (2, 2, [])


def test_control_door_opens_for_its_token_alone() -> None:
    async def scenario(served: Served) -> None:
        door = f"http://127.0.0.1:{served.remote._line.port}"
        stranger = Remote(door, "guess")
        with pytest.raises(ControlError, match="no such token"):
            await asyncio.to_thread(stranger.counters)
        stranger.close()
        with pytest.raises(ControlError, match="no stream 'news'"):
            await served.ask("drop", "news")
        with pytest.raises(ControlError, match="no such question"):
            await served.ask("_ask", "dance")
        await served.ask("drop", "data")

    serving(scenario)


def test_bars_are_sent_once_and_steps_end_with_the_market() -> None:
    async def scenario(served: Served) -> None:
        assert (await served.ask("step"))["symbols"] == ["AAPL", "MSFT"]
        assert (await served.ask("bars"))["at"] == "2024-01-02T16:29:00+00:00"
        assert (await served.ask("bars"))["at"] is None
        assert (await served.ask("step"))["at"] == "2024-01-02T16:30:00+00:00"
        assert await served.ask("step") == {"at": None, "symbols": [], "updates": 0}
        assert not (await served.ask("counters")).steps_left

    serving(scenario, warm_up=118)


def test_a_connection_that_is_kept_waits_for_no_acknowledgement() -> None:
    async def scenario(served: Served) -> None:
        taken = []
        async with aiohttp.ClientSession(headers=HEADERS) as line:
            for _ in range(30):
                began_s = time.perf_counter()
                await (await line.get(f"{served.url}/v2/clock")).read()
                taken.append(time.perf_counter() - began_s)
        assert median(taken) < 0.03  # an acknowledgement is delayed by 0.04

    serving(scenario)


def test_accelerated_market_runs_by_itself_and_sends_what_is_late() -> None:
    async def scenario(served: Served) -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as line:
            stream = await listening(line, served)
            assert (await line.post(f"{served.url}/v2/orders", json=BUY)).status == 200
            assert {await event(stream), await event(stream)} == {"new", "fill"}
        with pytest.raises(ControlError, match="real time"):
            await served.ask("wait", 1.0)

    plan = Plan("slow", (Fault("delay", 1, wait_s=0.01),))
    told = serving(scenario, speed=600.0, plan=plan.to_toml())
    assert (told["updates"], told["faults"]) == (2, {"delay": 1})


def test_process_ends_at_a_signal_with_its_summary(tmp_path: Path) -> None:
    spec = VenueSpec(warm_up=10, speed=60_000.0)
    process = subprocess.Popen(
        [sys.executable, "-m", "live.paper.server", str(spec.save(tmp_path, frames()))],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=PATIENCE_S)
    assert (json.loads(text)["calls"], process.returncode) == (0, 0)


def test_port_in_use_is_named_with_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(VenueSpec(port=port).save(tmp_path, frames()), StringIO()) == 2
    text = capsys.readouterr().err
    assert text.startswith(f"error: cannot listen on 127.0.0.1:{port}, the port is in use: choose ")


def test_folder_without_a_venue_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no venue in"):
        VenueSpec.load(tmp_path)


def test_spec_and_bars_survive_their_folder(tmp_path: Path) -> None:
    spec = VenueSpec(account="alpaca", cash=5_000.0)
    bars = frames()
    loaded, found = VenueSpec.load(spec.save(tmp_path, bars))
    assert loaded == spec
    assert list(found) == list(bars)
    assert found["AAPL"].attrs == bars["AAPL"].attrs
    assert found["AAPL"].equals(bars["AAPL"])


def test_warm_up_that_leaves_no_bar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a warm-up of 500 steps leaves no bar to trade on"):
        started(tmp_path / "venue", warm_up=500)
