"""The screen of a session that runs: bars in, hits out, one minute after the other."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzers.outliers.baseline import Baseline, Context
from analyzers.outliers.batch import Frames, report_of
from analyzers.outliers.limits import Limits
from analyzers.outliers.report import Hit, OutlierReport
from analyzers.outliers.screening import Screen
from analyzers.outliers.sessions import Sessions
from analyzers.outliers.tape import Tape
from brokers.errors import DataError
from brokers.wire.transport import VenueBar
from feeds.actions import Action

Floats = npt.NDArray[np.float64]


class OutlierStream:
    """One session as its bars come in; its report is that of `outliers` over the same bars.

    Args:
        bars: intraday bars by symbol of the 20 sessions before; every symbol that may come.
        daily, sectors, benchmark, actions, calendar, limits, missing: as `outliers` takes them.
        day: the session.
        feed: of the bars to come, such as iex; volumes of another feed are not compared with
            them. None: that of `bars`.

    Raises:
        DataError: as `outliers` does.
    """

    def __init__(  # noqa: PLR0913  options are parameters by name
        self,
        bars: Frames,
        daily: Frames,
        day: date,
        *,
        sectors: Mapping[str, str] | None = None,
        benchmark: str = "SPY",
        actions: Sequence[Action] = (),
        calendar: str = "XNYS",
        limits: Limits | None = None,
        feed: str | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        limits = limits or Limits()
        self._sessions = Sessions.of(bars, calendar, [day], limits.sessions)
        self._context = Context.of(daily, sectors, benchmark, actions, limits)
        known = Baseline.of(self._sessions, len(self._sessions.dates) - 1, self._context)
        self._known = known if feed is None else known.against(feed)
        self._columns = {symbol: number for number, symbol in enumerate(known.symbols)}
        self._tape = Tape.blank(len(known.symbols))
        self._screen = Screen(self._known)
        self._missing = dict(missing or {})

    def add(self, start_at: datetime, bars: Iterable[VenueBar]) -> tuple[Hit, ...]:
        """Screen the bars that start at one time, all of them together.

        Bars outside the session do not count.

        Raises:
            DataError: times that do not increase, or a symbol without history.
        """
        since = pd.Timestamp(start_at) - self._known.opens_at
        slot = since // pd.Timedelta(minutes=self._known.step)
        if not 0 <= slot < self._known.length:
            return ()
        if slot <= int(self._tape.slots[0]):
            raise DataError(
                f"outliers: bars of {start_at} after later ones: add all bars of a time together, "
                "in order of time"
            )
        self._tape = self._tape.then(int(slot), self._table(bars))
        return self._screen.add(self._tape)

    def report(self, generated_at: datetime) -> OutlierReport:
        """The report of the session so far; `generated_at` is aware."""
        day = self._screen.day(self._missing)
        return report_of([day], self._sessions, self._context, generated_at, self._missing)

    def _table(self, bars: Iterable[VenueBar]) -> Floats:
        table = np.full((5, len(self._columns)), np.nan)
        for bar in bars:
            column = self._columns.get(bar.symbol)
            if column is None:
                raise DataError(
                    f"{bar.symbol}: it has no bars of earlier sessions: give them when the "
                    "stream is made"
                )
            table[:, column] = bar.open, bar.high, bar.low, bar.close, bar.volume
        return table
