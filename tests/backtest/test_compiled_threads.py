import os
from threading import Barrier

import pytest

from backtest.compiled.threads import processors, threads

MINUTE_S = 60


def places_of(count):
    """Where each of so many threads may run."""
    all_at_once = Barrier(count)

    def place():
        all_at_once.wait(MINUTE_S)
        return frozenset(os.sched_getaffinity(0))

    pool = threads(count)
    futures = [pool.submit(place) for _ in range(count)]
    return [future.result() for future in futures]


needs_linux = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="no thread can be kept to a processor here"
)


@needs_linux
def test_as_many_threads_as_processors_have_one_each():
    places = places_of(len(processors()))
    assert all(len(place) == 1 for place in places)
    assert frozenset().union(*places) == processors()


@needs_linux
def test_any_other_number_of_threads_goes_wherever_there_is_room():
    assert set(places_of(len(processors()) + 1)) == {processors()}


def test_the_callers_own_thread_stays_free():
    before = processors()
    threads(len(before)).submit(int).result()
    assert processors() == before


def test_threads_wait_for_the_next_sweep():
    assert threads(2) is threads(2)
