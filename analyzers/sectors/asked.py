"""Whose sectors are known, as it is typed."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from analyzers.gathered import symbols_in
from analyzers.sector_map import SectorMap
from feeds import universe
from feeds.bars_spec import BarsSpec

File = Annotated[
    Path | None,
    typer.Option("--sectors", help="CSV: symbol, and any of sector, yahoo, sic."),
]


def members(bars: BarsSpec, sectors: SectorMap, universe_file: Path | None = None) -> BarsSpec:
    """The bars asked for; where nobody is named, those of a file of symbols, or else of the map.

    Files of bars name their symbols themselves.

    Raises:
        DataError: the file of symbols cannot be read, or names nobody.
    """
    if bars.symbols:
        return bars
    if universe_file is not None:
        return replace(bars, symbols=symbols_in(universe_file))
    return bars if bars.source == "files" else replace(bars, symbols=tuple(sectors.facts))


def map_of(source: str, file: Path | None) -> SectorMap:
    """The map in a file; without one the embedded market's own, and of other feeds an empty one.

    Raises:
        DataError: the file is no sector map.
    """
    if file is not None:
        return SectorMap.read(file)
    return SectorMap.of(universe.sectors()) if source == "synthetic" else SectorMap()


def placed(sectors: SectorMap, symbols: Iterable[str], on: date) -> dict[str, str]:
    """Symbol -> sector as of a day, of those that have one."""
    found = sectors.placed(symbols, on)
    return {symbol: place.sector for symbol, place in found.items() if place.sector}
