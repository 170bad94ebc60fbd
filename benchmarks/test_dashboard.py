"""A log of a million lines in the dashboard: the goal is two seconds to its end, then what is new.

The whole is read and verified in the background meanwhile, and kept beside the log; a second look
begins from there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from analyzers.journal import Journal
from brokers.clock import ManualClock, SystemClock
from dashboard.shelf import index_path
from dashboard.watch import LogWatch
from tests.dashboard.stage import BEGUN_AT, bars, bought, decision, fill, session, status

LINES = 1_000_000


def lines(count: int) -> Iterator[Any]:
    """A session of a quiet strategy: nine bars, then a decision and what becomes of it."""
    yield session()
    for number in range(1, count):
        kind, turn = number % 14, number // 14
        order_id = f"{turn:020d}"
        if kind < 10:
            yield bars(turn, 100.0 + kind)
        elif kind == 10:
            yield decision(turn, order_id=order_id)
        elif kind == 11:
            yield status("Accepted", order_id)
        elif kind == 12:
            yield fill(turn, "buy" if turn % 2 else "sell", 1.0, 100.0, 0.0, order_id=order_id)
        else:
            yield status("Completed", order_id)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("million") / "log"
    journal = Journal(path, "run0", ManualClock(BEGUN_AT))
    for line in lines(LINES):
        journal.append(line)
    journal.close(complete=False)
    return path


def test_first_look_at_a_million_lines(benchmark: BenchmarkFixture, log: Path) -> None:
    watches: list[LogWatch] = []

    def look() -> int:
        index_path(log).unlink(missing_ok=True)
        watches.append(LogWatch(log, SystemClock()))
        return len(watches[-1].look().reading.index)

    def close() -> None:
        watches.pop().close()

    assert benchmark.pedantic(look, rounds=3, teardown=close) == 1_001


def test_whole_log_read_and_verified_in_the_background(
    benchmark: BenchmarkFixture, log: Path
) -> None:
    def read() -> int:
        index_path(log).unlink(missing_ok=True)
        watch = LogWatch(log, SystemClock())
        watch.look()
        watch.look()
        watch.wait()
        return len(watch.look().reading.index)

    assert benchmark.pedantic(read, rounds=1) == LINES


def test_second_look_begins_where_the_first_ended(benchmark: BenchmarkFixture, log: Path) -> None:
    whole = LogWatch(log, SystemClock())
    whole.look()
    whole.look()
    whole.wait()
    whole.look()
    found = benchmark(lambda: LogWatch(log, SystemClock()).look().reading)
    assert found.is_whole


def test_look_after_ten_new_lines(benchmark: BenchmarkFixture, log: Path) -> None:
    watch = LogWatch(log, SystemClock())
    watch.look()
    watch.look()
    watch.wait()
    journal = Journal(log, "run0", ManualClock(BEGUN_AT))

    def grow() -> None:
        for record in bought()[1:] + [bars(4, 9.0)] * 3:
            journal.append(record)

    found = benchmark.pedantic(watch.look, setup=grow, rounds=20)
    journal.close(complete=False)
    assert found.reading.is_whole


def test_filter_over_a_million_lines(benchmark: BenchmarkFixture, log: Path) -> None:
    watch = LogWatch(log, SystemClock())
    watch.look()
    watch.look()
    watch.wait()
    index = watch.look().reading.index
    assert len(benchmark(index.find, kinds=("decision",), symbols=("SPY",))) > 70_000
