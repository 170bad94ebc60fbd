"""A journal whose process is killed or interrupted."""

import subprocess
import sys
from pathlib import Path

from analyzers.journal import verify
from tests.analyzers.test_journal import written

KILLED = """
import sys
from analyzers.journal import Journal
from brokers.clock import SystemClock

journal = Journal(sys.argv[1], "run-1", SystemClock())
while True:
    journal.append({"kind": "order", "text": "x" * 300})
    print(flush=True)
"""


def test_killed_writer_leaves_whole_lines_and_a_free_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        for _ in range(500):
            writer.stdout.readline()
        writer.kill()
    assert verify(path).state in ("unfinished", "torn")  # a kill may cut the last write short
    assert verify(path).lines >= 500
    assert verify(written(path)).state == "complete"


INTERRUPTED = """
import sys
from analyzers.journal import Journal
from brokers.clock import SystemClock

class Interrupt(BaseException): ...

def append_interrupted(at):
    step = 0

    def trace(frame, event, arg):
        nonlocal step
        step += 1
        if step == at:
            raise Interrupt
        return trace

    sys.settrace(trace)
    try:
        journal.append({"kind": "order", "text": "x" * 200})
    except Interrupt:
        return True
    finally:
        sys.settrace(None)
    return False

journal = Journal(sys.argv[1], "run-1", SystemClock())
at = 1
while append_interrupted(at):
    at += 1
journal.close()
print(at)
"""


def test_writer_interrupted_at_any_step_goes_on_with_a_whole_chain(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path / "log")],
        check=True,
        capture_output=True,
    )
    steps = int(told.stdout)
    assert steps > 50
    assert verify(tmp_path / "log").state == "complete"
    assert 2 <= verify(tmp_path / "log").lines < steps
