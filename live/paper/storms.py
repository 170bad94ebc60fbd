"""Fault plans that nobody wrote: drawn from a seed, or the storm that has every kind."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brokers.errors import ConfigError
from live.paper.faults import MESSAGE_KINDS, REQUEST_KINDS, Fault, Kind, Plan
from live.paper.portal_storms import POSTS, at_portal
from live.paper.tws_storms import at_gateway

_REFUSED_S = 90.0
_DELAYED_S = 2.0
# What a plan without a file holds: what ends, or alters what is done, is for files alone.
KINDS_OF: Mapping[str, tuple[Kind, ...]] = {
    "alpaca": (*REQUEST_KINDS, *MESSAGE_KINDS),
    "tws": (
        *("too_many_requests", "hang", "reset"),
        *("drop", "mute", "refuse", "duplicate", "reorder", "delay", "lose"),
        *("status_first", "late_commission", "held", "link_lost", "restart"),
    ),
    "portal": (
        *REQUEST_KINDS,
        *MESSAGE_KINDS,
        *("status_first", "session_lost", "competing", "restart"),
    ),
}
_SPREAD = 3  # every planned failure leaves room for the retry that succeeds


@dataclass(frozen=True)
class Extent:
    """How much a run will hold, at least, so that every drawn fault finds its place.

    Args:
        bars: bar times sent.
        orders: orders posted; a bracket is one.
        updates: order updates sent.
        fills: executions.
        days: whether bars are days, each of which is asked for.
    """

    bars: int = 200
    orders: int = 30
    updates: int = 60
    fills: int = 20
    days: bool = False


def plan_of(text: str, extent: Extent, front: str = "alpaca") -> Plan:
    """Give the plan that `text` names: none, storm, seed:N or a TOML file.

    Args:
        front: the protocol of the venue; each has kinds of its own.

    Raises:
        ConfigError: it names none.
    """
    if text == "none":
        return Plan()
    if text == "storm":
        return storm(extent, front)
    kind, _, seed = text.partition(":")
    if kind == "seed" and seed.isdecimal():
        return drawn(int(seed), extent, front)
    path = Path(text)
    if path.suffix == ".toml":
        try:
            return Plan.from_toml(path.read_text(encoding="utf-8"), path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"fault plan {text} cannot be read: {error}") from None
    raise ConfigError(f"unknown fault plan {text!r}: use none, storm, seed:N or a file.toml")


def storm(extent: Extent, front: str = "alpaca") -> Plan:
    """Give the plan with every kind that fits into `extent`; into the default one all do."""
    rng = random.Random("seawall storm")  # noqa: S311  a plan, no secret
    return Plan("storm", _placed(rng, KINDS_OF[front], extent, front, kills=1))


def drawn(seed: int, extent: Extent, front: str = "alpaca") -> Plan:
    """Give the plan of `seed`: some kinds at some places, the same on every machine."""
    rng = random.Random(f"seawall faults {seed}")  # noqa: S311
    kinds = KINDS_OF[front]
    chosen = rng.sample(kinds, rng.randint(2, len(kinds)))
    return Plan(f"seed:{seed}", _placed(rng, chosen, extent, front, kills=rng.randint(0, 1)))


def _placed(
    rng: random.Random, kinds: Sequence[Kind], extent: Extent, front: str, kills: int
) -> tuple[Fault, ...]:
    requests = [kind for kind in REQUEST_KINDS if kind in kinds]
    messages = [kind for kind in MESSAGE_KINDS if kind in kinds]
    if front == "tws":
        numbers = {"bars": extent.bars, "orders": extent.orders, "fills": extent.fills}
        calls = at_gateway(rng, kinds, days=extent.days, **numbers)
    else:
        calls = _on_requests(rng, requests, extent)
    if front == "portal":
        calls = [replace(it, on=it.on or POSTS) for it in calls]
        calls += at_portal(rng, kinds, bars=extent.bars, fills=extent.fills)
    faults = [*calls, *_on_messages(rng, messages, extent)]
    if extent.fills >= 2:
        faults.append(Fault("partial_fill", rng.randint(1, extent.fills)))
    if kills and extent.bars >= 10:
        faults.append(Fault("kill", rng.randint(extent.bars // 4, extent.bars * 3 // 4)))
    return tuple(faults)


def _on_requests(rng: random.Random, kinds: Sequence[Kind], extent: Extent) -> list[Fault]:
    """Place each on a POST of its own; with few orders, all but two on the reads at the start."""
    slots = range(1, extent.orders + 1, _SPREAD)
    if len(slots) >= len(kinds):
        places = sorted(rng.sample(slots, len(kinds)))
        return [
            _request(rng, kind, nth, "")
            for kind, nth in zip(rng.sample(kinds, len(kinds)), places, strict=True)
        ]
    posted = [kind for kind in kinds if kind in ("too_many_requests", "accepted_then_504")]
    reads = [kind for kind in kinds if kind not in posted]
    return [
        *(_request(rng, kind, 1, "") for kind in posted if extent.orders),
        *(_request(rng, kind, 1 + at, "GET *") for at, kind in enumerate(reads)),
    ]


def _request(rng: random.Random, kind: Kind, nth: int, on: str) -> Fault:
    count = rng.randint(1, 3) if kind == "too_many_requests" else 1
    status = rng.choice((500, 502, 503)) if kind == "server_error" else 0
    after = kind in ("hang", "reset", "not_json") and rng.random() < 0.5
    return Fault(kind, nth, on, count, status, after=after)


def _on_messages(rng: random.Random, kinds: Sequence[Kind], extent: Extent) -> list[Fault]:
    """Place each on an update of its own, far enough apart for a reconnect between them."""
    slots = range(2, extent.updates, _SPREAD)
    kinds = rng.sample(kinds, min(len(kinds), len(slots)))
    places = sorted(rng.sample(slots, len(kinds)))
    return [_message(rng, kind, nth) for kind, nth in zip(kinds, places, strict=True)]


def _message(rng: random.Random, kind: Kind, nth: int) -> Fault:
    if kind == "refuse":
        return Fault(kind, nth, count=rng.randint(1, 3), wait_s=_REFUSED_S)
    return Fault(kind, nth, wait_s=_DELAYED_S if kind == "delay" else 0.0)
