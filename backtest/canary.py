"""Look-ahead found by experiment: take the future away, or put another in its place, and compare.

What a strategy decides up to a bar cannot depend on later bars. If it does, it reads what it could
not have known: a `[1]` too much, a mean over the whole sample, a report written afterwards.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Literal

import backtrader as bt
import numpy as np
import pandas as pd

from backtest.inputs import only_frames
from backtest.spec import RunSpec
from backtest.witness import Decided, decisions_of
from brokers.errors import ConfigError, DataError, SeawallError
from feeds.frames import bar_ends
from feeds.passport import passport_of

Way = Literal["truncated", "scrambled"]
STEP = 0.02  # of the logarithm of the price that a scrambled future drifts from bar to bar
CUTS = 10


@dataclass(frozen=True)
class Leak:
    """The first decision that another future changed.

    Args:
        way: what became of the bars after `cut_at`: cut off, or replaced.
        cut_at: end of the newest bar that both runs had.
        at: end of the bar in which the decisions differ.
        symbol: of the decision.
        expected: what was decided with the whole data; "nothing" when nothing was.
        found: what was decided with another future, or the error that the strategy raised.
    """

    way: Way
    cut_at: datetime
    at: datetime
    symbol: str
    expected: str
    found: str


@dataclass(frozen=True)
class CanaryReport:
    """What the experiment showed; `leak` is None when no cut changed a decision.

    Args:
        decisions: how many the strategy made with the whole data.
        compared: how many of them some cut compared.
    """

    strategy: str
    cuts: int
    decisions: int
    compared: int
    leak: Leak | None

    @property
    def clean(self) -> bool:
        """Whether no decision changed."""
        return self.leak is None

    def as_json(self) -> dict[str, Any]:
        """Plain values; times in ISO 8601, UTC."""
        leak = None
        if self.leak:
            times = {name: getattr(self.leak, name).isoformat() for name in ("cut_at", "at")}
            leak = asdict(self.leak) | times
        return asdict(self) | {"leak": leak, "clean": self.clean}


def find_leak(
    strategy: str | type[bt.Strategy] | RunSpec,
    bars: Any,
    *,
    params: Mapping[str, Any] | None = None,
    cuts: int = CUTS,
    seed: int = 0,
) -> CanaryReport:
    """Rerun a strategy with the bars cut off at `cuts` places, and with the rest scrambled there.

    Half of the cuts come right after a decision, where one bar too many shows; half are random.

    Args:
        strategy: as in `backtest.run`, or a whole RunSpec.
        bars: a bar frame or a dict of them; Backtrader's own feeds cannot be cut.
        seed: of the places and of the scrambled futures.

    Raises:
        ConfigError: the strategy is unknown, not deterministic, or the bars are no frames.
        DataError: it decides nothing on these bars, so that nothing can be shown.
        Exception: whatever the strategy raises with the whole data.
    """
    spec = strategy if isinstance(strategy, RunSpec) else RunSpec(strategy, params or {})
    if cuts < 1:
        raise ConfigError(f"cuts is {cuts}: at least one is needed, ten are usual")
    frames = only_frames(bars)
    known = _known(spec, frames)
    rng = np.random.default_rng(seed)
    places = _places(frames, known, cuts, rng)
    warm_up = max(_length(frame, known[0].at) for frame in frames.values())
    for cut_at in places:
        before = [item for item in known if item.at <= cut_at]
        for way in _ways(frames, cut_at, warm_up):
            other = {name: _other(frame, cut_at, way, rng) for name, frame in frames.items()}
            if leak := _compared(spec, way, cut_at, before, other):
                return CanaryReport(_name(spec), len(places), len(known), len(before), leak)
    return CanaryReport(_name(spec), len(places), len(known), len(before), None)


def _name(spec: RunSpec) -> str:
    return str(spec.as_dict()["strategy"])


def _known(spec: RunSpec, frames: Mapping[str, pd.DataFrame]) -> list[Decided]:
    """The decisions with the whole data, made twice to know that they can be compared."""
    known = decisions_of(spec, frames)
    if decisions_of(spec, frames) != known:
        raise ConfigError(
            f"canary: {_name(spec)} decides differently each time it runs on the same bars: "
            "seed its randomness and keep no state outside the instance"
        )
    if not known:
        longest = max(len(frame) for frame in frames.values())
        raise DataError(
            f"canary: {_name(spec)} decides nothing on {longest} bars, so nothing can be shown: "
            "give more bars, or parameters with which it trades"
        )
    return known


def _places(
    frames: Mapping[str, pd.DataFrame], known: list[Decided], cuts: int, rng: np.random.Generator
) -> list[datetime]:
    """Ends of the bars after which the future is changed, oldest first, each once."""
    decided = sorted({item.at for item in known})
    ends = {end for frame in frames.values() for end in _ends(frame).to_pydatetime().tolist()}
    others = sorted(end for end in ends - {max(ends)} if end >= decided[0])
    chosen = _some(decided, (cuts + 1) // 2, rng)
    chosen |= _some(sorted(set(others) - chosen), cuts - len(chosen), rng)
    return sorted(chosen)


def _some(items: list[datetime], wanted: int, rng: np.random.Generator) -> set[datetime]:
    count = min(wanted, len(items))
    return {items[row] for row in rng.choice(len(items), size=count, replace=False).tolist()}


def _ends(frame: pd.DataFrame) -> pd.DatetimeIndex:
    # Backtrader's times are floats of days: what it shows is rounded to microseconds.
    return bar_ends(frame, passport_of(frame)).round("us")


def _length(frame: pd.DataFrame, until: datetime) -> int:
    """How many bars have ended."""
    return int(_ends(frame).searchsorted(pd.Timestamp(until), side="right"))


def _ways(frames: Mapping[str, pd.DataFrame], cut_at: datetime, warm_up: int) -> list[Way]:
    """A feed cut shorter than the warm-up may fail for that reason alone: it is only scrambled."""
    shortest = min(_length(frame, cut_at) for frame in frames.values())
    return ["truncated", "scrambled"] if shortest >= warm_up else ["scrambled"]


def _other(
    frame: pd.DataFrame, cut_at: datetime, way: Way, rng: np.random.Generator
) -> pd.DataFrame:
    """The frame with another future, or none, after `cut_at`."""
    kept = _length(frame, cut_at)
    if way == "truncated":
        return frame.iloc[:kept]
    values = frame.to_numpy(copy=True)
    later = len(frame) - kept
    values[kept:] = values[kept:][rng.permutation(later)]
    values[kept:, :-1] *= np.exp(np.cumsum(rng.normal(0.0, STEP, size=later)))[:, None]
    values[kept:, -1] *= rng.uniform(0.5, 2.0, size=later)
    scrambled = pd.DataFrame(values, index=frame.index, columns=frame.columns)
    scrambled.attrs = dict(frame.attrs)
    return scrambled


def _compared(
    spec: RunSpec,
    way: Way,
    cut_at: datetime,
    before: list[Decided],
    frames: Mapping[str, pd.DataFrame],
) -> Leak | None:
    try:
        after = [item for item in decisions_of(spec, frames) if item.at <= cut_at]
    except SeawallError:
        raise  # ours, not the strategy's
    except Exception as error:  # noqa: BLE001  any error that the whole data do not cause is a leak
        told = f"{type(error).__name__}: {error}"
        return Leak(way, cut_at, cut_at, "", f"{len(before)} decisions", told)
    for one, other in zip_longest(before, after):
        if one != other:
            return _leak(way, cut_at, one, other)
    return None


def _leak(way: Way, cut_at: datetime, one: Decided | None, other: Decided | None) -> Leak:
    """The difference, told at the earlier of the two decisions."""
    sides = [item for item in (one, other) if item is not None]
    first = min(sides, key=lambda item: item.at)
    told = [
        item.text if item and (item.at, item.symbol) == (first.at, first.symbol) else "nothing"
        for item in (one, other)
    ]
    return Leak(way, cut_at, first.at.astimezone(UTC), first.symbol, *told)
