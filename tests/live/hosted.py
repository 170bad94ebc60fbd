"""Whole sessions of the real command, in this process, at a venue that a thread of it serves."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from brokers.clock import SystemClock
from live.cli import main
from live.config import load
from live.embedded_market import market
from live.paper.control import Counters, Remote
from live.paper.server import serve
from live.paper.spec import VenueSpec
from tests.live import runs

SCRIPTED = f"{Path(__file__).parent / 'scripted.py'}:Scripted"
SPEED = 1200.0  # 20 minutes' bars a second
WARM_UP = 40
PATIENCE_S = 20.0
SETTINGS = """
folder = "{folder}"
url = "{url}"
[paper]
speed = "{speed:g}x"
[[strategies]]
name = "{strategy}"
params = {{{params}}}
[data]
symbols = {symbols}
warmup_bars = {warm_up}
{data}
"""


@dataclass(frozen=True)
class Hosted:
    """A venue in this process, and where sessions at it have their files."""

    url: str
    door: str
    place: Path
    symbols: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The session's."""
        return self.place / "out"

    def trade(
        self, *words: str, params: Mapping[str, Any] | None = None, data: str = "", more: str = ""
    ) -> dict[str, Any]:
        """Run one session of the scripted strategy to its end; the exit report as it was written.

        Args:
            params: of the strategy.
            data: lines of the section of that name.
            more: sections besides.
        """
        code = self.run(*words, params=params, data=data, more=more)
        report: dict[str, Any] = orjson.loads((self.folder / "exit_report.json").read_bytes())
        assert code == report["exit_code"]
        return report

    def run(
        self, *words: str, params: Mapping[str, Any] | None = None, data: str = "", more: str = ""
    ) -> int:
        """As `trade`; the exit code."""
        given = {"door": self.door, "folder": str(self.folder), **(params or {})}
        path = self.place / "session.toml"
        text = SETTINGS.format(
            folder=self.folder,
            url=self.url,
            speed=SPEED,
            strategy=SCRIPTED,
            params=", ".join(f"{name} = {orjson.dumps(it).decode()}" for name, it in given.items()),
            symbols=list(self.symbols),
            warm_up=WARM_UP,
            data=data,
        )
        path.write_text(text + more, encoding="utf-8")
        return main(["--settings", str(path), "--for", f"{PATIENCE_S:g}s", *words])

    def counters(self) -> Counters:
        """What the venue has seen and done."""
        remote = Remote(*self.door.split())
        try:
            return remote.counters()
        finally:
            remote.close()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Of the session's log."""
        return runs.records(self.folder)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The lines of one kind."""
        return [line for line in self.lines if line["kind"] == kind]


class Told(StringIO):
    """What a venue says, and whether it has said anything or ended."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def flush(self) -> None:
        """Its first words are whole."""
        if self.getvalue():
            self.begun.set()


@contextmanager
def hosted_venue(
    place: Path, frames: Mapping[str, pd.DataFrame] | None = None, **terms: Any
) -> Iterator[Hosted]:
    """Serve a venue while the block runs."""
    bars, warm_up = minutes("SPY")
    bars = dict(frames or bars)
    spec = VenueSpec(account="alpaca", warm_up=warm_up, speed=SPEED, calls_per_minute=0, **terms)
    out = Told()

    def run() -> None:
        clock = SystemClock()
        try:
            asyncio.run(serve(spec, spec.venue(bars, clock), clock, out, heeds_process=False))
        finally:
            out.begun.set()

    thread = threading.Thread(target=run, name="hosted venue")
    thread.start()
    try:
        assert out.begun.wait(PATIENCE_S)
        told = orjson.loads(out.getvalue())
        yield Hosted(told["url"], f"{told['control']} {told['token']}", place, tuple(bars))
    finally:
        if out.getvalue():
            remote = Remote(told["control"], told["token"])
            remote.stop()
            remote.close()
        thread.join()


@lru_cache
def minutes(*symbols: str) -> tuple[Mapping[str, pd.DataFrame], int]:
    """Synthetic bars, and how many steps of them are past."""
    settings = load(None, {"data": {"warmup_bars": WARM_UP, "symbols": list(symbols)}})
    return market(settings.data, settings.paper)


def fault(kind: str, **words: Any) -> str:
    """One fault of a plan."""
    lines = [
        f"{name} = {orjson.dumps(it).decode()}" for name, it in {"kind": kind, **words}.items()
    ]
    return "\n".join(["[[fault]]", *lines, ""])


def told(lines: list[dict[str, Any]], kind: str, name: str) -> list[Any]:
    """One field of every line of a kind."""
    return [line[name] for line in lines if line["kind"] == kind]
