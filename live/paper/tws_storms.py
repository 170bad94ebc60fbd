"""Where in a run what only a gateway does is to strike."""

import random
from collections.abc import Sequence

from live.paper.faults import Fault, Kind

APART = 3  # every planned failure leaves room for the retry that succeeds
SHORT_S = 2.0
FEWEST_BARS = 10
MANY = 20
HISTORY = "reqHistoricalData"


def at_gateway(
    rng: random.Random, kinds: Sequence[Kind], *, bars: int, orders: int, fills: int, days: bool
) -> list[Fault]:
    """Faults of these kinds that fit into a run of so many bars, orders and executions.

    Args:
        days: whether bars are days, each of which is asked for.
    """
    on_calls, on_executions = (
        _on_calls(rng, kinds, orders),
        _on_executions(rng, kinds, orders, fills),
    )
    outages = _on_bars(rng, kinds, bars)
    if not (days or outages):  # minutes are asked for after an outage alone
        on_calls = [fault for fault in on_calls if fault.on != HISTORY]
    return [*on_calls, *on_executions, *outages]


def _on_calls(rng: random.Random, kinds: Sequence[Kind], orders: int) -> list[Fault]:
    """Place each on an order of its own; where there are few, the rest on what is read."""
    faults = []
    if "too_many_requests" in kinds:
        faults.append(Fault("too_many_requests", on=HISTORY, count=rng.randint(1, 2)))
    chosen: list[Kind] = [kind for kind in ("hang", "reset") if kind in kinds]
    slots = range(1, orders + 1, APART)
    is_busy = len(slots) >= len(chosen)
    places = sorted(rng.sample(slots, len(chosen))) if is_busy else range(1, len(chosen) + 1)
    on = "placeOrder" if is_busy else "reqAllOpenOrders"
    for kind, nth in zip(rng.sample(chosen, len(chosen)), places, strict=True):
        faults.append(Fault(kind, nth if is_busy else nth * APART, on, after=rng.random() < 0.5))
    return faults


def _on_executions(
    rng: random.Random, kinds: Sequence[Kind], orders: int, fills: int
) -> list[Fault]:
    faults = []
    if "held" in kinds and orders:
        faults.append(Fault("held", rng.randint(1, orders)))
    chosen: list[Kind] = [kind for kind in ("status_first", "late_commission") if kind in kinds]
    # Of the later ones some are told by no message: a line broke, or a comparison found them.
    told = range(1, fills // 2 + 1) if fills > MANY else range(1, 1 + (fills == 1))
    places = rng.sample(told, min(len(chosen), len(told)))
    for kind, nth in zip(chosen, places, strict=False):
        faults.append(Fault(kind, nth, wait_s=SHORT_S if kind == "late_commission" else 0.0))
    return faults


def _on_bars(rng: random.Random, kinds: Sequence[Kind], bars: int) -> list[Fault]:
    """Outages, each at a step of its own; the link comes back in both ways."""
    outages = [Fault("link_lost", status=code, wait_s=SHORT_S) for code in (1101, 1102)]
    outages = outages if "link_lost" in kinds else []
    outages += [Fault("restart")] if "restart" in kinds else []
    if bars < FEWEST_BARS:
        return []
    places = rng.sample(range(2, bars - 2), len(outages))
    return [
        Fault(it.kind, nth, status=it.status, wait_s=it.wait_s)
        for it, nth in zip(outages, places, strict=True)
    ]
