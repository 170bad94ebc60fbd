"""The session's process and the venue's, from outside: what each says, and moving their time."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from brokers.errors import SeawallError
from live.paper.child import VenueProcess
from live.paper.control import Counters
from live.rehearsal.driven import later
from live.rehearsal.play import SILENCE_S, Play

PATIENCE_S = 60.0
WIRE = {"calls_a_minute": 180, "order_calls": 60, "backoff_deadline_s": 600.0}


class SessionDied(SeawallError):
    """The session's process ended though nobody killed it; the text is its own."""


@dataclass(frozen=True, slots=True)
class State:
    """What a session says of itself; see `live.rehearsal.process`."""

    state: str
    due_s: float | None
    received: int = 0
    is_awaited: bool = False
    is_idle: bool = False
    updates: int = 0
    heard: int = -1
    told: int = 0
    streams: int = 0
    comparisons: int = 0
    at_work: int = 0
    bar: str = ""
    failure: str = ""


class SessionProcess:
    """One life of a session, as a process.

    Args:
        folder: where its log is, or will be.
        now: the market's time.
    """

    def __init__(self, play: Play, venue: VenueProcess, folder: Path, now: datetime) -> None:
        self._folder = folder
        self.errors = (folder.parent / f"{folder.name}.err").open("ab+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "live.rehearsal.process", _told(play, venue, folder, now)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )

    def state(self) -> State:
        """Ask how it is."""
        return self._ask(do="state")

    def move(self, wait_s: float, now: datetime) -> State:
        """Move its clock."""
        return self._ask(do="move", wait_s=wait_s, now=now)

    def finish(self) -> None:
        """Let it end after its turn, and wait for that.

        Raises:
            SessionDied: it did not end well.
        """
        self._ask(do="finish")
        _, _ = self._process.communicate(timeout=PATIENCE_S)
        if self._process.returncode:
            raise self._death()
        self.errors.close()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.communicate()
        self.errors.close()

    def _ask(self, **words: Any) -> State:
        line, answers = self._process.stdin, self._process.stdout
        if line is None or answers is None:
            raise self._death()
        try:
            line.write(orjson.dumps(words) + b"\n")
            line.flush()
            answer = answers.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            raise self._death()
        told: dict[str, Any] = orjson.loads(answer)
        return State(**told | {"bar": told.get("bar") or ""})

    def _death(self) -> SessionDied:
        self._process.kill()
        self._process.communicate()
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace").strip()
        return SessionDied(f"the rehearsed session ended: {text[-2000:] or 'without a word'}")


class Pair:
    """Venue and session, whose clocks move together.

    Args:
        now: the market's time.
    """

    def __init__(self, venue: VenueProcess, session: SessionProcess, now: datetime) -> None:
        self.venue = venue.remote
        self.session = session
        self.now = now
        self.ceiling: datetime | None = None

    def told(self) -> tuple[State, Counters]:
        """What both say now."""
        return self.session.state(), self.venue.counters()

    def let_pass(self, wait_s: float) -> None:
        """Let seconds pass at both; the market's instant stays within its bar."""
        self.now = later(self.now, wait_s, self.ceiling)
        self.venue.wait(wait_s)
        self.session.move(wait_s, self.now)

    def reach(self, at: datetime, ceiling: datetime | None) -> None:
        """Let the session's time come to where the venue's step has gone."""
        self.session.move(max((at - self.now).total_seconds(), 0.0), at)
        self.now, self.ceiling = max(self.now, at), ceiling


def _told(play: Play, venue: VenueProcess, folder: Path, now: datetime) -> str:
    spec = play.spec
    settings: Mapping[str, Any] = {
        "folder": str(folder),
        "strategies": [
            {
                "name": play.strategy or spec.strategy_name,
                "params": dict(spec.params),
                "size": spec.size,
            }
        ],
        "data": {
            "symbols": list(play.frames),
            "timeframe": play.timeframe.text,
            "warmup_bars": play.warm_up,
            "calendar": play.calendar,
            "mute_s": SILENCE_S,
        },
        "wire": WIRE,
        "paper": {"seed": play.seed},
    }
    told = {
        "settings": settings,
        "url": venue.url,
        "key_id": play.venue.key_id,
        "secret": play.venue.secret,
        "account": play.account,
        "calendar": play.calendar,
        "commission": play.commission,
        "now": now.isoformat(),
        "night": play.night and asdict(play.night),
    }
    return orjson.dumps(told).decode()
