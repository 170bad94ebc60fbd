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
from tests.prove.live_proofs import MORTALS, checked, outlives_sigkills


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
    """One session on minutes, killed again and again."""
    case = behind_portal(MORTALS[chunk % len(MORTALS)])
    return outlives_sigkills(case, Random(chunk), within_s=0.05)


PORTAL_PROOFS = (
    Proof(
        "loopback-portal",
        "behind a Client Portal six strategies, on days and minutes, with and without a storm, do "
        "live what they did in the backtest, SIGKILL and all",
        len(LOOPBACK),
        every_cell_is_identical,
        chunk_s=35,
    ),
    Proof(
        "sigkills-portal",
        "a session behind a Client Portal killed at any moment loses nothing and doubles nothing",
        10,
        sigkills_cost_nothing,
        chunk_s=70,
    ),
)
