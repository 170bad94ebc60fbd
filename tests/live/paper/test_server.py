"""The venue as a process: sockets, faults that break them, the control door, the end."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from brokers.errors import ConfigError
from live.paper.child import VenueProcess
from live.paper.control import ControlError, Remote
from live.paper.faults import Fault, Plan
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


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    folder = tmp_path_factory.mktemp("server") / "venue"
    with started(folder, account="backtrader", plan=PLAN.to_toml(), plan_name="test") as running:
        yield running
    assert running.summary["faults"] == {"delay": 1, "drop": 1, "hang": 1, "reset": 1}
    assert running.summary["missed"] == []
    assert running.summary["orders"] == 2


async def listening(line: aiohttp.ClientSession, venue: VenueProcess) -> Any:
    stream = await line.ws_connect(f"{venue.stream_url}/stream")
    await stream.send_json({"action": "auth", "key": KEY, "secret": SECRET})
    await stream.receive()
    await stream.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
    await stream.receive()
    return stream


def test_faults_break_real_connections_and_lock_step_moves_only_when_told(
    venue: VenueProcess,
) -> None:
    remote = venue.remote

    async def session() -> None:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(headers=HEADERS, timeout=timeout) as line:
            orders = f"{venue.url}/v2/orders"
            with pytest.raises(aiohttp.ClientError):
                await line.post(orders, json=BUY)
            asked = asyncio.create_task(line.get(f"{venue.url}/v2/positions"))
            for _ in range(1_000):
                if remote.counters().parked:
                    break
                await asyncio.sleep(0.01)
            asked.cancel()
            stream = await listening(line, venue)
            assert (await line.post(orders, json=BUY)).status == 200
            assert remote.step()["updates"] == 2
            assert json.loads((await stream.receive()).data)["data"]["event"] == "new"
            assert (await stream.receive()).type in (aiohttp.WSMsgType.ERROR, *ENDED)
            stream = await listening(line, venue)
            assert (await line.post(orders, json=BUY)).status == 200
            remote.step()
            assert json.loads((await stream.receive()).data)["data"]["event"] == "fill"
            assert remote.counters().updates_late == 1
            remote.wait(5.0)
            assert json.loads((await stream.receive()).data)["data"]["event"] == "new"
            remote.drop("trade_updates")
            assert (await stream.receive()).type in (aiohttp.WSMsgType.ERROR, *ENDED)

    asyncio.run(session())
    counters = remote.counters()
    assert (counters.orders, counters.updates_sent, counters.updates_withheld) == (2, 3, 1)
    assert counters.at == "2024-01-02T14:42:00+00:00"
    assert counters.now == "2024-01-02T14:42:05+00:00"
    assert (counters.in_flight, counters.steps_left, counters.longest_row) == (0, True, 2)


ENDED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)


def test_control_door_opens_for_its_token_alone(venue: VenueProcess) -> None:
    door = f"http://127.0.0.1:{venue.remote._line.port}"
    stranger = Remote(door, "guess")
    with pytest.raises(ControlError, match="no such token"):
        stranger.counters()
    stranger.close()
    with pytest.raises(ControlError, match="no stream 'news'"):
        venue.remote.drop("news")  # type: ignore[arg-type]
    with pytest.raises(ControlError, match="no such question"):
        venue.remote._ask("dance")


def test_bars_are_sent_once_and_steps_end_with_the_market(tmp_path: Path) -> None:
    with started(tmp_path / "venue", warm_up=118) as venue:
        assert venue.remote.step()["symbols"] == ["AAPL", "MSFT"]
        assert venue.remote.bars()["at"] == "2024-01-02T16:29:00+00:00"
        assert venue.remote.bars()["at"] is None
        assert venue.remote.step()["at"] == "2024-01-02T16:30:00+00:00"
        assert venue.remote.step() == {"at": None, "symbols": [], "updates": 0}
        assert not venue.remote.counters().steps_left
    assert venue.stop() == venue.summary
    with pytest.raises(ControlError, match="does not answer"):
        venue.remote.counters()


def test_accelerated_market_runs_by_itself_and_ends_at_a_signal(tmp_path: Path) -> None:
    plan = Plan("slow", (Fault("delay", 1, wait_s=0.01),))
    spec = VenueSpec(warm_up=10, speed=60_000.0, plan=plan.to_toml())
    process = subprocess.Popen(
        [sys.executable, "-m", "live.paper.server", str(spec.save(tmp_path, frames()))],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    remote = Remote(ready["control"], ready["token"])
    while remote.counters().steps_left:
        pass
    with pytest.raises(ControlError, match="real time"):
        remote.wait(1.0)
    remote.close()
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=PATIENCE_S)
    assert json.loads(text)["calls"] == 0
    assert process.returncode == 0


def test_port_in_use_is_named_with_the_next_step(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}.* is in use: choose another one"):
            started(tmp_path / "venue", port=port)


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
