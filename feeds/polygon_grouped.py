"""Days of the whole US stock market from Polygon: one call a session, each kept in a file.

Kept are prices as they were traded, which no later split changes, so that a session is asked for
once; splits are asked for each time and applied to what is read. Whoever is stopped in between goes
on where that was.
"""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from brokers.clock import Clock, SystemClock
from brokers.errors import ConfigError, DataError
from feeds import calendars, parquet
from feeds.bars import COLUMNS
from feeds.cache import DEFAULT_FOLDER
from feeds.passport import stamp
from feeds.polygon import Polygon
from feeds.polygon_series import CALENDAR
from feeds.ranges import Bound, at_zone, in_words, midnights
from feeds.timeframe import Timeframe

ZONE = "America/New_York"
Report = Callable[[int, int, float], None]  # (sessions done, sessions in all, seconds left)

_log = logging.getLogger(__name__)


def history(  # noqa: PLR0913  options are parameters by name
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
    timeframe: Timeframe,
    *,
    client: Polygon | None = None,
    api_key: str | None = None,
    base: str | None = None,
    calls_per_minute: int = 5,
    adjusted: bool = True,
    partial: bool = False,
    cache: Path | str = DEFAULT_FOLDER,
    report: Report | None = None,
    clock: Clock | None = None,
) -> dict[str, pd.DataFrame]:
    """Fetch checked daily bars by symbol, from `start` up to but not including `end`.

    Args:
        symbols: without any, every ticker that traded.
        client: one `Polygon` for several calls; `api_key` and `base` are then its own.
        calls_per_minute: of the plan; tells the time left.
        adjusted: for splits; never for dividends.
        partial: leave out a symbol without bars, instead of refusing.
        cache: folder of the sessions that were fetched.
        report: is called before each session that has to be fetched, and after the last.

    Raises:
        ConfigError: no start, another timeframe than days, no key, or one that was refused.
        DataError: no session in the range, a symbol without bars, not in the plan, no network, or
            the back-off gave up.
    """
    if timeframe.text != "1d":
        raise ConfigError(f"polygon_grouped has days, not {timeframe}: ask polygon for those")
    clock = clock or SystemClock()
    days = _sessions(symbols, start, end, pd.Timestamp(clock.now()))
    client = client or Polygon(api_key, base=base, calls_per_minute=calls_per_minute, clock=clock)
    shelf = _Shelf(Path(cache) / "polygon" / "grouped" / "none", client)
    shelf.fill(days, report or _silent, 60.0 / calls_per_minute)
    whole = _joined(shelf.days(days), symbols)
    if adjusted and len(whole):
        _adjust(whole, client.splits(days[0].date(), _today(clock)))
    found = {
        str(symbol): _stamped(str(symbol), part, clock, adjusted=adjusted)
        for symbol, part in whole.groupby("symbol", sort=True)
    }
    absent = [symbol for symbol in symbols if symbol not in found]
    if (absent and not partial) or not found:
        names = ", ".join(absent[:5]) or "any ticker"
        raise DataError(
            f"polygon: no bars of {names} {in_words(start, end)}, which has {len(days)} sessions: "
            "check the ticker (case matters; BRK.B, not BRK-B)"
        )
    return {symbol: found[symbol] for symbol in symbols or found if symbol in found}


