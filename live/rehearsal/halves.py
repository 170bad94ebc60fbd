"""Both halves of a rehearsal held against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analyzers.chain import tail, verify
from live.rehearsal.canon import Canon, canonical
from live.rehearsal.certificate import (
    BUY_AND_HOLD,
    FEWEST_BARS,
    FEWEST_ORDERS,
    Certificate,
    bars_hash,
    canon_hash,
    source_hash,
)
from live.rehearsal.difference import Difference, first_difference
from live.rehearsal.play import Play
from live.rehearsal.worth import HALF_A_CENT, equity_from_fills

MORE = "widen --start and --end, or add --symbols"


@dataclass(frozen=True)
class Far:
    """What the far side says when all is over.

    Args:
        equity: of the account by time, in its currency.
        missed: kinds of planned faults that did not strike.
        fills: executions, partial ones counted.
    """

    equity: pd.Series
    fills: int
    hits: Mapping[str, int]
    missed: tuple[str, ...] = ()
    longest_row: int = 0


def judge(play: Play, backtest: Path, live: Path, far: Far, lives: int = 1) -> Certificate:
    """Compare two logs and what the venue says; see `Certificate`.

    Args:
        lives: how many sessions wrote the live log, one after the other.
    """
    records = [record for record, _ in tail(live)]
    ours, theirs = _canon(play, backtest), canonical(records, play.ends_at, play.trades_after)
    if far.hits.get("partial_fill"):
        ours, theirs = ours.by_order(), theirs.by_order()
    elif far.hits:
        ours, theirs = ours.in_any_order(), theirs.in_any_order()
    difference = first_difference(ours, theirs, records) or _worth(play, ours, theirs)
    off_by = _distance(play, theirs, far.equity)
    return Certificate(
        name=play.spec.strategy_name,
        account=play.account,
        plan=play.plan.name,
        bars=len(play.closes),
        orders=theirs.orders,
        fills=far.fills,
        first_difference=difference,
        objections=tuple(_objections(play, theirs, far, off_by, live)),
        faults_hit=far.hits,
        venue_off_by=off_by,
        hashes={
            "bars": bars_hash({name: p.sha256 for name, p in play.passports.items()}),
            "strategy": source_hash(play.spec.strategy_class),
            "backtest": canon_hash(ours),
            "live": canon_hash(theirs),
        },
        lives=lives,
        symbols=tuple(play.frames),
        timeframe=str(play.timeframe),
        span=(play.starts_at.isoformat(), play.ends_at.isoformat()),
        equity=pd.DataFrame({"backtest": _equity(play, ours), "live": _equity(play, theirs)}),
    )


def _canon(play: Play, log: Path) -> Canon:
    return canonical((record for record, _ in tail(log)), play.ends_at, play.trades_after)


def _worth(play: Play, ours: Canon, theirs: Canon) -> Difference | None:
    mine, other = (_equity(play, canon) for canon in (ours, theirs))
    unlike = mine[mine != other]
    if not len(unlike):
        return None
    at = unlike.index[0]
    return Difference(
        "equity from fills", at.isoformat(), mine[at], other[at], "a fill was counted differently"
    )


def _equity(play: Play, canon: Canon) -> pd.Series:
    return equity_from_fills(canon.fills, play.closes, float(play.spec.cash), play.commission)


def _distance(play: Play, canon: Canon, venue: pd.Series) -> float:
    """How far the venue's equity ever was from ours."""
    ours = _equity(play, canon).reindex(venue.index)
    return float((ours - venue).abs().max())


def _objections(play: Play, canon: Canon, far: Far, off_by: float, live: Path) -> Sequence[str]:
    found = []
    if not canon.fills:
        found.append("no order was filled")
    if not canon.orders:
        found.append("there was no order")
    is_small = canon.orders < FEWEST_ORDERS and play.spec.strategy_name != BUY_AND_HOLD
    if canon.orders and is_small:
        found.append(f"{canon.orders} orders are too few, it takes {FEWEST_ORDERS}: {MORE}")
    if len(play.closes) < FEWEST_BARS:
        found.append(f"{len(play.closes)} bars are too few, it takes {FEWEST_BARS}: {MORE}")
    if far.missed:
        found.append(f"planned faults never struck: {', '.join(far.missed)}")
    if not off_by <= HALF_A_CENT:
        found.append(f"the venue's equity is off by {off_by:.4f}, more than half a cent")
    if far.longest_row > 2:
        found.append(f"the venue failed {far.longest_row} times in a row, which is the breaker's")
    if (verdict := verify(live)).state != "complete":
        found.append(f"the live log is {verdict.state}: {verdict.text}")
    return found
