"""Whole sessions in this process, held against a backtest on the very bars that they had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analyzers.chain import tail
from backtest.engine import execute
from backtest.inputs import named_feeds
from backtest.spec import RunSpec
from brokers.profile import ALPACA
from feeds.bars import COLUMNS
from feeds.frames import bar_ends
from feeds.passport import passport_of, stamp
from live.cli import main
from live.folder import Folder, passports_in
from live.rehearsal.canon import Canon, Line, canonical
from live.rehearsal.in_memory import NotBefore
from live.rules import SessionLimits
from tests.live import runs

FAST = {"fast": 2, "slow": 5}


@dataclass(frozen=True)
class Whole:
    """A session that has ended.

    Args:
        turns: end of each, as the log has them.
        ours, theirs: its canonical log, and that of a backtest on the same bars; what was decided
            on the last bar is left out.
    """

    records: Sequence[Mapping[str, Any]]
    turns: tuple[str, ...]
    frames: Mapping[str, pd.DataFrame]
    ours: Canon
    theirs: Canon

    @property
    def is_alike(self) -> bool:
        """Whether every decision is that of the backtest, and every fill its price."""
        fills, expected = _traded(self.ours), _traded(self.theirs)
        decided, wanted = (self._decided(canon) for canon in (self.ours, self.theirs))
        return decided == wanted and fills == expected[: len(fills)] != []

    @property
    def decides_alike(self) -> bool:
        """Whether every decision is the backtest's, what is held apart.

        For a market whose minutes pass while an order is on its way.
        """
        words = ("reason", "refusal", "prices", "indicators", "order")
        decided, wanted = (
            [(act.bar, *map(act.content.get, words)) for act in self._decided(canon)]
            for canon in (self.ours, self.theirs)
        )
        return decided == wanted != []

    def _decided(self, canon: Canon) -> list[Line]:
        last = self.turns[-1].replace("+00:00", "Z")
        return [act for act in canon.acts if act.bar < last]


def session(folder: Path, *words: str) -> Whole:
    """Trade sma_cross at an embedded venue until the end that `words` say."""
    given = [word for name, value in FAST.items() for word in ("--param", f"{name}={value}")]
    assert main(["sma_cross", *given, "--folder", str(folder), "--quiet", *words]) == 0
    return read(folder, RunSpec("sma_cross", FAST, size=1))


def read(folder: Path, spec: RunSpec) -> Whole:
    """What a session left in its folder, and the backtest on its bars."""
    records = runs.records(folder)
    warm = Folder(folder).warm_up(passports_in(records))
    turns = [record for record in records if record["kind"] == "bars"]
    frames = {name: _joined(name, frame, turns) for name, frame in warm.items()}
    first = max(bar_ends(frame, passport_of(frame))[-1] for frame in warm.values())
    log = folder / "backtest.jsonl"
    limits = SessionLimits.around(spec.limits, (NotBefore(first.timestamp()),))
    feeds = named_feeds(frames)
    execute(replace(spec, risk=limits), feeds, log=log, profile=ALPACA)
    ends = tuple(turn["at_bar"] for turn in turns)
    last = pd.Timestamp(ends[-1]).to_pydatetime()
    theirs = canonical((record for record, _ in tail(log)), last, first.to_pydatetime())
    return Whole(records, ends, frames, canonical(records, last), theirs)


def _joined(symbol: str, warm: pd.DataFrame, turns: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The warm-up and what came live, as one frame."""
    rows = [turn["bars"][symbol] for turn in turns if symbol in turn["bars"]]
    index = pd.DatetimeIndex([pd.Timestamp(row[0]) for row in rows], name="time")
    live = pd.DataFrame([row[1:] for row in rows], index=index, columns=list(COLUMNS))
    known = passport_of(warm, symbol)
    return stamp(
        pd.concat([warm, live[live.index > warm.index[-1]]]),
        symbol=symbol,
        source=known.source,
        timeframe=known.timeframe,
        calendar=known.calendar,
    )


def _traded(canon: Canon) -> list[tuple[Any, ...]]:
    words = ("symbol", "side", "quantity", "price", "position")
    return [tuple(fill.content[word] for word in words) for fill in canon.fills]
