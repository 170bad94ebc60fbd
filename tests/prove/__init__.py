"""Long proofs: each is many chunks of random or exhaustive cases, of which the tests run a few."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings


@dataclass(frozen=True)
class Proof:
    """A claim, and how to try to break it.

    Args:
        name: short and unique.
        claim: what holds, as a sentence.
        chunks: how many independent pieces there are.
        run: tries one piece; returns the number of cases, raises AssertionError with the first
            that breaks the claim. It lives in a module, so that other processes can import it.
        chunk_s: how long its longest piece takes, roughly; long ones are begun first.
    """

    name: str
    claim: str
    chunks: int
    run: Callable[[int], int]
    chunk_s: float = 10.0


def examples(drawing: Any, check: Callable[..., None], chunk: int, count: int) -> int:
    """Run `check` on `count` examples drawn from the seed `chunk`; returns `count`.

    Args:
        drawing: a `hypothesis.given(...)`, shared with the test that runs the fixed sample.
    """
    how = settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    how(seed(chunk)(drawing(check)))()
    return count
