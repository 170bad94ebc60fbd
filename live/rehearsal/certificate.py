"""What a rehearsal came to: a certificate, or the first difference."""

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import backtrader as bt
import pandas as pd

from live.rehearsal.canon import Canon
from live.rehearsal.difference import Difference

FEWEST_BARS, FEWEST_ORDERS = 200, 30
BUY_AND_HOLD = "buy_and_hold"  # one order is all that it ever gives


@dataclass(frozen=True)
class Certificate:
    """One rehearsal.

    Args:
        objections: why it proves nothing although nothing differs, a sentence each.
        orders: decided on in the live half, legs counted; `fills` executions at the venue.
        faults_hit: how often each kind of fault struck.
        venue_off_by: the largest distance between the venue's equity and ours, in its currency.
        hashes: SHA-256 of what was rehearsed, by its name.
        lives: how many sessions it took, one more than there were kills.
        symbols, timeframe: of the bars; `span` is the first one's start and the last one's end,
            ISO 8601, UTC.
        equity: of either half by the bars' ends, columns backtest and live; for the picture.
    """

    name: str
    account: str
    plan: str
    bars: int
    orders: int
    fills: int
    first_difference: Difference | None
    objections: tuple[str, ...] = ()
    faults_hit: Mapping[str, int] = field(default_factory=dict)
    venue_off_by: float = 0.0
    hashes: Mapping[str, str] = field(default_factory=dict)
    lives: int = 1
    symbols: tuple[str, ...] = ()
    timeframe: str = ""
    span: tuple[str, str] = ("", "")
    equity: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False, repr=False)

    @property
    def identical(self) -> bool:
        """Whether both halves did the same, and enough of it."""
        return self.first_difference is None and not self.objections

    @property
    def verdict(self) -> str:
        """IDENTICAL, NOT IDENTICAL, or NO PROOF where nothing differs and it says too little."""
        if self.first_difference is not None:
            return "NOT IDENTICAL"
        return "NO PROOF" if self.objections else "IDENTICAL"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        difference = self.first_difference
        return {
            "identical": self.identical,
            "strategy": self.name,
            "symbols": list(self.symbols),
            "timeframe": self.timeframe,
            "start": self.span[0],
            "end": self.span[1],
            "account": self.account,
            "faults": self.plan,
            "bars": self.bars,
            "orders": self.orders,
            "fills": self.fills,
            "faults_hit": dict(self.faults_hit),
            "first_difference": difference and difference.as_dict(),
            "objections": list(self.objections),
            "venue_off_by": self.venue_off_by,
            "lives": self.lives,
            "hashes": dict(self.hashes),
        }

    @property
    def text(self) -> str:
        """For a person."""
        hits = ", ".join(f"{kind} {count}" for kind, count in self.faults_hit.items()) or "none"
        lines = [
            f"{self.verdict}: {self.name}, backtest and live",
            f"  bars {self.bars}, orders {self.orders}, fills {self.fills}",
            f"  rules {self.account}, faults {self.plan}, hit: {hits}",
            f"  venue's equity within {self.venue_off_by:.2g}; sessions: {self.lives}",
            *(f"  {name:18} {value}" for name, value in self.hashes.items()),
            *(f"  but: {objection}" for objection in self.objections),
        ]
        if self.first_difference is not None:
            lines.append(f"first difference: {self.first_difference.text}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from live.rehearsal.certificate_page import card  # noqa: PLC0415  for notebooks alone

        return card(self)


def canon_hash(canon: Canon) -> str:
    """SHA-256 over a canonical log."""
    digest = hashlib.sha256()
    for line in canon.lines:
        digest.update(line.text + b"\n")
    return digest.hexdigest()


def bars_hash(contents: Mapping[str, str]) -> str:
    """SHA-256 over symbols and their bars' own hashes, in their order."""
    text = "\n".join(f"{symbol} {sha256}" for symbol, sha256 in contents.items())
    return hashlib.sha256(text.encode()).hexdigest()


def source_hash(strategy: type[bt.Strategy]) -> str:
    """SHA-256 over the file that a strategy is in; over its name where there is none."""
    try:
        text = inspect.getsource(inspect.getmodule(strategy) or strategy)
    except OSError:
        text = f"{strategy.__module__}:{strategy.__qualname__}"
    return hashlib.sha256(text.encode()).hexdigest()
