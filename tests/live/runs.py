"""A venue that stands while sessions come and go, and sessions as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analyzers.chain import tail
from live.config import load
from live.embedded_market import market
from live.paper.child import VenueProcess
from live.paper.spec import VenueSpec

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 40.0
FAST = ("--param", "fast=3", "--param", "slow=8")  # a decision every few bars


@contextmanager
def standing_venue(folder: Path, *, speed: float = 600.0, **terms: Any) -> Iterator[VenueProcess]:
    """A venue of one synthetic symbol."""
    settings = load(None, {"data": {"warmup_bars": 40}})
    frames, warm_up = market(settings.data, settings.paper)
    spec = VenueSpec(account="alpaca", warm_up=warm_up, speed=speed, **terms)
    folder.mkdir()
    with VenueProcess(spec, frames, folder) as venue:
        yield venue


def session(folder: Path, venue: VenueProcess, *words: str) -> subprocess.Popen[str]:
    """Begin a session at a standing venue."""
    return begin(
        "sma_cross", *FAST, "--folder", str(folder), "--url", venue.url, "--speed", "600x", *words
    )


def begin(*words: str) -> subprocess.Popen[str]:
    """Begin `python -m live` with these words, and without keys."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("APCA_")}
    state = {"XDG_STATE_HOME": str(CHECKOUT / "out" / "state")}
    return subprocess.Popen(
        [sys.executable, "-m", "live", *words],
        cwd=CHECKOUT,
        env=known | state,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end: exit code, stdout, stderr."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def records(folder: Path) -> list[dict[str, Any]]:
    """What the session's log holds."""
    log = folder / "decisions.jsonl"
    return [record for record, _ in tail(log)] if log.exists() else []


def told(process: subprocess.Popen[str], text: str, times: int = 1) -> None:
    """Read what a session says until it has said `text` so often."""
    said = iter(process.stdout or ())
    for _ in range(times):
        if not any(text in line for line in said):
            raise AssertionError(f"it ended without saying {text!r}: {process.communicate()}")


def count(kind: str) -> Callable[[Sequence[dict[str, Any]]], int]:
    """How many lines of a kind."""
    return lambda lines: sum(line["kind"] == kind for line in lines)
