"""Which file of a folder holds which symbol, for the source files."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from brokers.errors import DataError
from feeds.tables import SUFFIXES


def symbol_of(file: Path) -> str:
    """The symbol that a file name begins with.

    >>> symbol_of(Path("nvda-1999-2014.txt")), symbol_of(Path("BRK.B.csv.gz"))
    ('NVDA', 'BRK.B')
    """
    return re.split(r"[-_ ]", _stem(file))[0].upper()


def files_of(folder: Path, symbols: Sequence[str]) -> dict[str, Path]:
    """The file of each symbol; without symbols, all files.

    A file is named SYMBOL.csv, or symbol and more after a dash, blank or underscore; case does
    not count.

    Raises:
        DataError: no such files, no file of a symbol, or several.
    """
    held = (file for file in folder.iterdir() if file.name.lower().endswith(SUFFIXES))
    files = sorted(held, key=lambda file: (symbol_of(file), file.name))
    if not files:
        raise DataError(f"{folder} holds no {', '.join(SUFFIXES)} file: check the path")
    return {symbol: _file_of(symbol, files) for symbol in symbols or map(symbol_of, files)}


def nearest(symbol: str, known: Sequence[str]) -> str:
    """What to say to somebody who asked for a symbol that is not known."""
    near = difflib.get_close_matches(symbol.upper(), known, n=3, cutoff=0.4)
    return f"the nearest are {', '.join(near)}" if near else f"there are {_listed(known)}"


def _listed(known: Sequence[str]) -> str:
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return ", ".join(known[:5]) + more


def _file_of(symbol: str, files: Sequence[Path]) -> Path:
    asked = symbol.upper()
    exact = [file for file in files if _stem(file).upper() == asked]
    found = exact or [file for file in files if symbol_of(file) == asked]
    folder = files[0].parent.name
    if not found:
        known = sorted({symbol_of(file) for file in files})
        raise DataError(f"{folder} has no file of symbol {symbol!r}: {nearest(symbol, known)}")
    if len(found) > 1:
        names = " and ".join(file.name for file in found[:2])
        raise DataError(f"{folder} has several files of {symbol!r}: name {names} by its path")
    return found[0]


def _stem(file: Path) -> str:
    suffix = max((end for end in SUFFIXES if file.name.lower().endswith(end)), key=len, default="")
    return file.name[: len(file.name) - len(suffix)]
