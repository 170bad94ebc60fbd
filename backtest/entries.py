"""An entry of the ledger: sets that were finished together, as a row of a database."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from analyzers.overfit import BLOCKS
from backtest.outcomes import METRICS, PRUNED, Floats, Outcomes

MOMENTS = ("mean", "deviation", "skew", "kurtosis")
NUMBERS = (*METRICS, *MOMENTS, "periods")
LOST = "lost: "
"""How the reason of a set begins whose worker died; it is tried again when a sweep is resumed."""

_MEAN, _DEVIATION = NUMBERS.index("mean"), NUMBERS.index("deviation")
_NUMBER = np.dtype("<f8")


class Entry(NamedTuple):
    """N sets.

    Args:
        keys: one a line, see `backtest.identity.set_key`.
        failures: JSON of `Outcomes.failures`.
        numbers: NUMBERS of each set, (len(NUMBERS), N) little-endian doubles.
        blocks: `Outcomes.blocks`, (N, BLOCKS, 3) of the same.
    """

    keys: str
    failures: bytes
    numbers: bytes
    blocks: bytes


def entry(keys: Sequence[str], outcomes: Outcomes) -> Entry:
    """What is kept of these sets.

    Raises:
        ValueError: there are more or fewer outcomes than keys.
    """
    if len(keys) != len(outcomes):
        raise ValueError(f"{len(keys)} keys for {len(outcomes)} outcomes")
    columns = [*(outcomes.metrics[name] for name in METRICS), *outcomes.moments.T, outcomes.periods]
    return Entry(
        "\n".join(keys),
        orjson.dumps(outcomes.failures, option=orjson.OPT_NON_STR_KEYS),
        np.array(columns, _NUMBER).tobytes(),
        outcomes.blocks.astype(_NUMBER, copy=False).tobytes(),
    )


def digest(kept: Entry) -> bytes:
    """SHA-256 over all of it."""
    found = hashlib.sha256()
    for part in (kept.keys.encode(), kept.failures, kept.numbers, kept.blocks):
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.digest()


def keys_of(kept: str) -> list[str]:
    """The keys of its sets, in order."""
    return kept.split("\n")


def failures_of(kept: bytes) -> dict[int, str]:
    """Why sets of it have no numbers, by row."""
    return {int(row): reason for row, reason in orjson.loads(kept).items()}


def ratios_of(kept: bytes) -> Floats:
    """Sharpe ratios per period of its sets, (N,); NaN where they are not determined."""
    numbers = _table(kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: Floats = numbers[_MEAN] / numbers[_DEVIATION]
    return np.where(np.isfinite(ratios), ratios, np.nan)


def outcomes_of(kept: Entry, rows: list[int]) -> Outcomes:
    """What came of some of its sets."""
    numbers = _table(kept.numbers)[:, rows]
    blocks = np.frombuffer(kept.blocks, _NUMBER).reshape(-1, BLOCKS, 3)
    failures = failures_of(kept.failures)
    return Outcomes(
        dict(zip(METRICS, numbers, strict=False)),
        numbers[len(METRICS) : -1].T.copy(),
        numbers[-1].astype(np.int64),
        blocks[rows],
        {place: failures[row] for place, row in enumerate(rows) if row in failures},
    )


def unfinished(failures: Mapping[int, str]) -> set[int]:
    """Rows of sets that are to be tried again: their worker died, or they were given up on."""
    return {row for row, reason in failures.items() if reason.startswith((LOST, PRUNED))}


def _table(kept: bytes) -> Floats:
    return np.frombuffer(kept, _NUMBER).reshape(len(NUMBERS), -1)
