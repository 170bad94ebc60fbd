"""Whole sessions on every timeframe do what their backtest did, over closes and holidays."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest

from feeds import history
from feeds.passport import stamp
from live.settings import DataSection, LiveSettings, StrategySection
from tests.live import runs
from tests.live.stage import difference, stage

FAST = {"fast": 2, "slow": 5}
CALENDAR = "XNYS"
WARM_UP = 7
HALF_DAY = ("2024-11-26", "2024-12-02")  # from the Tuesday before Thanksgiving to the Monday after
MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}


@lru_cache
def minutes() -> pd.DataFrame:
    return history("synthetic", ["SPY"], *HALF_DAY, "1m", seed=7)["SPY"]


def bars(timeframe: str) -> pd.DataFrame:
    """The market's minutes put together from each session's open on."""
    market, width = minutes(), MINUTES[timeframe]
    if width == 1:
        return market
    times = market.index.to_series()
    opens = times.groupby(times.dt.date).transform("min")
    starts = opens + (times - opens) // pd.Timedelta(minutes=width) * pd.Timedelta(minutes=width)
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    frame = market.groupby(starts.rename("time")).agg(how)
    return stamp(frame, symbol="SPY", source="paper", timeframe=timeframe, calendar=CALENDAR)


def settings(folder: Path, timeframe: str, warm_up: int, name: str = "sma_cross") -> LiveSettings:
    params = FAST if name == "sma_cross" else {"channel": 5, "exit_channel": 3}
    return LiveSettings(
        folder=str(folder),
        strategies=(StrategySection(name=name, params=params, size=10),),
        data=DataSection(timeframe=timeframe, warmup_bars=warm_up),  # type: ignore[arg-type]
    )


def lived(folder: Path) -> Mapping[str, list[float]]:
    """The bars that a session had, by their ends."""
    turns = [record for record in runs.records(folder) if record["kind"] == "bars"]
    return {turn["at_bar"]: turn["bars"]["SPY"][1:] for turn in turns}


@pytest.mark.parametrize(
    ("timeframe", "past", "until", "fewest"),
    [
        ("1m", 740, "14:50", 20),  # warmed up on the Wednesday's afternoon; then on to the Monday
        ("5m", 600, "16:30", 20),
        ("30m", 390, "21:00", 3),  # from the Wednesday on
        ("1h", 390, "21:00", 2),
    ],
)
def test_a_session_over_a_half_day_does_what_its_backtest_did(
    timeframe: str, past: int, until: str, fewest: int, tmp_path: Path
) -> None:
    market, whole = {"SPY": minutes()}, bars(timeframe)
    given = settings(tmp_path / "out", timeframe, WARM_UP)
    until_at = datetime.fromisoformat(f"{HALF_DAY[1]}T{until}:00Z")
    with stage(market, past) as venue:
        begun_at = venue.venue.at
        report = venue.play(given, {"SPY": whole}, until=until_at)
    assert report.trigger == "finished", report.text
    first = int(whole.index.searchsorted(begun_at))
    found, backtest = difference(given, {"SPY": whole.iloc[first - WARM_UP :]})
    assert found is None, found.text
    assert len(backtest.fills) >= fewest
    assert report.positions.get("SPY", 0.0) == backtest.positions["size"].iloc[-1]
    had = lived(tmp_path / "out")
    assert "2024-11-29T18:00:00+00:00" in had
    assert list(had.values()) == whole.iloc[first : first + len(had)].to_numpy().tolist()
    assert max(had) == until_at.isoformat()


def test_days_over_a_half_day_and_the_end_of_summer_time_are_fetched_and_filled_at_the_open(
    tmp_path: Path,
) -> None:
    frames = history("synthetic", ["SPY"], "2024-10-01", "2024-12-06", "1d", seed=7)
    given = settings(tmp_path / "out", "1d", WARM_UP)
    with stage(frames, WARM_UP) as venue:
        report = venue.play(given, frames)
    found, backtest = difference(given, frames)
    assert found is None, found.text
    assert len(backtest.fills) > 4
    assert report.positions.get("SPY", 0.0) == backtest.positions["size"].iloc[-1]
    records = runs.records(tmp_path / "out")
    turns = {record["at_bar"][:10]: record for record in records if record["kind"] == "bars"}
    closes = {"2024-11-01": "20:00", "2024-11-04": "21:00", "2024-11-29": "18:00"}
    for day, close in closes.items():
        assert turns[day]["at_bar"][11:16] == close
        assert turns[day]["at"] == f"{day}T{close[:3]}01:00Z"
    assert "2024-11-28" not in turns
    for fill in (record for record in records if record["kind"] == "fill"):
        assert fill["price"] == turns[fill["filled_at"][:10]]["bars"]["SPY"][1]


def test_a_bracket_on_five_minutes_is_entered_and_left_where_its_backtest_was(
    tmp_path: Path,
) -> None:
    market, whole = {"SPY": minutes()}, bars("5m")
    given = settings(tmp_path / "out", "5m", WARM_UP, "donchian_bracket")
    with stage(market, 5 * WARM_UP) as venue:
        venue.play(given, {"SPY": whole}, until=minutes().index[389] + pd.Timedelta(minutes=1))
    found, backtest = difference(given, {"SPY": whole})
    assert found is None, found.text
    assert len(backtest.fills) == 4  # two entries, and an exit of each
