"""Where in a run what only the Client Portal does is to strike."""

import random
from collections.abc import Sequence

from live.paper.faults import Fault, Kind

POSTS = "POST /iserver/*"  # orders, and the answers to what they are asked about
ELSEWHERE_S = 2.0
FEWEST_BARS = 10


def at_portal(rng: random.Random, kinds: Sequence[Kind], *, bars: int, fills: int) -> list[Fault]:
    """Faults of these kinds that fit into a run of so many bars and executions."""
    faults = []
    if "status_first" in kinds and fills:
        faults.append(Fault("status_first", rng.randint(1, max(fills // 2, 1))))
    outages = [
        Fault(kind, wait_s=ELSEWHERE_S if kind == "competing" else 0.0)
        for kind in ("session_lost", "competing", "restart")
        if kind in kinds
    ]
    if bars < FEWEST_BARS:
        return faults
    places = rng.sample(range(2, bars - 2), len(outages))
    outages = [
        Fault(it.kind, nth, wait_s=it.wait_s) for it, nth in zip(outages, places, strict=True)
    ]
    return [*faults, *outages]
