"""The embedded market: seeded bars of SPY, eleven sector funds and sixty invented names.

It trades from 2016-01-04 to 2025-12-31 in the sessions of XNYS, without dividends or splits. A
seed gives the same bars on every day and platform, whatever else is asked for beside them, and
its days are exactly the sum of its minutes.
"""

import difflib
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from brokers.errors import ConfigError, DataError
from feeds.bars import COLUMNS
from feeds.bridge import Whole
from feeds.market import CALENDAR, ZONE, Market, market, merged
from feeds.passport import stamp
from feeds.ranges import Bound, at_zone, in_words, within
from feeds.timeframe import Timeframe
from feeds.universe import MARKET, names

YEARS, INTRADAY_SESSIONS = 5, 20  # what comes when no start is given

_MINUTE = timedelta(minutes=1)

_Span = tuple[Bound, Bound]  # from the first up to but not with the second


def history(
    symbols: Sequence[str],
    start: Bound,
    end: Bound,
    timeframe: Timeframe,
    *,
    seed: int = 7,
) -> dict[str, pd.DataFrame]:
    """Simulated bars by symbol.

    Args:
        symbols: of `feeds.universe.names()`; without any, SPY.
        start: None gives five years, of intraday bars twenty sessions.
        end: exclusive; None is the end of the market.
        timeframe: bars of 5 minutes to an hour count from the open and end with the session;
            weeks and months start on the date of their first session.
        seed: from 0 on; another seed is another market.

    Raises:
        ConfigError: the seed is no whole number from 0 on.
        DataError: an unknown symbol, or no bars in the range.
    """
    _check(symbols, seed)
    simulated = market(seed)
    cut = _intraday if timeframe.is_intraday else _daily
    return {
        symbol: stamp(
            cut(simulated, symbol, (start, end), timeframe),
            symbol=symbol,
            source="synthetic",
            timeframe=timeframe,
            feed=f"seed {seed}",
            adjustment="none",
            calendar=CALENDAR,
            zone=ZONE,
            synthetic=True,
        )
        for symbol in symbols or (MARKET,)
    }


def _check(symbols: Sequence[str], seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed is {seed!r}: give a whole number from 0 on, such as 7")
    for symbol in symbols:
        if symbol not in names():
            near = difflib.get_close_matches(symbol.upper(), names(), n=3, cutoff=0.4)
            hint = " or ".join(near) or f"{MARKET}, or one of feeds.universe.names()"
            raise DataError(f"the synthetic market has no symbol {symbol!r}: try {hint}")


def _daily(simulated: Market, symbol: str, span: _Span, timeframe: Timeframe) -> pd.DataFrame:
    """Days, weeks or months; a bar starts at midnight in New York."""
    start, end = span
    index, values = simulated.midnights, simulated.days[symbol]
    if timeframe.text != "1d":
        periods = simulated.dates.to_period({"1w": "W", "1mo": "M"}[timeframe.text]).asi8
        firsts = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
        index, values = index[firsts], merged(values, firsts)
    if start is None:
        after = at_zone(end, ZONE) or simulated.closes[-1]
        start = after.tz_convert(ZONE) - pd.DateOffset(years=YEARS)
    return within(_frame(index, values), start, end, symbol, ZONE)


def _intraday(simulated: Market, symbol: str, span: _Span, timeframe: Timeframe) -> pd.DataFrame:
    """Minutes, or bars of several minutes, of every session that the range touches."""
    starts, values = [], []
    for session in _sessions(simulated, symbol, span):
        firsts = np.arange(0, simulated.lengths[session], (timeframe.delta or _MINUTE) // _MINUTE)
        starts.append(simulated.opens[session] + pd.to_timedelta(firsts, unit="min"))
        values.append(merged(simulated.minutes(symbol, session), firsts))
    index = pd.DatetimeIndex(starts[0].append(starts[1:]))
    return within(_frame(index, np.concatenate(values, axis=1)), *span, symbol, ZONE)


def _sessions(simulated: Market, symbol: str, span: _Span) -> range:
    start, end = (at_zone(bound, ZONE) for bound in span)
    opens, closes = simulated.opens, simulated.closes
    after = len(opens) if end is None else int(opens.searchsorted(end))
    if start is None:
        first = max(0, after - INTRADAY_SESSIONS)
    else:
        first = int(closes.searchsorted(start, side="right"))
    if first >= after:
        raise DataError(
            f"{symbol}: no session {in_words(*span)}: the market trades "
            f"from {opens[0]:%Y-%m-%d} to {closes[-1]:%Y-%m-%d}"
        )
    return range(first, after)


def _frame(index: pd.DatetimeIndex, values: Whole) -> pd.DataFrame:
    """Cents as dollars: a quotient by 100 is the float nearest to the price."""
    bars = pd.DataFrame(dict(zip(COLUMNS, values.astype(float), strict=True)), index=index)
    bars[list(COLUMNS[:4])] /= 100.0
    return bars.rename_axis("time")
