"""The decision log when there is no space left on the device."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analyzers.decision_log import DecisionLog
from analyzers.journal import tail, verify
from tests.analyzers.test_decision_log import of_kind, stage

Record = dict[str, Any]


class Interrupted:
    """A journal without space for lines `first` to `last`, counted by attempt."""

    def __init__(self, first: int, last: int) -> None:
        self.records: list[Record] = []
        self._attempt, self._full = 0, range(first, last + 1)

    def append(self, record: Record) -> None:
        self._attempt += 1
        if self._attempt in self._full:
            raise OSError(28, "No space left on device")
        self.records.append(json.loads(json.dumps(record, default=str)))


def test_facts_without_space_are_written_before_the_next_decision() -> None:
    journal = Interrupted(first=3, last=7)
    cerebro = stage({2: lambda s: s.buy(), 5: lambda s: s.sell()})
    cerebro.addanalyzer(DecisionLog, journal=journal)
    cerebro.run()
    assert [(r["kind"], r.get("status")) for r in journal.records[:8]] == [
        ("session", None),
        ("decision", None),
        ("order", "Submitted"),
        ("order", "Accepted"),
        ("fill", None),
        ("order", "Completed"),
        ("trade", "opened"),
        ("decision", None),
    ]


def test_no_order_leaves_while_facts_wait_for_space() -> None:
    journal = Interrupted(first=3, last=99)
    cerebro = stage({2: lambda s: s.buy(), 5: lambda s: s.sell(size=9)})
    cerebro.addanalyzer(DecisionLog, journal=journal)
    with pytest.raises(OSError, match="No space left"):
        cerebro.run()
    assert [order.size for order in cerebro.broker.orders] == [1]


FULL_DISK = """
import json, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, ".")
from analyzers.decision_log import DecisionLog
from analyzers.journal import Journal
from brokers.clock import ManualClock
from tests.analyzers.test_decision_log import stage

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, until = Path(sys.argv[1]), int(sys.argv[2])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

def limit(strategy, size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

def order(strategy):
    if len(strategy) == 4:
        limit(strategy, path.stat().st_size + 100)
    if len(strategy) == until:
        limit(strategy, hard)
    return strategy.buy()

cerebro = stage({bar: order for bar in range(2, 9)})
journal = Journal(path, "run-1", ManualClock(datetime(2024, 1, 1, tzinfo=UTC)))
cerebro.addanalyzer(DecisionLog, journal=journal)
try:
    strategy = cerebro.run()[0]
    journal.close()
except OSError as error:
    strategy = cerebro.runningstrats[0]
    journal.close(complete=False)
    print(error.strerror, file=sys.stderr)
print(json.dumps([order.getstatusname() for order in strategy.memory]))
print(json.dumps([order.info.get("refusal", "") for order in strategy.memory]))
"""


def on_full_disk(path: Path, until: int) -> tuple[list[str], list[str], str]:
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), str(until)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    statuses, refusals = map(json.loads, told.stdout.splitlines())
    return statuses, refusals, told.stderr.strip()


def test_full_disk_refuses_the_orders_and_tears_nothing(tmp_path: Path) -> None:
    statuses, refusals, error = on_full_disk(tmp_path / "log", until=99)
    assert statuses == ["Completed"] * 2 + ["Rejected"] * 5
    assert "could not be logged" in refusals[2]
    assert "File too large" in refusals[2]
    assert error == "File too large"
    assert verify(tmp_path / "log").state == "unfinished"
    decided = [record for record, _ in tail(tmp_path / "log") if record["kind"] == "decision"]
    assert len(decided) == 2


def test_orders_leave_again_when_there_is_space_again(tmp_path: Path) -> None:
    statuses, _, error = on_full_disk(tmp_path / "log", until=6)
    assert statuses == ["Completed"] * 2 + ["Rejected"] * 2 + ["Completed"] * 2 + ["Submitted"]
    assert error == ""
    assert verify(tmp_path / "log").state == "complete"
    records = [record for record, _ in tail(tmp_path / "log")]
    assert len(of_kind(records, "decision")) == 5
    assert [r["status"] for r in of_kind(records, "order")].count("Rejected") == 2
