"""What each sector of a panel can be measured by, and why it cannot."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from analyzers.sectors.membership import Members
from analyzers.sectors.panel import Panel
from analyzers.sectors.reasons import Known


@dataclass(frozen=True, eq=False)
class Coverage:
    """Days, ranges and volumes that there are, sector by sector."""

    panel: Panel

    @property
    def no_benchmark(self) -> str:
        """Why there is no benchmark; empty where there is one."""
        panel = self.panel
        return "" if panel.benchmark is not None else f"{panel.settings.benchmark}: no bars"

    @cached_property
    def has_range(self) -> npt.NDArray[np.bool_]:
        """Of each symbol: whether open, high and low are prices of their own."""
        empty = self.panel.bars.at(np.arange(0))
        return np.array([empty.only([symbol]).has_range for symbol in empty.symbols])

    @cached_property
    def has_volume(self) -> npt.NDArray[np.bool_]:
        """Of each symbol: whether it has volumes."""
        empty = self.panel.bars.at(np.arange(0))
        return np.array([empty.only([symbol]).has_volume for symbol in empty.symbols])

    @cached_property
    def used(self) -> npt.NDArray[np.int64]:
        """Of each sector: how many members have a bar on the day."""
        panel = self.panel
        here = panel.places[~np.isnan(panel.close[-1])]
        return np.bincount(here, minlength=len(panel.sectors))

    @cached_property
    def standing(self) -> Members:
        """The members among each other."""
        panel = self.panel
        symbols = tuple(panel.whole.symbols[number] for number in panel.members)
        return Members.of(symbols, panel.close, panel.of_members(panel.raw.close), panel.settings)

    @cached_property
    def members(self) -> tuple[Known | None, ...]:
        """None where too few members have a bar on the day."""
        panel, least = self.panel, self.panel.settings.min_members
        here = ~np.isnan(panel.close[-1])
        days = (~np.isnan(panel.close)).sum(axis=0)
        ranged, traded = self.has_range[panel.members], self.has_volume[panel.members]
        found: list[Known | None] = []
        for place, count in enumerate(self.used):
            own = here & (panel.places == place)
            if count < least:
                found.append(None)
                continue
            enough = int(np.sort(days[own])[-least])
            flags = (bool(item[own].sum() >= least) for item in (ranged, traded))
            who = f"the {least} longest of its members"
            found.append(Known(enough, who, self.no_benchmark, *flags))
        return tuple(found)

    @cached_property
    def funds(self) -> tuple[Known | None, ...]:
        """None where the fund has no bar on the day."""
        panel = self.panel
        found: list[Known | None] = []
        for sector, number in zip(panel.sectors, panel.funds, strict=True):
            if number is None or np.isnan(panel.bars.close[-1, number]):
                found.append(None)
                continue
            days = int((~np.isnan(panel.bars.close[:, number])).sum())
            flags = (bool(item[number]) for item in (self.has_range, self.has_volume))
            found.append(Known(days, sector.etf, self.no_benchmark, *flags))
        return tuple(found)

    def absent(self, place: int) -> dict[str, str]:
        """Why a sector is not measured by its members, or by its fund."""
        panel, told = self.panel, {}
        total, least = int((panel.places == place).sum()), panel.settings.min_members
        if self.members[place] is None:
            told["equal"] = (
                f"{self.used[place]} of {total} members have a bar on the day, {least} are needed"
            )
        if self.funds[place] is None:
            bar = "no bars" if panel.funds[place] is None else "no bar on the day"
            told["fund"] = f"{panel.sectors[place].etf}: {bar}"
        return told
