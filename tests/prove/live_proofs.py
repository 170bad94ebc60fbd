"""Long proofs of the live path: rehearsals by seed, by strategy, and with the session killed."""

from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from live.rehearsal.certificate import Certificate
from live.rehearsal.crash import POINTS
from live.rehearsal.in_memory import Deaths, rehearse
from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Play
from tests.live.plays import BUSY, death, drawn, kinds, log_bytes, passed, play
from tests.prove import Proof

SEEDS_A_CHUNK, DEATHS_A_CHUNK, SIGKILLS_A_CHUNK = 20, 10, 10
MATRIX = tuple(
    product(BUSY, ("1d", "1m"), (1, 10), ("backtrader", "alpaca"), ("none", "storm"))
)  # strategy, timeframe, symbols, rules, faults
KINDS = tuple(product(("1d", "1m"), ("backtrader", "alpaca")))
MORTALS = ("donchian_bracket", "sma_cross")
STORMS = tuple(cell for cell in MATRIX if cell[-1] == "storm")


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


def every_kind_is_identical(chunk: int) -> int:
    """Every kind of order, on days or minutes, under plans drawn from seeds."""
    for seed in range(chunk * SEEDS_A_CHUNK, (chunk + 1) * SEEDS_A_CHUNK):
        case = kinds(*Random(seed).choice(KINDS))
        _identical(case, f"seed:{seed}", what=f"seed:{seed}: ")
    return SEEDS_A_CHUNK


def deaths_cost_nothing(chunk: int) -> int:
    """Deaths at named points, drawn by seed, each in a session of its own."""
    for seed in range(chunk * DEATHS_A_CHUNK, (chunk + 1) * DEATHS_A_CHUNK):
        name = MORTALS[seed // len(POINTS) % len(MORTALS)]
        deaths = [death(seed, passed(name))]
        _identical(play(name), "none", deaths, f"{name} killed {deaths}: ")
    return DEATHS_A_CHUNK


def sockets_change_nothing(seed: int) -> int:
    """A fault plan drawn from a seed: over loopback the same canonical log as in memory."""
    case, faults = drawn(seed), f"seed:{seed}"  # none of them decides in a warm-up of two bars
    with TemporaryDirectory() as near, TemporaryDirectory() as far:
        here = rehearse(case, Path(near), faults)
        there = rehearse_over_loopback(case, Path(far), faults)
    checked(here, f"{faults} in memory: ")
    checked(there, f"{faults} over loopback: ")
    assert here.hashes["live"] == there.hashes["live"], f"{faults}: two canonical logs"
    return 1


def storms_over_loopback(chunk: int) -> int:
    """One cell of the storms, session and venue as processes."""
    name, timeframe, symbols, account, faults = STORMS[chunk]
    with TemporaryDirectory() as folder:
        case = play(name, timeframe, symbols, account)
        checked(rehearse_over_loopback(case, Path(folder), faults), "")
    return 1


def sigkills_cost_nothing(chunk: int) -> int:
    """One session on minutes, killed again and again."""
    rng = Random(chunk)
    account = rng.choice(("backtrader", "alpaca"))
    return outlives_sigkills(play(MORTALS[chunk % len(MORTALS)], "1m", 1, account), rng)


def _logged(case: Play, faults: str) -> bytes:
    with TemporaryDirectory() as folder:
        checked(rehearse(case, Path(folder), faults), f"{faults}: ")
        return log_bytes(Path(folder))


def _identical(case: Play, faults: str, deaths: Deaths = (), what: str = "") -> None:
    with TemporaryDirectory() as folder:
        checked(rehearse(case, Path(folder), faults, deaths), what)


def outlives_sigkills(case: Play, rng: Random, within_s: float = 0.02) -> int:
    """Ten SIGKILLs at random moments of one session's work.

    Args:
        within_s: real seconds after a bar was sent.
    """
    bars = rng.sample(range(20, 380), SIGKILLS_A_CHUNK)
    strikes = {bar: rng.uniform(0.0, within_s) for bar in bars}
    with TemporaryDirectory() as folder:
        certificate = rehearse_over_loopback(case, Path(folder), strikes=strikes)
        checked(certificate, f"killed {strikes}: ")
    assert certificate.lives == 1 + SIGKILLS_A_CHUNK
    return SIGKILLS_A_CHUNK


def checked(certificate: Certificate, what: str) -> None:
    """Let an identical rehearsal pass; `what` begins the text of any other."""
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
        chunk_s=20,
    ),
    Proof(
        "kinds",
        "every kind of order that Alpaca has does live what it did in the backtest, under every "
        "fault plan drawn from a seed",
        10,
        every_kind_is_identical,
        chunk_s=60,
    ),
    Proof(
        "kills",
        "a session killed at any point loses nothing, doubles nothing, and its log verifies",
        22,
        deaths_cost_nothing,
    ),
    Proof(
        "sockets",
        "fault plans give the canonical logs over loopback, between processes, that they give in "
        "memory",
        50,
        sockets_change_nothing,
        chunk_s=30,
    ),
    Proof(
        "storms",
        "every storm of the rehearsals is weathered over loopback, SIGKILL and all",
        len(STORMS),
        storms_over_loopback,
        chunk_s=60,
    ),
    Proof(
        "sigkills",
        "a session's process killed at any moment of its work loses nothing and doubles nothing",
        10,
        sigkills_cost_nothing,
        chunk_s=55,
    ),
)
