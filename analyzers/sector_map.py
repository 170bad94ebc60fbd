"""The eleven sectors, their funds, and which rule puts a symbol into one of them.

GICS constituents are licensed, so none are here. A symbol's sector is what the first of three rules
says: an override, Yahoo's name of its sector (which correspond one to one), the range that its SIC
code lies in. What was decided by which rule is kept.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Self

from analyzers.sectors.sic import RANGES
from brokers.errors import DataError

VERSION = 1
REMEDY = "write symbol,sector,yahoo,sic in its first line; all but symbol may be left out"


@dataclass(frozen=True)
class Sector:
    """One sector of the market.

    Args:
        name: as the funds' provider calls it.
        etf: its SPDR fund.
        since: the fund's first day; before it the members count with `before`.
        yahoo: what Yahoo calls it.
        before: the sector whose fund held most of its members until then.
        short: another name for it.
    """

    name: str
    etf: str
    since: date
    yahoo: str
    before: str = ""
    short: str = ""


_FIRST = date(1998, 12, 16)
SECTORS = (
    Sector("Information Technology", "XLK", _FIRST, "Technology"),
    Sector("Financials", "XLF", _FIRST, "Financial Services"),
    Sector("Health Care", "XLV", _FIRST, "Healthcare"),
    Sector("Consumer Discretionary", "XLY", _FIRST, "Consumer Cyclical", short="Discretionary"),
    Sector("Consumer Staples", "XLP", _FIRST, "Consumer Defensive", short="Staples"),
    Sector("Energy", "XLE", _FIRST, "Energy"),
    Sector("Industrials", "XLI", _FIRST, "Industrials"),
    Sector("Materials", "XLB", _FIRST, "Basic Materials"),
    Sector("Utilities", "XLU", _FIRST, "Utilities"),
    Sector("Real Estate", "XLRE", date(2015, 10, 7), "Real Estate", before="Financials"),
    Sector(
        "Communication Services",
        "XLC",
        date(2018, 6, 18),
        "Communication Services",
        before="Information Technology",
    ),
)
ETFS = tuple(sector.etf for sector in SECTORS)
_BY_NAME = {
    text.casefold(): sector.name
    for sector in SECTORS
    for text in (sector.name, sector.yahoo, sector.short)
    if text
}
_BEFORE = {sector.name: sector for sector in SECTORS if sector.before}


def sectors_on(day: date) -> tuple[Sector, ...]:
    """The sectors that had a fund on a day: 9, then 10, then 11; the first 9 before there were any.

    >>> [len(sectors_on(date(year, 1, 1))) for year in (1990, 2015, 2016, 2019)]
    [9, 9, 10, 11]
    """
    return tuple(sector for sector in SECTORS if not sector.before or sector.since <= day)


def sector_named(text: str) -> str | None:
    """The sector that a name of ours or of Yahoo's means; None where there is none such."""
    return _BY_NAME.get(" ".join(text.split()).casefold())


def sector_of_sic(code: int) -> tuple[str, str] | None:
    """Sector and range of a SIC code, the narrowest that it lies in.

    >>> sector_of_sic(6324), sector_of_sic(6311)
    (('Health Care', '6324'), ('Financials', '6000-6499'))
    """
    holding = [item for item in RANGES if item[0] <= code <= item[1]]
    if not holding:
        return None
    first, last, name = min(holding, key=lambda item: item[1] - item[0])
    return name, f"{first}" if first == last else f"{first}-{last}"


@dataclass(frozen=True)
class Facts:
    """What is known of a symbol; empty where nothing is.

    Args:
        sector: as somebody has decided it, of our names or Yahoo's.
        yahoo: Yahoo's name of its sector.
        sic: its SIC code, four digits.
    """

    sector: str = ""
    yahoo: str = ""
    sic: str = ""


@dataclass(frozen=True)
class Placed:
    """Where a symbol belongs: its sector and the rule that decided, or None and the reason."""

    sector: str | None
    rule: str


@dataclass(frozen=True)
class SectorMap:
    """The facts of symbols, and what follows from them."""

    facts: Mapping[str, Facts] = field(default_factory=dict)

    @classmethod
    def of(cls, sectors: Mapping[str, str]) -> Self:
        """A map that says the sector of each symbol outright."""
        return cls({symbol: Facts(sector=name) for symbol, name in sectors.items()})

    @classmethod
    def read(cls, path: Path) -> Self:
        """A CSV file with the columns symbol, sector, yahoo, sic; a sector given is an override.

        Raises:
            DataError: it cannot be read, or a line is wrong.
        """
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"sector map {path} cannot be read ({error}): {REMEDY}") from error
        rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
        known = ["symbol", *(item.name for item in fields(Facts))]
        found = rows.fieldnames or []
        if "symbol" not in found or set(found) - set(known):
            raise DataError(f"sector map {path} has the columns {', '.join(found)}: {REMEDY}")
        return cls(dict(_checked(path, rows)))

    @property
    def version(self) -> str:
        """Changes when our ranges or the facts do."""
        told = "\n".join(
            f"{symbol},{item.sector},{item.yahoo},{item.sic}"
            for symbol, item in sorted(self.facts.items())
        )
        digest = hashlib.sha256(f"{RANGES}\n{told}".encode()).hexdigest()
        return f"{VERSION}-{digest[:8]}"

    def placed(self, symbols: Iterable[str], on: date) -> dict[str, Placed]:
        """Each symbol's sector as of a day, in the order asked."""
        return {symbol: _on(self._placed(symbol), on) for symbol in symbols}

    def _placed(self, symbol: str) -> Placed:
        facts = self.facts.get(symbol)
        if facts is None:
            return Placed(None, "it is not in the sector map")
        for text, rule in ((facts.sector, "override"), (facts.yahoo, "yahoo")):
            if text:
                name = sector_named(text)
                return Placed(name, f"{rule}: {text}" if name else f"no sector is called {text!r}")
        if not facts.sic:
            return Placed(None, "the sector map says nothing of it")
        found = sector_of_sic(int(facts.sic)) if facts.sic.isdecimal() else None
        if found is None:
            return Placed(None, f"SIC {facts.sic} lies in no range of a sector")
        return Placed(found[0], f"SIC {facts.sic} in {found[1]}")


def _on(placed: Placed, day: date) -> Placed:
    """With the older sector while the newer had no fund."""
    later = _BEFORE.get(placed.sector or "")
    if later is None or later.since <= day:
        return placed
    return Placed(later.before, f"{placed.rule}; {later.name} has a fund from {later.since} on")


def _checked(path: Path, rows: "csv.DictReader[str]") -> Iterable[tuple[str, Facts]]:
    seen: set[str] = set()
    for row in rows:
        place = f"sector map {path.name}: line {rows.line_num}"
        if None in row:
            raise DataError(f"{place} has more cells than columns: {REMEDY}")
        told = {name: (text or "").strip() for name, text in row.items()}
        symbol = told.pop("symbol")
        if not symbol or symbol in seen:
            fault = f"names {symbol} again: keep one line" if symbol else "has no symbol: give one"
            raise DataError(f"{place} {fault}")
        if told.get("sector") and sector_named(told["sector"]) is None:
            known = ", ".join(sector.name for sector in SECTORS)
            raise DataError(f"{place}: no sector {told['sector']!r}: there are {known}")
        seen.add(symbol)
        yield symbol, Facts(**told)
