"""Long proofs of the live path: rehearsals by seed, by strategy, and with the session killed."""

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from live.rehearsal.certificate import Certificate
from live.rehearsal.crash import POINTS
from live.rehearsal.in_memory import Deaths, rehearse
from live.rehearsal.play import Play
from tests.live.plays import BUSY, death, drawn, log_bytes, passed, play
from tests.prove import Proof

SEEDS_A_CHUNK, DEATHS_A_CHUNK = 20, 10
MATRIX = tuple(
    product(BUSY, ("1d", "1m"), (1, 10), ("backtrader", "alpaca"), ("none", "storm"))
)  # strategy, timeframe, symbols, rules, faults
MORTALS = ("donchian_bracket", "sma_cross")


def seeds_are_identical(chunk: int) -> int:
    """Each seed twice: the same verdict, the same bytes."""
    for seed in range(chunk * SEEDS_A_CHUNK, (chunk + 1) * SEEDS_A_CHUNK):
        case = drawn(seed)
        once, again = (_logged(case, f"seed:{seed}") for _ in range(2))
        assert once == again, f"seed:{seed} gives two different logs"
    return SEEDS_A_CHUNK


def every_cell_is_identical(chunk: int) -> int:
    """One cell of strategies, bars, symbols, rules and faults."""
    name, timeframe, symbols, account, faults = MATRIX[chunk]
    _identical(play(name, timeframe, symbols, account), faults)
    return 1


def deaths_cost_nothing(chunk: int) -> int:
    """Deaths at named points, drawn by seed, each in a session of its own."""
    for seed in range(chunk * DEATHS_A_CHUNK, (chunk + 1) * DEATHS_A_CHUNK):
        name = MORTALS[seed // len(POINTS) % len(MORTALS)]
        deaths = [death(seed, passed(name))]
        _identical(play(name), "none", deaths, f"{name} killed {deaths}: ")
    return DEATHS_A_CHUNK


def _logged(case: Play, faults: str) -> bytes:
    with TemporaryDirectory() as folder:
        _checked(rehearse(case, Path(folder), faults), f"{faults}: ")
        return log_bytes(Path(folder))


def _identical(case: Play, faults: str, deaths: Deaths = (), what: str = "") -> None:
    with TemporaryDirectory() as folder:
        _checked(rehearse(case, Path(folder), faults, deaths), what)


def _checked(certificate: Certificate, what: str) -> None:
    assert certificate.identical, what + certificate.text


LIVE_PROOFS = (
    Proof(
        "rehearsals",
        "six strategies, days and minutes, one and ten symbols, both rule sets, with and without "
        "a storm, do live what they did in the backtest",
        len(MATRIX),
        every_cell_is_identical,
    ),
    Proof(
        "plans",
        "under every fault plan drawn from a seed live is identical, and the log the same bytes",
        50,
        seeds_are_identical,
    ),
    Proof(
        "kills",
        "a session killed at any point loses nothing, doubles nothing, and its log verifies",
        22,
        deaths_cost_nothing,
    ),
)
