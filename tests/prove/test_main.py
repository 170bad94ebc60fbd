"""The runner of the long proofs."""

from tests.prove import Proof
from tests.prove.__main__ import attempt, longest_first


def falls(chunk: int) -> int:
    if chunk == 0:
        raise AssertionError("the claim is broken")
    if chunk == 1:
        raise KeyError("a session that died")
    return chunk


SHORT = Proof("short", "some chunks fall", 3, falls, chunk_s=1)
LONG = Proof("long", "it takes long", 2, falls, chunk_s=60)


def test_chunk_that_ends_by_any_error_is_broken_and_its_text_is_kept():
    outcomes = [attempt(SHORT, chunk) for chunk in range(3)]
    assert [outcome.broken for outcome in outcomes] == [
        "the claim is broken",
        "KeyError: 'a session that died'",
        "",
    ]
    assert [outcome.cases for outcome in outcomes] == [0, 0, 2]


def test_chunks_that_take_long_are_begun_first():
    assert longest_first([SHORT, LONG]) == [
        (LONG, 0),
        (LONG, 1),
        (SHORT, 0),
        (SHORT, 1),
        (SHORT, 2),
    ]
