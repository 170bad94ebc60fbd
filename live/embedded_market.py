"""The market that our own venue trades: synthetic bars, under whatever symbols one asks for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from brokers.errors import ConfigError
from feeds.passport import KEY
from feeds.sources import history
from feeds.timeframe import Timeframe
from feeds.universe import names
from live.settings import DataSection, PaperSection

NEW_YORK = ZoneInfo("America/New_York")
OPENS = time(9, 30)
INTO_THE_SESSION = timedelta(minutes=30)  # it is found in the middle of a morning
SESSIONS = 60
MINUTE, ONE_MINUTE = Timeframe("1m"), timedelta(minutes=1)
_MINUTES_A_DAY = 390


def market(data: DataSection, paper: PaperSection) -> tuple[dict[str, pd.DataFrame], int]:
    """The bars by symbol, and how many steps of them lie before the market's first live one.

    A symbol that the synthetic market does not have gets the bars of one that it has.

    Raises:
        ConfigError: the market's years do not reach that far.
    """
    asked = Timeframe(data.timeframe)
    timeframe = MINUTE if asked.is_intraday else asked  # Alpaca streams no longer ones
    first = _day(paper.start)
    before = data.warmup_bars // _bars_a_day(asked) + 1
    start = first - timedelta(days=before * 7 // 5 + 5)
    end = first + timedelta(days=SESSIONS * (1 if timeframe.is_intraday else 7))
    frames = _frames(data.symbols, start, end, timeframe, paper.seed)
    opening = datetime.combine(first, OPENS, NEW_YORK).astimezone(UTC)
    live_from = pd.Timestamp(opening + (INTO_THE_SESSION if timeframe.is_intraday else timedelta()))
    starts = pd.DatetimeIndex(next(iter(frames.values())).index)
    warm_up = int(starts.searchsorted(live_from))
    if not 0 < warm_up < len(starts):
        raise ConfigError(
            f"paper.start {paper.start}: the synthetic market has no bars before it or after it"
        )
    return frames, warm_up


def _frames(
    symbols: Sequence[str], start: date, end: date, timeframe: Timeframe, seed: int
) -> dict[str, pd.DataFrame]:
    known = names()
    free = [name for name in known if name not in symbols]
    played_by = {
        symbol: symbol if symbol in known else free[number % len(free)]
        for number, symbol in enumerate(symbols, 1)
    }
    found = history(
        "synthetic", tuple(set(played_by.values())), start, end, timeframe.text, seed=seed
    )
    frames = {}
    for symbol, player in played_by.items():
        frame = found[player].copy(deep=False)
        frame.attrs[KEY] = replace(found[player].attrs[KEY], symbol=symbol)
        frames[symbol] = frame
    return frames


def _bars_a_day(timeframe: Timeframe) -> int:
    span = timeframe.delta
    return max(_MINUTES_A_DAY * ONE_MINUTE // span, 1) if span else 1


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"paper.start {text!r} is no date: write 2025-06-02") from None
