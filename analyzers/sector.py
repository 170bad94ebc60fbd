"""The sector report of ground truth, from frames and inside a run.

The function, the command `python -m analyzers sector` and the analyzer give the same bytes for the
same bars, the same map and the same `generated_at`.
"""

from datetime import datetime
from typing import Any

import backtrader as bt

from analyzers.sector_map import SectorMap
from analyzers.sectors.parts import SectorReport
from analyzers.sectors.report import sector_report
from analyzers.sectors.settings import SectorSettings
from analyzers.seen import seen
from brokers.clock import Clock, SystemClock
from brokers.errors import DataError

__all__ = ["SectorAnalyzer", "SectorMap", "SectorReport", "SectorSettings", "sector_report"]


class SectorAnalyzer(bt.Analyzer):
    """The report of the bars that a run has shown, measured once, when it stops.

    A feed that has shown nothing is among the report's `missing`; without any other there is no
    report.
    """

    params: Any = (
        ("sector_map", None),  # a SectorMap; None knows no symbol
        ("settings", None),  # SectorSettings
        ("generated_at", None),  # aware; None asks the clock
        ("clock", None),
    )

    def start(self) -> None:
        """Forget an earlier run."""
        self._report: SectorReport | None = None
        self._fault = "the run has not ended"

    def stop(self) -> None:
        """Measure."""
        frames, missing = seen(self.strategy)
        if not frames:
            name, reason = next(iter(missing.items()))
            self._fault = f"{name}: {reason}"
            return
        clock: Clock = self.p.clock or SystemClock()
        at: datetime = self.p.generated_at or clock.now()
        self._report = sector_report(
            frames,
            generated_at=at,
            sector_map=self.p.sector_map or SectorMap(),
            settings=self.p.settings,
            missing=missing,
        )

    def get_analysis(self) -> SectorReport:
        """The report.

        Raises:
            DataError: no feed has shown a bar, or none of its bars are left.
        """
        if self._report is None:
            raise DataError(f"sector report: nothing to measure: {self._fault}")
        return self._report
