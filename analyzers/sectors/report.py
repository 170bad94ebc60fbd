"""The sector report: a pure function of frames, a sector map and settings."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from analyzers.columns import Columns, Frames
from analyzers.doubts import doubts
from analyzers.sector_map import SectorMap
from analyzers.sectors.coverage import Coverage
from analyzers.sectors.lines import Drawn, drawn, less, quadrant, returns
from analyzers.sectors.market import market_part
from analyzers.sectors.panel import Panel
from analyzers.sectors.parts import Contributor, Measures, Member, SectorPart, SectorReport
from analyzers.sectors.reasons import Known, reasons
from analyzers.sectors.settings import YEAR, SectorSettings
from analyzers.volatility import yang_zhang
from strategies.arrays import momentum, rank, sma

Floats = npt.NDArray[np.float64]

MONTH = 21
NAMED = 5  # distinct feeds in the header


def sector_report(
    frames: Frames,
    *,
    generated_at: datetime,
    sector_map: SectorMap,
    settings: SectorSettings | None = None,
    missing: Mapping[str, str] | None = None,
) -> SectorReport:
    """Measure the sectors on the benchmark's last day, without one on the last day of all.

    Args:
        frames: bars of a day or less by symbol: members, funds, and the benchmark.
        generated_at: goes into the report.
        missing: symbols that were asked for and have no bars, with the reason.

    Raises:
        DataError: there is no frame, or one that is no bar frame of a day or less.
    """
    used = settings or SectorSettings()
    panel = Panel.of(frames, used, sector_map)
    coverage = Coverage(panel)
    forms = _of_members(panel, coverage), _of_funds(panel, coverage)
    passports = panel.whole.passports.values()
    return SectorReport(
        schema_version=SectorReport.VERSION,
        as_of=panel.last.date(),
        generated_at=generated_at,
        benchmark=used.benchmark,
        source=_listed((item.source for item in passports), "frame"),
        feed=_listed((item.feed for item in passports), "unknown"),
        adjustment=_listed((item.adjustment for item in passports), "unknown"),
        universe=len(panel.whole.symbols) + len(missing or {}),
        missing=dict(sorted({**_ended(panel), **(missing or {})}.items())),
        doubts=doubts(panel.bars),
        sector_map=sector_map.version,
        parameters=asdict(used),
        market=market_part(panel, forms[0].returns, coverage.no_benchmark),
        sectors=tuple(_sector(coverage, *forms, it) for it in range(len(panel.sectors))),
        members=tuple(
            Member(symbol=symbol, sector=placed.sector, rule=placed.rule)
            for symbol, placed in panel.placed.items()
        ),
    )


@dataclass(frozen=True, eq=False)
class Figures:
    """The measures of all sectors in one form: by their members, or by their funds.

    Args:
        returns: by horizon, (S,).
        ranked: returns that rank, on the last row and `rank_back` rows before, (2, S).
        known: of each sector; None where it has none of this form.
    """

    panel: Panel
    lines: Floats
    returns: dict[str, Floats]
    ranked: Floats
    momentum: Floats
    volatility: Floats
    volume: Floats
    known: tuple[Known | None, ...]

    @cached_property
    def _drawn(self) -> Drawn:
        market = self.panel.benchmark
        blank = np.full(len(self.lines), np.nan)
        return drawn(self.lines, blank if market is None else market, self.panel.settings)

    @cached_property
    def _excess(self) -> dict[str, Floats]:
        return less(self.returns, self.panel.market_returns)

    @cached_property
    def _ranks(self) -> Floats:
        return rank(self.ranked)

    def of(self, place: int) -> Measures | None:
        """The measures of one sector; None where it has none of this form."""
        known, line = self.known[place], self._drawn
        if known is None:
            return None
        now, then = self._ranks[:, place]
        told = {
            "returns": {key: float(values[place]) for key, values in self.returns.items()},
            "excess": {key: float(values[place]) for key, values in self._excess.items()},
            "rank": None if np.isnan(now) else int(now),
            "rank_change": None if np.isnan(then - now) else int(then - now),
            "momentum_12_1": float(self.momentum[place]),
            "strength_level": float(line.level[place]),
            "strength_slope": float(line.slope[place]),
            "strength_percentile": float(line.percentile[place]),
            "beta": float(line.beta[place]),
            "residual_return": float(line.residual[place]),
            "volatility": float(self.volatility[place]),
            "drawdown": float(line.drawdown[place]),
            "volume_ratio": float(self.volume[place]),
            "rotation_strength": float(line.rotation[place]),
            "rotation_momentum": float(line.turning[place]),
            "quadrant": quadrant(line.rotation[place], line.turning[place]),
        }
        why = reasons(told, known, self.panel.settings)
        return Measures.model_validate({**told, "reasons": why})


def _of_members(panel: Panel, coverage: Coverage) -> Figures:
    used, close = panel.settings, panel.close
    return Figures(
        panel=panel,
        lines=panel.lines,
        returns={
            key: panel.means(values[None, :])[0]
            for key, values in returns(close, panel.last_year).items()
        },
        ranked=_two(panel.means(momentum(close, used.rank)), used.rank_back),
        momentum=panel.means(momentum(close, YEAR, MONTH))[-1],
        volatility=panel.means(panel.of_members(_volatility(coverage)[None, :]))[0],
        volume=panel.means(panel.of_members(_volume(coverage)[None, :]))[0],
        known=coverage.members,
    )


def _of_funds(panel: Panel, coverage: Coverage) -> Figures:
    used, close = panel.settings, panel.of_funds(panel.bars.close)
    return Figures(
        panel=panel,
        lines=close,
        returns=returns(close, panel.last_year),
        ranked=_two(momentum(close, used.rank), used.rank_back),
        momentum=momentum(close, YEAR, MONTH)[-1],
        volatility=panel.of_funds(_volatility(coverage)[None, :])[0],
        volume=panel.of_funds(_volume(coverage)[None, :])[0],
        known=coverage.funds,
    )


def _two(values: Floats, back: int) -> Floats:
    """The last row and the one `back` before it."""
    before = values[-1 - back] if len(values) > back else np.full(values.shape[1], np.nan)
    return np.stack([values[-1], before])


def _volatility(coverage: Coverage) -> Floats:
    """Of every symbol on the last row; NaN where it has closes only."""
    bars, window = coverage.panel.bars, coverage.panel.settings.volatility
    rows = slice(-window - 1, None)
    found: Floats = yang_zhang(
        bars.open[rows], bars.high[rows], bars.low[rows], bars.close[rows], window, YEAR
    )[-1]
    found[~coverage.has_range] = np.nan
    return found


def _volume(coverage: Coverage) -> Floats:
    """Of every symbol: the last volume over its mean; NaN where nothing was traded."""
    volume, window = coverage.panel.bars.volume, coverage.panel.settings.volume
    mean = sma(volume[-window:], window)[-1]
    found = np.full(len(mean), np.nan)
    np.divide(volume[-1], mean, out=found, where=(mean > 0) & coverage.has_volume)
    return found


def _sector(coverage: Coverage, equal: Figures, funds: Figures, place: int) -> SectorPart:
    panel = coverage.panel
    sector, least, own = panel.sectors[place], panel.settings.min_members, panel.places == place
    measured, fund = equal.of(place), funds.of(place)
    told: dict[str, object] = {"dispersion": np.nan, "correlation": np.nan, "breadth": None}
    best: tuple[Contributor, ...] = ()
    worst, why = best, coverage.absent(place)
    if (known := coverage.members[place]) is not None:
        members = coverage.standing
        breadth = members.breadth(own, least)
        told = {
            "dispersion": members.dispersion(own, least),
            "correlation": members.correlation(own, least, panel.settings.correlation),
        }
        best, worst = members.contributors(own, least)
        named = {**told, **breadth.model_dump(), "best": best or None, "worst": worst or None}
        why |= reasons(named, known, panel.settings)
        told["breadth"] = breadth
    return SectorPart.model_validate(
        {
            "name": sector.name, "etf": sector.etf,
            "members_total": int(own.sum()), "members_used": int(coverage.used[place]),
            "equal": measured, "fund": fund, **told, "best": best, "worst": worst, "reasons": why,
        }
    )  # fmt: skip


def _ended(panel: Panel) -> dict[str, str]:
    """The symbols without a bar on the day of the report."""
    bars: Columns = panel.whole
    gone = np.flatnonzero(np.isnan(panel.bars.close[-1]))
    told = {}
    for column in gone:
        days = bars.index[~np.isnan(bars.close[:, column])]
        past = days[days <= panel.last]
        which, day = ("last", past[-1]) if len(past) else ("first", days[0])
        told[bars.symbols[column]] = f"its {which} bar is of {day:%Y-%m-%d}"
    return told


def _listed(values: Iterable[str], nothing: str) -> str:
    distinct = sorted({value for value in values if value})
    if len(distinct) > NAMED:
        return f"{len(distinct)} different ones"
    return ", ".join(distinct) or nothing
