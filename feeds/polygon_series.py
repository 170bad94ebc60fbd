"""The bars of one symbol from Polygon: what to ask for, and what to keep of the answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from brokers.errors import DataError
from feeds import calendars, vendor
from feeds.cache import Key
from feeds.passport import stamp
from feeds.polygon_client import PolygonClient
from feeds.ranges import Bound, at_zone, between, in_words
from feeds.timeframe import Timeframe

CALENDAR = "XNYS"
COLUMNS = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
_ZONE = "America/New_York"
_FIRST = pd.Timestamp("2003-09-10", tz=_ZONE)  # its oldest US bar
_HOUR = pd.Timedelta(hours=1)
_SPANS = {
    "1m": (1, "minute"),
    "5m": (5, "minute"),
    "15m": (15, "minute"),
    "30m": (30, "minute"),
    "1h": (1, "hour"),
    "1d": (1, "day"),
    "1w": (1, "week"),
    "1mo": (1, "month"),
}


@dataclass(frozen=True)
class Series:
    """One symbol's bars of one kind.

    Args:
        adjusted: for splits.
        regular_hours: intraday, only what begins in a session; hours count from the open.
    """

    symbol: str
    timeframe: Timeframe
    adjusted: bool
    regular_hours: bool

    @property
    def key(self) -> Key:
        """The name of the series in a cache."""
        feed = "sip-all-hours" if self.timeframe.is_intraday and not self._is_sifted else "sip"
        adjustment = "split" if self.adjusted else "none"
        return Key("polygon", self.symbol, self.timeframe.text, adjustment, feed)

    @property
    def _calendar(self) -> str | None:
        return None if ":" in self.symbol else CALENDAR  # X:BTCUSD and C:EURUSD have no sessions

    @property
    def _is_sifted(self) -> bool:
        return self.timeframe.is_intraday and self.regular_hours and self._calendar is not None

    def fetched(
        self, client: PolygonClient, start: Bound, after: Bound, now: datetime
    ) -> pd.DataFrame:
        """Fetch the stamped bars; not a last one that still moves.

        Raises:
            DataError: there is none, or the answer cannot be read.
        """
        since, before = at_zone(start, _ZONE) or _FIRST, at_zone(after, _ZONE) or pd.Timestamp(now)
        bars = between(self._asked(client, since, before), since, before)
        if self._is_sifted:
            bars = _in_session(bars, hourly=self.timeframe.text == "1h")
        bars = vendor.finished(bars, self.timeframe, self._calendar, now)
        if bars.empty:
            raise self._no_bars(in_words(start, after), since, before)
        return stamp(
            bars,
            symbol=self.symbol,
            source="polygon",
            timeframe=self.timeframe,
            feed=self.key.feed,
            adjustment=self.key.adjustment,
            calendar=self._calendar,
            zone=_ZONE,
            fetched_at=now,
        )

    def _asked(
        self, client: PolygonClient, since: pd.Timestamp, before: pd.Timestamp
    ) -> pd.DataFrame:
        last = before - pd.Timedelta(milliseconds=1)
        text = "30m" if self._is_sifted and self.timeframe.text == "1h" else self.timeframe.text
        bounds = (
            f"{side.timestamp() * 1000:.0f}" if self.timeframe.is_intraday else f"{side:%Y-%m-%d}"
            for side in (since.tz_convert(_ZONE), last.tz_convert(_ZONE))
        )
        return _bars(client.aggregates(self.symbol, _SPANS[text], *bounds, adjusted=self.adjusted))

    def _no_bars(self, when: str, since: pd.Timestamp, before: pd.Timestamp) -> DataError:
        asked = f"polygon: no {self.timeframe} bars of {self.symbol}"
        if self._calendar is None:
            return DataError(f"{asked} {when}: check the ticker and the range")
        last = before - pd.Timedelta(milliseconds=1)
        dates = (side.tz_convert(_ZONE).date() for side in (since, last))
        count = len(calendars.sessions(CALENDAR, *dates))
        if not count:
            return DataError(f"{asked} {when}: there is no session in that range: choose another")
        return DataError(
            f"{asked} {when}, which has {count} session(s): check the ticker (case matters; "
            "BRK.B, not BRK-B), or the plan: the free one reaches back two years and has a day "
            "only after its end"
        )


def _bars(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = table(rows, ["t", *COLUMNS])
    try:
        times = pd.to_datetime(frame["t"], unit="ms", utc=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"polygon: a bar's time cannot be read ({error}): fetch again") from error
    return frame[[*COLUMNS]].rename(columns=COLUMNS).set_index(pd.DatetimeIndex(times))


def table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Polygon's results as a table of `columns`.

    Raises:
        DataError: they are no such results.
    """
    if not all(isinstance(row, dict) for row in rows):
        raise DataError("polygon: the results are no list of bars: its format may have changed")
    return pd.DataFrame(rows, columns=columns)


def _in_session(bars: pd.DataFrame, *, hourly: bool) -> pd.DataFrame:
    """The bars that begin in a regular session, early closes too; half-hours made hours."""
    opened = calendars.current_open(CALENDAR, pd.DatetimeIndex(bars.index))
    bars, since = bars[opened.notna()], opened.dropna()
    if not hourly:
        return bars
    hours = since + np.floor((pd.DatetimeIndex(bars.index) - since) / _HOUR) * _HOUR
    return bars.groupby(hours).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
