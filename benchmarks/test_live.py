"""The live path over loopback: bar to order, fill to notification, idle CPU, with its disk.

A real session (`python -m live`) of 50 symbols trades at the venue of `live_venue.py`; both are
processes of their own, and stamp with the monotonic clock that they share: what the venue sends,
before the call that sends it; an order, by the kernel, when its last byte has come to the venue's
socket; a notification, when the strategy is told. What is printed depends on machine, load and
disk, which are printed too.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console
from rich.table import Table

from analyzers.chain import verify
from benchmarks.live_script import SYMBOLS, WARM_UP, Script
from benchmarks.live_venue import STAMPED

ROOT = Path(__file__).parents[1]
SETTLE_S, IDLE_S = 1.0, 4.0
SYNCS = 200
STAMPER = "the venue's process" if STAMPED is None else "the kernel, at the venue's sockets"
SETTINGS = """\
venue = "paper"
url = "http://127.0.0.1:{port}"
folder = "{folder}"

[[strategies]]
name = "benchmarks.live_stage:{strategy}"
params = {{ stamps = "{folder}/stamps.json" }}

[data]
symbols = {symbols}
warmup_bars = {warm_up}

[risk]
max_order_notional = 1e6
max_position_notional = 1e6
max_position_share = 0.5
max_gross_exposure = 2.0
price_collar_frac = 0.5
max_orders_per_minute = 1000000
max_drawdown_frac = 0.9

[wire]
calls_a_minute = 1000000

