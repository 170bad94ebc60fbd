"""What is out of line with its own past, its sector and the market, and how much that means.

`outliers` screens whole sessions, `OutlierStream` one that runs, `OutlierAnalyzer` the feeds of a
run of Backtrader: all three give the same report of the same bars.
"""

from datetime import date
from typing import Any

import backtrader as bt
import pandas as pd

from analyzers.outliers.batch import outliers
from analyzers.outliers.limits import Limits
from analyzers.outliers.report import OutlierReport
from analyzers.outliers.run_bars import RunBars
from analyzers.outliers.sessions import days_of
from analyzers.outliers.stream import OutlierStream
from brokers.clock import SystemClock
from brokers.errors import DataError
from feeds import calendars
from feeds.actions import Action

__all__ = ["Action", "Limits", "OutlierAnalyzer", "OutlierReport", "OutlierStream", "outliers"]


class OutlierAnalyzer(bt.Analyzer):
    """Screens the last sessions of a run over its feeds, up to the bar that it has come to.

    Feeds of minutes are screened; feeds of days say what was usual, and where a symbol has none
    its minutes do.
    """

    params = (
        ("sessions", 1),  # how many of the last
        ("sectors", None),  # symbol -> sector
        ("benchmark", "SPY"),
        ("actions", ()),
        ("calendar", "XNYS"),
        ("limits", None),
        ("clock", None),  # says when the report was made
    )

    def start(self) -> None:
        """Begin anew."""
        feeds = [RunBars(data) for data in self.datas]
        self._feeds = [feed for feed in feeds if feed.is_intraday or feed.is_daily]

    def prenext(self) -> None:
        """Bars before the strategy's first call count too."""
        self.next()

    def next(self) -> None:
        """Take down what is new."""
        for feed in self._feeds:
            feed.note()

    def report(self) -> OutlierReport:
        """The screen of the bars so far.

        Raises:
            DataError: no feed has bars of minutes within a session.
        """
        held = [(feed, feed.frame(self.p.calendar)) for feed in self._feeds]
        bars = {f.symbol: frame for f, frame in held if f.is_intraday and len(frame)}
        if not bars:
            raise DataError("outliers: no feed of this run has intraday bars in a session")
        daily = days_of(bars, self.p.calendar)
        daily |= {f.symbol: frame for f, frame in held if f.is_daily and len(frame)}
        clock = self.p.clock or SystemClock()
        return outliers(
            bars,
            daily,
            self._days(bars),
            generated_at=clock.now(),
            sectors=self.p.sectors,
            benchmark=self.p.benchmark,
            actions=self.p.actions,
            calendar=self.p.calendar,
            limits=self.p.limits,
        )

    def get_analysis(self) -> dict[str, Any]:
        """The report as plain values, as Backtrader's analyzers answer."""
        return self.report().model_dump(mode="json")

    def _days(self, bars: dict[str, pd.DataFrame]) -> list[date]:
        last = max(frame.index[-1] for frame in bars.values())
        first = min(frame.index[0] for frame in bars.values())
        known = calendars.sessions(self.p.calendar, first.date(), last.date())
        return [day.date() for day in known[-self.p.sessions :]]
