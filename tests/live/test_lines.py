"""What a session says, to readers who are slow or gone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_GETPIPE_SZ, fcntl
from io import StringIO
from typing import TextIO

from live.lines import Lines


@contextmanager
def _pipe() -> Iterator[tuple[int, TextIO]]:
    """The reader's descriptor, and the file at the other end."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as file:
        yield reader, file
    try:
        os.close(reader)
    except OSError:
        return  # the reader has gone


def test_what_is_said_is_read() -> None:
    with _pipe() as (reader, file):
        Lines(file).say("held +2 SPY")
        assert os.read(reader, 100) == b"held +2 SPY\n"


def test_what_finds_no_room_is_dropped_and_counted() -> None:
    with _pipe() as (reader, file):
        lines, size = Lines(file), fcntl(reader, F_GETPIPE_SZ)
        for _ in range(3):
            lines.say("x" * size)
        assert not lines.has_room()
        assert len(os.read(reader, size)) == size
        lines.say("live")
        assert os.read(reader, 100) == b"\n(3 lines were dropped: nobody read)\nlive\n"


def test_a_reader_who_has_gone_is_not_missed() -> None:
    with _pipe() as (reader, file):
        lines = Lines(file)
        os.close(reader)
        lines.say("live")
        lines.say("shutting down")
        assert not lines.has_room()
        file.write("from elsewhere")  # what Python itself writes at its end is swallowed too


def test_a_file_without_descriptor_takes_everything() -> None:
    shown = StringIO()
    Lines(shown).say("live", wait_s=1.0)
    assert shown.getvalue() == "live\n"
