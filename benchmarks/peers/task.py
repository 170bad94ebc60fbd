"""One work in one peer's own environment, measured: bars in, one line of JSON out.

Run as `python -m benchmarks.peers.SCRIPT WORK WAY FOLDER` by benchmarks.peers, in the peer's
environment; so this module needs NumPy and pandas alone. The first round is done at once, another
one for each line of standard input; after each, READY is printed.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

CASH, COMMISSION, SIZE = 1_000_000.0, 0.001, 100
LOOKBACK, EVERY, BEST, SHARE = 60, 5, 10, 0.095
SETS = {
    "W2a": [(fast, slow) for fast in range(5, 25) for slow in range(25, 75)],
    "W2b": [(fast, slow) for fast in range(5, 15) for slow in range(20, 70, 5)],
}
SAMPLE_S = 0.05
READY, RESULT = "READY", "RESULT "


class Ends(NamedTuple):
    """What a work came to: the account's value (of a sweep their sum), and how many fills."""

    value: float
    fills: int | None = None


@dataclass(frozen=True)
class Job:
    """One work: bars by symbol in naive UTC, and the parameter sets of a sweep."""

    work: str
    frames: dict[str, pd.DataFrame]
    workers: int = 4

    @property
    def frame(self) -> pd.DataFrame:
        return next(iter(self.frames.values()))

    @property
    def sets(self) -> list[tuple[int, int]]:
        return SETS[self.work]

    @property
    def axes(self) -> dict[str, list[int]]:
        fast, slow = ({one[place] for one in self.sets} for place in (0, 1))
        return {"fast": sorted(fast), "slow": sorted(slow)}


class PeakMemory:
    """The most memory that this process and its children had together, in megabytes.

    Looked up now and then: shared pages count once (PSS), so that processes which share their bars
    are not charged twice. What this process had alone is the kernel's own mark (VmHWM), of its
    whole life: no look comes too late for that.
    """

    def __enter__(self) -> Self:
        self.peak_mb, self._is_done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_done.set()
        self._thread.join()
        self.peak_mb = max(self.peak_mb, own_peak_mb())

    def _watch(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, sum(map(_megabytes, _family(os.getpid()))))
            if self._is_done.wait(SAMPLE_S):
                return


def _family(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(it) for one in threads for it in (one / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in _family(child))]


def _megabytes(pid: int) -> float:
    try:
        return _entry(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
    except OSError:
        return 0.0


def own_peak_mb() -> float:
    """The most memory that this process ever had, without what a parent had when it forked."""
    return _entry(Path("/proc/self/status"), "VmHWM:")


def _entry(path: Path, name: str) -> float:
    """One of the kernel's figures in kB (proc(5)), in megabytes."""
    lines = path.read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def measure(ways: Mapping[str, Callable[[Job], Ends]], imported_s: float) -> None:
    """Do what the command line names, first cold and then warm, and print what it took."""
    work, way, folder = sys.argv[1:4]
    paths = sorted(Path(folder, _bars(work)).glob("*.npz"))
    job = Job(work, {path.stem: _frame(path) for path in paths})
    walls: list[float] = []

    def done() -> Ends:
        began = time.perf_counter()
        ends = ways[way](job)
        walls.append(time.perf_counter() - began)
        print(READY, flush=True)
        return ends

    # The watch would take its share of a short round: warm ones go without it, and one more has it.
    with PeakMemory() as memory:
        ends = done()
    for _ in sys.stdin:
        ends = done()
    warm_s, peak_mb = walls[1:], memory.peak_mb
    if warm_s:
        with PeakMemory() as memory:
            done()
        peak_mb = max(peak_mb, memory.peak_mb)
    told = {"cold_s": walls[0], "warm_s": warm_s, "imported_s": imported_s, "peak_mb": peak_mb}
    print(RESULT + json.dumps({**ends._asdict(), **told}))


def _frame(path: Path) -> pd.DataFrame:
    """Bars from plain arrays: a reader of other formats would count among a peer's memory."""
    with np.load(path) as held:
        columns = {name: held[name] for name in held.files}
    index = pd.DatetimeIndex(columns.pop("time"), name="time")
    return pd.DataFrame(columns, index=index)


def _bars(work: str) -> str:
    return {"W2a": "W1a", "W2b": "W1b"}.get(work, work)
