"""From where on a score is an outlier, and how much history it needs."""

from dataclasses import dataclass, fields

from brokers.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Settings of the screen.

    Args:
        z: of the modified z-scores (Iglewicz and Hoaglin 1993) and of the residual's.
        gap: |open / previous close - 1|, 0.05 is 5 %.
        gap_atr: |open - previous close| in ATRs.
        rvol_active: relative volume that supports a hit without making one.
        rvol: relative volume that makes one ("extreme").
        range_atr: high - low so far in ATRs.
        vwap_atr: |price - VWAP| in ATRs.
        in_a_row: bars of a symbol's own that a score must stay beyond its limit.
        fdr: false discovery rate that a discovery may have (Benjamini and Hochberg 1995).
        sessions: before the screened one, for what depends on the minute of session.
        least_sessions: of these that must have the minute.
        atr_days, residual_days: daily bars.
        least_residual_days: of these that must have a return.
        least_members: symbols of a cross-section.
        halt_bars: bars missing in a row that look like a halt.
        few_prints_frac: share of the session's bars so far under which prints are few.
    """

    z: float = 3.5
    gap: float = 0.05
    gap_atr: float = 1.5
    rvol_active: float = 2.0
    rvol: float = 5.0
    range_atr: float = 2.0
    vwap_atr: float = 1.0
    in_a_row: int = 2
    fdr: float = 0.05
    sessions: int = 20
    least_sessions: int = 10
    atr_days: int = 14
    residual_days: int = 60
    least_residual_days: int = 40
    least_members: int = 5
    halt_bars: int = 5
    few_prints_frac: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ConfigError(f"outliers: {field.name} must be positive")
        if self.least_sessions > self.sessions or self.least_residual_days > self.residual_days:
            raise ConfigError("outliers: a window is shorter than the least that it must hold")
        if self.least_residual_days < 5:
            raise ConfigError("outliers: least_residual_days must be at least 5")
        if self.rvol_active > self.rvol or self.fdr >= 1:
            raise ConfigError("outliers: rvol_active is at most rvol, and fdr below 1")
