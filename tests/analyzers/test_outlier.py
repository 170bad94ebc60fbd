"""The analyzer gives the report of the function, bar for bar of a run's feeds."""

from collections.abc import Mapping
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from analyzers.outlier import OutlierAnalyzer, OutlierReport, outliers
from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds.frames import as_feed
from feeds.passport import stamp
from tests.analyzers.outliers.stage import DAY, NOW, SECTORS, Stage

FEW = ("AAA", "BBB", "SPY")


def run(minutes: Mapping[str, pd.DataFrame], daily: Mapping[str, pd.DataFrame], **options: Any):
    """A run of Backtrader over those feeds, with the analyzer."""
    engine = bt.Cerebro(stdstats=False)
    for timeframe, frames in (("1m", minutes), ("1d", daily)):
        for symbol, frame in frames.items():
            stamped = stamp(
                frame, symbol=symbol, source="files", timeframe=timeframe, calendar="XNYS"
            )
            engine.adddata(as_feed(stamped), name=symbol)
    engine.addstrategy(bt.Strategy)
    options = {"sectors": SECTORS, "clock": ManualClock(NOW), **options}
    engine.addanalyzer(OutlierAnalyzer, _name="outliers", **options)
    return engine.run()[0].analyzers.outliers


@pytest.fixture(scope="module")
def stage() -> Stage:
    made = Stage(FEW)
    made.set("AAA", slice(2, 10), "close", 130.0)
    for symbol in FEW:
        made.stamped(symbol, calendar="XNYS")
        made.daily[symbol] = stamp(
            made.daily[symbol], symbol=symbol, source="files", timeframe="1d", calendar="XNYS"
        )
    return made


def test_a_run_gives_the_bytes_of_the_function(stage: Stage) -> None:
    analyzer = run(stage.bars, stage.daily)
    assert analyzer.report().as_bytes() == stage.report().as_bytes()
    assert len(stage.report().days[0].hits) > 0


def test_plain_values_are_the_report(stage: Stage) -> None:
    found = run(stage.bars, stage.daily).get_analysis()
    assert OutlierReport.model_validate(found) == stage.report()


def test_several_sessions_are_screened_on_request(stage: Stage) -> None:
    days = run(stage.bars, {}, sessions=3).report().days
    assert [f"{day.date}" for day in days] == ["2024-02-05", "2024-02-06", "2024-02-07"]


def test_without_daily_feeds_the_minutes_say_what_was_usual(stage: Stage) -> None:
    day = run(stage.bars, {}).report().days[0]
    assert {null.signal for null in day.nulls} == {"residual_z", "universe_z", "sector_z"}
    assert all(hit.scores["gap"].value is not None for hit in day.hits)


def test_days_alone_cannot_be_screened(stage: Stage) -> None:
    with pytest.raises(DataError, match="no feed of this run has intraday bars"):
        run({}, stage.daily).report()


def test_the_door_screens_as_the_stage_does(stage: Stage) -> None:
    direct = outliers(stage.bars, stage.daily, [DAY], generated_at=NOW, sectors=SECTORS)
    assert direct == stage.report()


def test_feeds_without_a_passport_are_screened_too(stage: Stage) -> None:
    engine = bt.Cerebro(stdstats=False)
    for symbol, frame in stage.bars.items():
        ends = frame.set_axis(frame.index.tz_localize(None) + pd.Timedelta(minutes=1))
        minutes = {"timeframe": bt.TimeFrame.Minutes, "compression": 1}
        engine.adddata(bt.feeds.PandasData(dataname=ends, **minutes), name=symbol)
    engine.addstrategy(bt.Strategy)
    engine.addanalyzer(OutlierAnalyzer, _name="outliers", clock=ManualClock(NOW))
    found = engine.run()[0].analyzers.outliers.report()
    assert found.source == "frame"
    assert {hit.symbol for hit in found.days[0].hits} == {"AAA"}
