"""A sector map filled from what a source says of companies, a few symbols at a time."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from analyzers.sector_map import Facts, SectorMap
from analyzers.whole import write_whole
from feeds.vendor import UnknownSymbol

Report = Callable[[int, int, float], None]  # (symbols done, symbols in all, seconds left)
KEPT_EACH = 5  # symbols between two saves


@dataclass(frozen=True)
class Source:
    """Who is asked, one symbol a call.

    Args:
        ask: gives the fact, empty where there is none; raises UnknownSymbol.
        column: of the map: sic or yahoo.
        slot_s: seconds a call takes at the source's pace; tells the time left.
        nothing: what is said of a symbol without the fact.
    """

    ask: Callable[[str], str]
    column: str
    slot_s: float
    nothing: str

    def lacks(self, facts: Facts | None) -> bool:
        """Whether a symbol is to be asked for: a line that decides, or says nothing, is left."""
        if facts is None:
            return True
        return facts != Facts() and not (facts.sector or getattr(facts, self.column))


def filled(path: Path, symbols: Iterable[str], source: Source, report: Report) -> dict[str, str]:
    """Add what the map at `path` does not know of some symbols; what is there stays.

    Whoever is stopped in between goes on where that was.

    Args:
        report: is called before each call and after the last.

    Returns:
        The symbols of which the source has nothing to tell, with the reason; they have a line, too,
        so that they are not asked for again.

    Raises:
        ConfigError: no key, one that was refused, or the file cannot be written.
        DataError: the file is no sector map, or the source stopped answering.
    """
    known = SectorMap.read(path).facts if path.exists() else {}
    facts = dict(known)
    wanted = tuple(dict.fromkeys(symbols))
    lacking = [symbol for symbol in wanted if source.lacks(facts.get(symbol))]
    unknown: dict[str, str] = {}
    try:
        for number, symbol in enumerate(lacking):
            done = len(wanted) - len(lacking) + number
            report(done, len(wanted), (len(lacking) - number) * source.slot_s)
            found = _fact(source, symbol, unknown)
            facts[symbol] = replace(facts.get(symbol, Facts()), **{source.column: found})
            if (number + 1) % KEPT_EACH == 0:
                _write(path, facts)
    finally:
        if facts != known:
            _write(path, facts)
    report(len(wanted), len(wanted), 0.0)
    return unknown


def _fact(source: Source, symbol: str, unknown: dict[str, str]) -> str:
    try:
        fact = source.ask(symbol)
    except UnknownSymbol as error:
        unknown[symbol] = str(error)
        return ""
    if not fact:
        unknown[symbol] = source.nothing
    return fact


def _write(path: Path, facts: dict[str, Facts]) -> None:
    sink = io.StringIO()
    names = ["symbol", *(item.name for item in fields(Facts))]
    table = csv.DictWriter(sink, names, lineterminator="\n")
    table.writeheader()
    table.writerows({"symbol": symbol, **asdict(known)} for symbol, known in facts.items())
    write_whole(path, sink.getvalue().encode())
