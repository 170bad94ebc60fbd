"""The reports that analyses, sweeps and rehearsals left behind, read as they are now."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Stamp = tuple[int, int]
MOST = 200  # to choose from; the newest


def read(reader: Callable[[Path], T], path: Path) -> T:
    """What `reader` makes of a file, once as long as the file stays as it is.

    Raises:
        DataError: as `reader` does.
    """
    stamp = _stamp(path)
    return reader(path) if stamp is None else _read(reader, path, stamp)


def below(folder: Path, name: str) -> list[Path]:
    """The files of that name at any depth, the newest first."""
    return _newest(folder.rglob(name))


def within(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, by name, the last first."""
    return sorted(folder.glob(pattern), reverse=True)[:MOST]


@lru_cache(maxsize=16)
def _read(reader: Callable[[Path], T], path: Path, stamp: Stamp) -> T:
    del stamp  # another one is another file
    return reader(path)


def _newest(files: Iterable[Path]) -> list[Path]:
    known = [(stamp, file) for file in files if (stamp := _stamp(file)) is not None]
    return [file for _, file in sorted(known, reverse=True)][:MOST]


def _stamp(path: Path) -> Stamp | None:
    """Time of change and size; None where there is no such file."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size