[paper]
speed = "1x"
"""


@dataclass(frozen=True)
class Row:
    """One line of the report: milliseconds, sorted, and the goal for one of its percentiles."""

    name: str
    spans_ms: list[float]
    percent: int = 99
    goal_ms: float | None = None

    def at(self, percent: int) -> float:
        """A percentile, by nearest rank."""
        rank = -(-len(self.spans_ms) * percent // 100)
        return self.spans_ms[max(rank, 1) - 1]

    @property
    def verdict(self) -> str:
        if self.goal_ms is None:
            return ""
        word = "met" if self.at(self.percent) <= self.goal_ms else "MISSED"
        return f"p{self.percent} <= {self.goal_ms:g}: {word}"


@pytest.mark.parametrize(
    ("strategy", "script"),
    [("Crosses", Script(2000, 10)), ("ArrayCrosses", Script(90, 1))],
    ids=["indicators", "arrays"],
)
def test_live_path(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    strategy: str,
    script: Script,
) -> None:
    place = ROOT / "out"
    place.mkdir(exist_ok=True)  # a disk, which the folder for temporary files often is not
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        syncs = syncs_ms(folder)
        load = os.getloadavg()[0]
        told, idle = benchmark.pedantic(measured, (folder, strategy, script), rounds=1)
        notified_ns = orjson.loads((folder / "stamps.json").read_bytes())
        rows = [*found(script, told, notified_ns), syncs]
        assert verify(folder / "decisions.jsonl").state == "complete"
        disk = file_system(folder)
    loads = f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    benchmark.extra_info |= {row.name: {p: row.at(p) for p in (50, 90, 99, 100)} for row in rows}
    benchmark.extra_info |= {"idle_cpu_percent": idle, "disk": disk, "load": loads}
    with capsys.disabled():
        console = Console(width=120)
        console.print()
        title = f"live, {len(SYMBOLS)} symbols, {script.minutes} minutes, {strategy}"
        console.print(table(rows, title))
        console.print(f"idle CPU {idle:.2f} % of a core (goal: under 2); {disk}; {loads}")
        console.print(f"orders stamped by {STAMPER}")


def measured(folder: Path, strategy: str, script: Script) -> tuple[dict[str, Any], float]:
    """Run venue and session; the venue's stamps, and the idle session's share of a core in %."""
    numbers = (str(script.staggered), str(script.bursts))
    with started(folder, "benchmarks.live_venue", *numbers) as venue:
        assert venue.stdout
        content = SETTINGS.format(
            port=int(venue.stdout.readline()),
            folder=folder,
            strategy=strategy,
            symbols=list(SYMBOLS),
            warm_up=WARM_UP,
        )
        (folder / "live.toml").write_text(content)
        words = ("live", "trade", "--settings", str(folder / "live.toml"))
        with (folder / "said").open("w") as said, started(folder, *words, out=said) as session:
            line = venue.stdout.readline()
            if not line:
                pytest.fail(f"the venue gave up:\n{(folder / 'errors').read_text()}")
            time.sleep(SETTLE_S)
            idle = idle_percent(session.pid)
            session.send_signal(signal.SIGTERM)
            session.wait(timeout=30)
    return orjson.loads(line), idle


@contextmanager
def started(
    folder: Path, *words: str, out: Any = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """A Python process of this project, which ends with the block."""
    with (
        (folder / "errors").open("a") as errors,
        subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdout=out,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def found(script: Script, told: dict[str, Any], notified_ns: dict[str, int]) -> list[Row]:
    """The distributions."""
    spans: dict[str, list[float]] = {}
    for minute, (bars_ns, orders_ns) in enumerate(
        zip(told["bars_ns"], told["orders_ns"], strict=True)
    ):
        assert len(orders_ns) == script.turning(minute)
        if script.is_burst(minute):
            spans.setdefault("all", []).append((max(orders_ns) - bars_ns) / 1e6)
        elif orders_ns:
            kind = "whole" if script.in_one_frame(minute) else "last"
            spans.setdefault(kind, []).append((min(orders_ns) - bars_ns) / 1e6)
    assert notified_ns.keys() == told["fills_ns"].keys()
    for name, told_ns in notified_ns.items():
        span_ms = (told_ns - told["fills_ns"][name]) / 1e6
        spans.setdefault(told["modes"][name], []).append(span_ms)
    kinds: dict[str, tuple[str, int, float]] = {
        "whole": ("50 bars in one frame -> first order", 99, 5.0),
        "last": ("last bar after 49 others -> first order", 99, 5.0),
        "all": ("last bar -> last of 50 orders", 100, 30.0),
        "on its own": ("fill on its own -> notify_order", 99, 5.0),
        "with the answer": ("fill with the POST's answer -> notify_order", 99, 10.0),
        "behind the next bars": ("fill behind the next bars -> notify_order", 99, 10.0),
    }
    return [
        Row(name, sorted(spans[kind]), percent, goal_ms)
        for kind, (name, percent, goal_ms) in kinds.items()
    ]


def syncs_ms(folder: Path) -> Row:
    """What the disk alone takes for a line: write and fdatasync."""
    spans = []
    with (folder / "probe").open("ab", buffering=0) as file:
        for _ in range(SYNCS):
            began_ns = time.monotonic_ns()
            file.write(b"x" * 600)
            os.fdatasync(file.fileno())
            spans.append((time.monotonic_ns() - began_ns) / 1e6)
    return Row("write and fdatasync alone", sorted(spans))


def idle_percent(pid: int) -> float:
    """A process' share of a core while nothing happens; Linux alone tells."""
    began_s, used_s = time.monotonic(), cpu_s(pid)
    time.sleep(IDLE_S)
    return 100 * (cpu_s(pid) - used_s) / (time.monotonic() - began_s)


def cpu_s(pid: int) -> float:
    """Seconds of a core that a process has used: fields 14 and 15 of its stat (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def file_system(folder: Path) -> str:
    """Device, type and size of the disk, as df -T has them."""
    mounts = (line.split()[:3] for line in Path("/proc/mounts").read_text().splitlines())
    within = [mount for mount in mounts if folder.is_relative_to(mount[1])]
    device, point, kind = max(within, key=lambda mount: len(mount[1]))
    room = os.statvfs(folder)
    size, free = (room.f_frsize * blocks / 1e9 for blocks in (room.f_blocks, room.f_bavail))
    return f"log on {kind} ({device} at {point}, {free:.0f} of {size:.0f} GB free)"


def table(rows: list[Row], title: str) -> Table:
    made = Table("ms", "n", "p50", "p90", "p99", "max", "goal", title=title)
    for row in rows:
        figures = [f"{row.at(percent):.2f}" for percent in (50, 90, 99, 100)]
        made.add_row(row.name, str(len(row.spans_ms)), *figures, row.verdict)
    return made
