"""A fault plan that fits a run: every fault finds its place, and the kill a bracket at work."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from analyzers.chain import tail
from live.paper.faults import Fault
from live.paper.storms import Extent, plan_of
from live.rehearsal.canon import Canon, canonical
from live.rehearsal.play import Play

FIRST_UPDATE = 2


def fitted(play: Play, faults: str, backtest: Path) -> Play:
    """Give the play the plan that `faults` names, see `live.paper.storms.plan_of`.

    Args:
        backtest: the log of its other half, which says how much there will be to strike.

    Raises:
        ConfigError: `faults` names no plan.
    """
    canon = canonical((record for record, _ in tail(backtest)), play.ends_at, play.trades_after)
    plan = plan_of(faults, _extent(play, canon), play.front)
    if faults.endswith(".toml"):
        return replace(play, plan=plan)  # whoever wrote it means its places
    moved = tuple(_moved(fault, canon, play) for fault in plan.faults)
    return replace(play, plan=replace(plan, faults=moved))


def _extent(play: Play, canon: Canon) -> Extent:
    """What the run holds at least; legs and cancels bring more updates."""
    decided = (act.content for act in canon.acts if act.kind == "decision")
    placed = [content["order"] for content in decided if not content["refusal"]]
    posted = sum(order["order_class"] != "oco" for order in placed)  # those leave with a partner
    accepted = sum("Accepted" in line.content["statuses"] for line in canon.statuses)
    fills = len(canon.fills)
    return Extent(
        bars=len(play.closes),
        orders=posted,
        updates=accepted + fills,
        fills=fills,
        days=not play.timeframe.is_intraday,
    )


def _moved(fault: Fault, canon: Canon, play: Play) -> Fault:
    if fault.kind == "reorder":
        # It strikes an update with another at its heels: of those some runs have few.
        return replace(fault, nth=FIRST_UPDATE)
    bars = list(_bars_with_bracket(canon, play)) if fault.kind == "kill" else []
    return replace(fault, nth=bars[len(bars) // 2]) if bars else fault


def _bars_with_bracket(canon: Canon, play: Play) -> Iterator[int]:
    """Bars, counted from 1, at whose end an entry has filled and its legs are at work."""
    ends = [at.isoformat().replace("+00:00", "Z") for at in play.closes.index]
    filled = {fill.key: fill.bar for fill in canon.fills}
    families = [act.key for act in canon.acts if act.content.get("order", {}).get("legs")]
    for key in families:
        legs = [bar for name, bar in filled.items() if name.startswith(f"{key}-")]
        cancels = [act.bar for act in canon.acts if act.kind == "cancel" and act.key == key]
        until = min([*legs, *cancels], default=ends[-1])
        if key in filled:
            yield from _between(ends, filled[key], until)


def _between(ends: Sequence[str], first: str, after: str) -> Iterator[int]:
    return (nth for nth, end in enumerate(ends, 1) if first <= end < after)
