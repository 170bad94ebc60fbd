"""Every peer's works in turn, each in a process of its own environment, round after round."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.peers.environments import FOLDER, python_of
from benchmarks.works import w1a, w1b, w3

BARS = FOLDER / "bars"
WORKS = ("W1a", "W1b", "W2a", "W2b", "W3")
WARM = 3  # rounds in one process after the first, where a round is short
STOCK = "backtrader"
SAME_FRAC = 1e-9


@dataclass(frozen=True)
class Peer:
    """One way of one backtester.

    Args:
        name: in the table.
        environment: of benchmarks/peers/requirements; empty for this one.
        script: which of benchmarks.peers runs it.
        ways: what the script is to do, by work.
        is_slow: a single round a process is enough.
        must_agree: its results have to be stock's.
    """

    name: str
    environment: str
    script: str
    ways: dict[str, str]
    is_slow: bool = False
    must_agree: bool = False

    @property
    def python(self) -> Path:
        return python_of(self.environment) if self.environment else Path(sys.executable)


SINGLE = dict.fromkeys(("W1a", "W1b", "W3"), "run")
OPTIMISED = dict.fromkeys(("W2a", "W2b"), "optstrategy")
PEERS = (
    Peer(STOCK, "", "run_backtrader", {**SINGLE, **OPTIMISED}, is_slow=True),
    Peer("seawall turbo", "", "run_seawall", dict.fromkeys(SINGLE, "turbo"), must_agree=True),
    Peer("seawall sweep of any strategy", "", "run_seawall",
         {"W2a": "cerebro", "W2b": "cerebro"}, must_agree=True),
    Peer("seawall compiled sweep", "", "run_seawall",
         {"W2a": "compiled", "W2b": "compiled"}, must_agree=True),
    Peer("seawall confirmed sweep", "", "run_seawall",
         {"W2a": "confirmed", "W2b": "confirmed"}, must_agree=True),
    Peer("backtrader-next", "backtrader-next", "run_backtrader",
         {**SINGLE, **OPTIMISED}, is_slow=True),
    Peer("backtesting.py", "backtesting", "run_backtesting",
         {"W1a": "run", "W1b": "run", "W2a": "sets"}, is_slow=True),
    Peer("vectorbt", "vectorbt", "run_vectorbt", {**SINGLE, "W2a": "sets", "W2b": "sets"}),
    Peer("nautilus_trader", "nautilus", "run_nautilus", {"W1a": "run", "W1b": "run"}),
)  # fmt: skip


@dataclass
class Figures:
    """What one peer's rounds of one work came to."""

    value: float
    fills: int | None
    cold_s: list[float]
    warm_s: list[float]
    peak_mb: list[float]
    imported_s: list[float]

    @property
    def seconds(self) -> float:
        """Median of the warm rounds; of the first ones where there are no others."""
        return median(self.warm_s or self.cold_s)

    def agrees(self, other: "Figures") -> bool:
        same_fills = None in {self.fills, other.fills} or self.fills == other.fills
        return same_fills and isclose(self.value, other.value, rel_tol=SAME_FRAC)


Table = dict[tuple[str, str], Figures]


def write_bars() -> None:
    """The bars of every work where the peers' processes find them."""
    for work in (w1a(), w1b(), w3()):
        folder = BARS / work.name
        folder.mkdir(parents=True, exist_ok=True)
        for symbol, frame in work.frames.items():
            columns = {name: frame[name].to_numpy() for name in frame}
            np.savez(folder / f"{symbol}.npz", time=frame.index.to_numpy(), **columns)


def compared(works: Iterable[str], rounds: int, peers: Iterable[str] = ()) -> Table:
    """Figures by work and peer, measured in turn.

    Raises:
        AssertionError: this project did other work than stock Backtrader.
    """
    write_bars()
    table: Table = {}
    for _ in range(rounds):
        for work, peer in _turns(works, peers):
            print(f"{work} {peer.name} ...", file=sys.stderr, flush=True)
            found = _measured(peer, work)
            if found is None:
                continue
            held = table.setdefault((work, peer.name), found)
            if held is not found:
                for name in ("cold_s", "warm_s", "peak_mb", "imported_s"):
                    getattr(held, name).extend(getattr(found, name))
            stock = table.get((work, STOCK))
            if peer.must_agree and stock is not None:
                assert found.agrees(stock), f"{work}: {peer.name} {found}, {STOCK} {stock}"
    return table


def _turns(works: Iterable[str], peers: Iterable[str]) -> Iterator[tuple[str, Peer]]:
    chosen = [peer for peer in PEERS if not peers or peer.name in peers]
    for work in works:
        yield from ((work, peer) for peer in chosen if work in peer.ways and peer.python.exists())


def _measured(peer: Peer, work: str) -> Figures | None:
    command = [
        str(peer.python.absolute()), "-m", f"benchmarks.peers.{peer.script}", work,
        peer.ways[work], str(BARS.absolute()), "0" if peer.is_slow else str(WARM),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    line = next((it for it in done.stdout.splitlines() if it.startswith("RESULT ")), None)
    if line is None:
        print(f"{peer.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    told = json.loads(line.removeprefix("RESULT "))
    lists = {name: [told[name]] for name in ("cold_s", "peak_mb", "imported_s")}
    return Figures(told["value"], told["fills"], warm_s=told["warm_s"], **lists)
