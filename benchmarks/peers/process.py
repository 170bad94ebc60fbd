"""A peer at work: a process that does a round whenever it is told to."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks.peers.task import READY, RESULT


class Process:
    """Returns when its first round is done, or when it has ended without one.

    Args:
        python: the interpreter of the peer's environment.
        words: the module, and its arguments; see `benchmarks.peers.task`.
    """

    def __init__(self, python: Path, words: Sequence[str]) -> None:
        self._errors = TemporaryFile("w+")  # noqa: SIM115  closed with the process
        self._process = subprocess.Popen(
            [str(python), "-m", *words],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.last_words = ""
        self._told(READY)

    def do_round(self) -> None:
        """Let it do another round, and wait for its end; nothing where it has ended."""
        assert self._process.stdin
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return
        self._told(READY)

    def end(self) -> dict[str, Any] | None:
        """What it has measured; None where it failed, and why is in `last_words`."""
        assert self._process.stdin
        self._process.stdin.close()
        line = self._told(RESULT)
        self._process.wait()
        self._errors.seek(0)
        self.last_words = "".join(self._errors.readlines()[-1:]).strip()
        self._errors.close()
        return json.loads(line.removeprefix(RESULT)) if line else None

    def _told(self, word: str) -> str:
        """The next line that begins with a word; empty at the end of all it says."""
        assert self._process.stdout
        return next((line for line in self._process.stdout if line.startswith(word)), "")