@dataclass(frozen=True)
class _Shelf:
    """The folder with a file a session."""

    folder: Path
    client: Polygon

    def fill(self, days: pd.DatetimeIndex, report: Report, slot_s: float) -> None:
        """Fetch the sessions that are not there."""
        lacking = [day.date() for day in days if not self._path(day.date()).exists()]
        for number, day in enumerate(lacking):
            report(len(days) - len(lacking) + number, len(days), (len(lacking) - number) * slot_s)
            self._fetch(day)
        report(len(days), len(days), 0.0)

    def days(self, days: pd.DatetimeIndex) -> Iterator[tuple[pd.Timestamp, pa.Table]]:
        """Read the sessions; one that is damaged is set aside and fetched anew."""
        for day in days:
            path = self._path(day.date())
            try:
                held = _read(path)
            except (pa.ArrowException, OSError, ValueError):
                kept = parquet.set_aside(path)
                _log.warning("%s was damaged: set aside as %s, fetched anew", path, kept.name)
                self._fetch(day.date())
                held = _read(path)
            yield day, held

    def _path(self, day: date) -> Path:
        return self.folder / f"{day}.parquet"

    def _fetch(self, day: date) -> None:
        with parquet.locked(self.folder / "sessions"):
            if self._path(day).exists():
                return  # another process was quicker
            market = self.client.grouped_daily(day, adjusted=False)
            table = pa.Table.from_pandas(market[[*COLUMNS]].reset_index(), preserve_index=False)
            sink = io.BytesIO()
            pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
            parquet.put(self._path(day), sink.getvalue())


def _read(path: Path) -> pa.Table:
    return pq.read_table(
        path, columns=["symbol", *COLUMNS], page_checksum_verification=True, partitioning=None
    )


def _sessions(
    symbols: Sequence[str], start: Bound, end: Bound, now: pd.Timestamp
) -> pd.DatetimeIndex:
    """The sessions of the range that are over, as naive dates."""
    first, after = at_zone(start, ZONE), at_zone(end, ZONE)
    if first is None:
        raise ConfigError("polygon_grouped needs a start, such as 2024-01-02: a session is a call")
    last = now if after is None else min(after, now)
    dates = calendars.sessions(
        CALENDAR, first.tz_convert(ZONE).date(), last.tz_convert(ZONE).date()
    )
    begun = midnights(dates, ZONE)
    held = dates[(begun >= first) & (begun < last)]
    days = held[calendars.session_close(CALENDAR, held) <= now] if len(held) else held
    if days.empty:
        raise DataError(
            f"{', '.join(symbols) or 'polygon_grouped'}: no session is over "
            f"{in_words(start, end)}: choose another range"
        )
    return days


def _joined(days: Iterator[tuple[pd.Timestamp, pa.Table]], symbols: Sequence[str]) -> pd.DataFrame:
    """The rows of all days, by day and symbol."""
    wanted = pa.array(symbols, pa.string())
    parts = []
    for day, held in days:
        names = held.column("symbol").cast(pa.string())
        part = held.filter(pc.is_in(names, wanted)) if len(wanted) else held
        rows: pd.DataFrame = part.to_pandas()
        parts.append(rows.assign(day=day))
    return pd.concat(parts, ignore_index=True)


def _adjust(whole: pd.DataFrame, splits: pd.DataFrame) -> None:
    """Put prices and volumes before each split into the shares after it."""
    rows, days = whole.groupby("symbol").indices, whole["day"].to_numpy()
    factor = np.ones(len(whole))
    for symbol, day, ratio in splits[["symbol", "day", "ratio"]].itertuples(index=False):
        if symbol not in rows:
            continue
        if not 0 < ratio < np.inf:
            raise DataError(f"polygon: the split of {symbol} has no ratio: try again later")
        own = rows[symbol]
        factor[own[days[own] < day.to_datetime64()]] *= ratio
    whole[list(COLUMNS[:4])] = whole[list(COLUMNS[:4])].div(factor, axis=0)
    whole["volume"] *= factor


def _stamped(symbol: str, part: pd.DataFrame, clock: Clock, *, adjusted: bool) -> pd.DataFrame:
    bars = part[[*COLUMNS]].set_index(midnights(pd.DatetimeIndex(part["day"]), ZONE))
    return stamp(
        bars,
        symbol=symbol,
        source="polygon_grouped",
        timeframe="1d",
        feed="sip-grouped",
        adjustment="split" if adjusted else "none",
        calendar=CALENDAR,
        zone=ZONE,
        fetched_at=clock.now(),
    )


def _today(clock: Clock) -> date:
    return pd.Timestamp(clock.now()).tz_convert(ZONE).date()


def _silent(_done: int, _total: int, _left_s: float) -> None:
    """Say nothing."""
