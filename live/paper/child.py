"""A paper venue as a child process, started and ended by whoever uses it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import pandas as pd

from brokers.errors import ConfigError
from live.paper.control import ControlError, Remote
from live.paper.spec import VenueSpec

_PATIENCE_S = 20.0


class VenueProcess:
    """A running venue; use it in a with statement.

    Args:
        folder: an empty one for the venue's files.

    Raises:
        ConfigError: it did not start; the text is its own.
    """

    def __init__(self, spec: VenueSpec, frames: Mapping[str, pd.DataFrame], folder: Path) -> None:
        spec = spec.model_copy(update={"leaves_with_parent": True})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "live.paper.server", str(spec.save(folder, frames))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ready = self._line()
        if not ready:
            _, text = self._process.communicate()
            raise ConfigError(f"the paper venue did not start: {_without_prefix(text)}")
        self.url: str = ready["url"]
        self.stream_url: str = ready["stream"]
        self.authority: str = ready.get("authority", "")  # PEM file, where it speaks TLS
        self.remote = Remote(ready["control"], ready["token"])
        self.summary: dict[str, Any] = {}

    def stop(self) -> dict[str, Any]:
        """End it, and say what it saw: calls, orders, fills, equity, updates, faults, missed."""
        if not self.summary:
            try:
                self.remote.stop()
            except ControlError:
                self._process.terminate()
            self.remote.close()
            self.summary = self._line() or {"calls": None}
            try:
                self._process.communicate(timeout=_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
        return self.summary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _line(self) -> dict[str, Any] | None:
        stream = self._process.stdout
        text = stream.readline() if stream else b""
        told: dict[str, Any] | None = orjson.loads(text) if text else None
        return told


def _without_prefix(text: bytes) -> str:
    """What the process complained of, to be told in a line of ours."""
    return text.decode().strip().removeprefix("error: ")
