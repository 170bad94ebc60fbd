"""Every peer's works, each in a process of its own environment, round after round in turn.

A machine that others use has faster and slower minutes. So those whose rounds are short have their
processes side by side, and it is each one's turn for a few rounds, again and again.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.peers.environments import FOLDER, python_of
from benchmarks.peers.process import Process
from benchmarks.works import w1a, w1b, w3

BARS = FOLDER / "bars"
WORKS = ("W1a", "W1b", "W2a", "W2b", "W3")
TURNS, ROUNDS = 3, 3  # turns of a process after its first round, and rounds of a turn
STOCK = "backtrader"
SAME_FRAC = 1e-9


@dataclass(frozen=True, eq=False)
class Peer:
    """One way of one backtester.

    Args:
        name: in the table.
        environment: of benchmarks/peers/requirements; empty for this one.
        script: which of benchmarks.peers runs it.
        ways: what the script is to do, by work.
        is_slow: a single round a process is enough, and nobody else's is there meanwhile.
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

    def extend(self, more: "Figures") -> None:
        """Take in the rounds of another process."""
        for name in ("cold_s", "warm_s", "peak_mb", "imported_s"):
            getattr(self, name).extend(getattr(more, name))

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
        for work in works:
            for peer, found in _measured(work, _present(work, peers)):
                held = table.setdefault((work, peer.name), found)
                if held is not found:
                    held.extend(found)
                stock = table.get((work, STOCK))
                if peer.must_agree and stock is not None:
                    assert found.agrees(stock), f"{work}: {peer.name} {found}, {STOCK} {stock}"
    return table


def _present(work: str, names: Iterable[str]) -> list[Peer]:
    chosen = [peer for peer in PEERS if not names or peer.name in names]
    return [peer for peer in chosen if work in peer.ways and peer.python.exists()]


def _measured(work: str, peers: Iterable[Peer]) -> Iterator[tuple[Peer, Figures]]:
    """One process of each: the slow ones alone, then the others with their warm rounds in turn."""
    for peer in peers:
        if peer.is_slow:
            yield from _ended({peer: _begun(work, peer)})
    running = {peer: _begun(work, peer) for peer in peers if not peer.is_slow}
    for process in [*running.values()] * TURNS:
        for _ in range(ROUNDS):
            process.do_round()
    yield from _ended(running)


def _begun(work: str, peer: Peer) -> Process:
    print(f"{work} {peer.name} ...", file=sys.stderr, flush=True)
    words = (f"benchmarks.peers.{peer.script}", work, peer.ways[work], str(BARS.absolute()))
    return Process(peer.python.absolute(), words)


def _ended(running: Mapping[Peer, Process]) -> Iterator[tuple[Peer, Figures]]:
    for peer, process in running.items():
        told = process.end()
        if told is None:
            print(f"{peer.name}: {process.last_words}", file=sys.stderr)
            continue
        lists = {name: [told[name]] for name in ("cold_s", "peak_mb", "imported_s")}
        yield peer, Figures(told["value"], told["fills"], warm_s=told["warm_s"], **lists)
