"""Every long proof of the project; `python -m tests.prove` runs them all."""

from tests.brokers import test_parity
from tests.prove import Proof, examples


def guarded_equals_bare(chunk: int) -> int:
    return examples(test_parity.random_runs, test_parity.same, chunk, 250)


PROOFS = (
    Proof(
        "guard",
        "random strategies give the same run guarded and bare, to the last bit",
        40,
        guarded_equals_bare,
    ),
)
