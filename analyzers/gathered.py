"""The bars of many symbols, of which some may be unknown or have none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from brokers.errors import DataError, Transient
from feeds.bars_spec import BarsSpec


@dataclass(frozen=True, eq=False)
class Gathered:
    """Frames by symbol, and the reason of each symbol that has none."""

    frames: Mapping[str, pd.DataFrame]
    missing: Mapping[str, str]


def gather(asked: BarsSpec, wanted: Sequence[str] = ()) -> Gathered:
    """Fetch what there is: all at once, and symbol by symbol where one of them stops that.

    Args:
        asked: without symbols, what its source has, and nothing is wanted beside that.
        wanted: symbols that are welcome beside those asked for.

    Raises:
        ConfigError: the source cannot be asked.
        DataError: no symbol that was asked for has bars, or the source stopped answering.
    """
    if not asked.symbols:
        return Gathered(asked.fetch(), {})
    beside = tuple(symbol for symbol in wanted if symbol not in asked.symbols)
    taken = _Taken(asked)
    if taken.takes((*asked.symbols, *beside)):
        absent = [symbol for symbol in (*asked.symbols, *beside) if symbol not in taken.frames]
        missing = dict.fromkeys(absent, f"{asked.source} has no bars of it")
    else:
        alone = beside if taken.takes(asked.symbols) else (*asked.symbols, *beside)
        missing = {symbol: str(taken.error) for symbol in alone if not taken.takes((symbol,))}
    if not set(asked.symbols) & set(taken.frames):
        first = asked.symbols[0]
        raise DataError(f"no symbol that was asked for has bars: {first}: {missing[first]}")
    return Gathered(taken.frames, missing)


class _Taken:
    """What has been fetched so far, and the last complaint."""

    def __init__(self, asked: BarsSpec) -> None:
        self.frames: dict[str, pd.DataFrame] = {}
        self.error: DataError | None = None
        self._asked = asked

    def takes(self, symbols: tuple[str, ...]) -> bool:
        """Fetch all of some symbols, or none; a source that gave up is asked no more."""
        try:
            self.frames |= replace(self._asked, symbols=symbols).fetch()
        except DataError as error:
            if isinstance(error.__cause__, Transient):
                raise
            self.error = error
            return False
        return True


def symbols_in(path: Path) -> tuple[str, ...]:
    """The symbols of a file: the first word of each line, up to a comma; # begins a comment.

    Raises:
        DataError: it cannot be read, or names nothing.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fault = f"universe {path} cannot be read: {error}"
        raise DataError(f"{fault}: give one symbol a line") from error
    words = (line.partition("#")[0].partition(",")[0].strip() for line in lines)
    found = tuple(dict.fromkeys(word for word in words if word and word.lower() != "symbol"))
    if not found:
        raise DataError(f"universe {path} names no symbol: give one a line")
    return found
