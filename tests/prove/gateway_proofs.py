"""Long proofs of the live path behind our own gateway: rehearsals, fault plans, deaths."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from live.rehearsal.crash import POINTS, Point
from live.rehearsal.in_memory import rehearse, undisturbed
from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Play
from tests.live.plays import BUSY, death, log_bytes, play
from tests.prove import Proof
from tests.prove.live_proofs import DEATHS_A_CHUNK, MORTALS, checked, outlives_sigkills

SEEDS_A_CHUNK = 10
MATRIX = tuple(product(BUSY, ("1d", "1m"), (1, 10), ("none", "storm")))
LOOPBACK = tuple(product(BUSY, ("1d", "1m"), ("none", "storm")))


def behind_gateway(*words: Any) -> Play:
    """A play whose venue speaks as IB Gateway does."""
    return replace(play(*words), front="tws")


def every_cell_is_identical(chunk: int) -> int:
    """One cell of strategies, bars, symbols and faults."""
    name, timeframe, symbols, faults = MATRIX[chunk]
    with TemporaryDirectory() as folder:
        checked(rehearse(behind_gateway(name, timeframe, symbols), Path(folder), faults), "")
    return 1


def every_cell_is_identical_over_loopback(chunk: int) -> int:
    """One cell, session and gateway as processes."""
    name, timeframe, faults = LOOPBACK[chunk]
    with TemporaryDirectory() as folder:
        case = behind_gateway(name, timeframe)
        checked(rehearse_over_loopback(case, Path(folder), faults), "")
    return 1


def seeds_are_identical(chunk: int) -> int:
    """Each seed twice: the same verdict, the same bytes."""
    for seed in range(chunk * SEEDS_A_CHUNK, (chunk + 1) * SEEDS_A_CHUNK):
        once, again = (_logged(seed) for _ in range(2))
        assert once == again, f"seed:{seed} gives two different logs"
    return SEEDS_A_CHUNK


def deaths_cost_nothing(chunk: int) -> int:
    """Deaths at named points, drawn by seed, each in a session of its own."""
    for seed in range(chunk * DEATHS_A_CHUNK, (chunk + 1) * DEATHS_A_CHUNK):
        name = MORTALS[seed // len(POINTS) % len(MORTALS)]
        deaths = [death(seed, passed(name))]
        with TemporaryDirectory() as folder:
            certificate = rehearse(behind_gateway(name), Path(folder), deaths=deaths)
            checked(certificate, f"{name} killed {deaths}: ")
    return DEATHS_A_CHUNK


def sigkills_cost_nothing(chunk: int) -> int:
    """One session on minutes, killed again and again."""
    case = behind_gateway(MORTALS[chunk % len(MORTALS)])
    return outlives_sigkills(case, Random(chunk))


@lru_cache
def passed(name: str) -> Mapping[Point, int]:
    """How often a session of this play passes each point."""
    with TemporaryDirectory() as folder:
        return undisturbed(behind_gateway(name), Path(folder))


def _logged(seed: int) -> bytes:
    rng = Random(seed)
    name = rng.choice([name for name in BUSY if name != "buy_and_hold"])
    case = behind_gateway(name, rng.choice(("1d", "1m")))
    with TemporaryDirectory() as folder:
        checked(rehearse(case, Path(folder), f"seed:{seed}"), f"seed:{seed}: ")
        return log_bytes(Path(folder))


GATEWAY_PROOFS = (
    Proof(
        "rehearsals-tws",
        "behind a gateway six strategies, on days and minutes, of one and ten symbols, with and "
        "without a storm, do live what they did in the backtest",
        len(MATRIX),
        every_cell_is_identical,
        chunk_s=35,
    ),
    Proof(
        "loopback-tws",
        "and so they do between processes, over the gateway's own socket, SIGKILL and all",
        len(LOOPBACK),
        every_cell_is_identical_over_loopback,
        chunk_s=25,
    ),
    Proof(
        "plans-tws",
        "under every fault plan drawn for a gateway live is identical, and the log the same bytes",
        30,
        seeds_are_identical,
        chunk_s=30,
    ),
    Proof(
        "kills-tws",
        "a session behind a gateway killed at any point loses nothing and doubles nothing",
        22,
        deaths_cost_nothing,
        chunk_s=15,
    ),
    Proof(
        "sigkills-tws",
        "its process killed at any moment of its work loses nothing and doubles nothing",
        10,
        sigkills_cost_nothing,
        chunk_s=55,
    ),
)
