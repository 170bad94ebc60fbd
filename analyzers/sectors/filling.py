"""A sector map filled from Polygon's company facts, a few symbols at a time."""

import csv
import io
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path

from analyzers.sector_map import Facts, SectorMap
from brokers.errors import ConfigError
from feeds.polygon import Polygon
from feeds.polygon_client import UnknownTicker

Report = Callable[[int, int, float], None]  # (symbols done, symbols in all, seconds left)
KEPT_EACH = 5  # symbols between two saves


def filled(
    path: Path, symbols: Iterable[str], client: Polygon, slot_s: float, report: Report
) -> dict[str, str]:
    """Add the SIC codes of the symbols that the map at `path` does not know; what is there stays.

    Whoever is stopped in between goes on where that was.

    Args:
        slot_s: seconds a call takes at the pace of the plan; tells the time left.
        report: is called before each call and after the last.

    Returns:
        The symbols of which Polygon knows no code, with the reason; they have a line, too, so that
        they are not asked for again.

    Raises:
        ConfigError: no key, one that was refused, or the file cannot be written.
        DataError: the file is no sector map, or Polygon stopped answering.
    """
    known = SectorMap.read(path).facts if path.exists() else {}
    facts = dict(known)
    wanted = tuple(dict.fromkeys(symbols))
    lacking = [symbol for symbol in wanted if symbol not in facts]
    unknown: dict[str, str] = {}
    try:
        for number, symbol in enumerate(lacking):
            done = len(wanted) - len(lacking) + number
            report(done, len(wanted), (len(lacking) - number) * slot_s)
            facts[symbol] = _facts(client, symbol, unknown)
            if (number + 1) % KEPT_EACH == 0:
                _write(path, facts)
    finally:
        if facts != known:
            _write(path, facts)
    report(len(wanted), len(wanted), 0.0)
    return unknown


def _facts(client: Polygon, symbol: str, unknown: dict[str, str]) -> Facts:
    try:
        code = client.ticker_details(symbol).sic_code
    except UnknownTicker as error:
        unknown[symbol] = str(error)
        return Facts()
    if not code:
        unknown[symbol] = "polygon knows no SIC code of it"
    return Facts(sic=code or "")


def _write(path: Path, facts: dict[str, Facts]) -> None:
    sink = io.StringIO()
    names = ["symbol", *(item.name for item in fields(Facts))]
    table = csv.DictWriter(sink, names, lineterminator="\n")
    table.writeheader()
    table.writerows({"symbol": symbol, **asdict(known)} for symbol, known in facts.items())
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(sink.getvalue(), "utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error
