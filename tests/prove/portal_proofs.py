"""Long proofs of the live path behind our own Client Portal: rehearsals and deaths."""

from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Play
from tests.live.plays import play
from tests.prove import Proof
from tests.prove.gateway_proofs import LOOPBACK
from tests.prove.live_proofs import MORTALS, SIGKILLS_A_CHUNK, checked


def behind_portal(*words: Any) -> Play:
    """A play whose venue speaks as the Client Portal gateway does."""
    return replace(play(*words), front="portal")


def every_cell_is_identical(chunk: int) -> int:
    """One cell of strategies, bars and faults, session and gateway as processes."""
    name, timeframe, faults = LOOPBACK[chunk]
    with TemporaryDirectory() as folder:
        checked(rehearse_over_loopback(behind_portal(name, timeframe), Path(folder), faults), "")
    return 1


def sigkills_cost_nothing(chunk: int) -> int:
    """Ten SIGKILLs at random moments of one session's work."""
    rng = Random(chunk)
    bars = rng.sample(range(20, 380), SIGKILLS_A_CHUNK)
    strikes = {bar: rng.uniform(0.0, 0.05) for bar in bars}
    with TemporaryDirectory() as folder:
        case = behind_portal(MORTALS[chunk % len(MORTALS)])
        certificate = rehearse_over_loopback(case, Path(folder), strikes=strikes)
        checked(certificate, f"killed {strikes}: ")
    assert certificate.lives == 1 + SIGKILLS_A_CHUNK
    return SIGKILLS_A_CHUNK


PORTAL_PROOFS = (
    Proof(
        "loopback-portal",
        "behind a Client Portal six strategies, on days and minutes, with and without a storm, do "
        "live what they did in the backtest, SIGKILL and all",
        len(LOOPBACK),
        every_cell_is_identical,
    ),
    Proof(
        "sigkills-portal",
        "a session behind a Client Portal killed at any moment loses nothing and doubles nothing",
        10,
        sigkills_cost_nothing,
    ),
)
