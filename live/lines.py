"""Words for whoever reads a session's standard output, who may be slow, or gone."""

import os
import select
from contextlib import suppress
from typing import IO


class Lines:
    """Writes lines without ever waiting for their reader.

    A line that finds no room is dropped, and the next one that finds some says how many were. When
    the reader has gone, the rest is written nowhere, also what others write to the same file.

    Args:
        file: usually standard output; one without a descriptor takes everything.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._fd = _descriptor(file)
        self._lost = 0
        self._is_torn = False  # the first of what was lost was begun
        self._is_gone = False

    def has_room(self, wait_s: float = 0.0) -> bool:
        """Whether a line could be written now, or within `wait_s` seconds."""
        if self._is_gone:
            return False
        return self._fd is None or bool(select.select([], [self._fd], [], wait_s)[1])

    def say(self, text: str, wait_s: float = 0.0) -> None:
        """Write a line, or several at once, or drop them.

        Args:
            wait_s: for last words: how long the reader may keep each piece of them waiting.
        """
        if self._lost and self.has_room(wait_s):
            broken_off = "\n" if self._is_torn else ""
            text = f"{broken_off}({self._lost} lines were dropped: nobody read)\n{text}"
            self._lost, self._is_torn = 0, False
        try:
            self._write(f"{text}\n", wait_s)
        except OSError:
            self.abandon()

    def abandon(self) -> None:
        """Take note that the reader has gone: Python would fail on what is left to flush."""
        self._is_gone = True
        if self._fd is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            with suppress(OSError):
                os.dup2(nowhere, self._fd)
            os.close(nowhere)

    def _write(self, text: str, wait_s: float) -> None:
        if self._fd is None:
            self._file.write(text)
            return
        self._file.flush()
        whole = rest = text.encode(errors="replace")
        while rest and self.has_room(wait_s):
            # So much never blocks where there is room at all.
            rest = rest[os.write(self._fd, rest[: select.PIPE_BUF]) :]
        self._lost += bool(rest)
        self._is_torn = self._is_torn or bool(rest and rest != whole)


def _descriptor(file: IO[str]) -> int | None:
    try:
        return file.fileno()
    except OSError:
        return None
