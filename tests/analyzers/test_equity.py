import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.equity import EquityCurve, instants
from feeds.frames import as_feed
from feeds.passport import stamp
from tests.analyzers.small_runs import Scripted, bars, play


def test_each_bar_has_its_value_at_its_end():
    run = play({1: lambda s: s.buy(size=10)}, bars([10, 12, 11]))
    series = run.analyzers.equity.series()
    assert series.tolist() == [1000.0, 1020.0, 1010.0]  # filled at the second open, 10
    assert series.index[0] == pd.Timestamp("2024-01-02", tz="UTC")
    assert (series.name, series.index.name, str(series.dtype)) == ("equity", "time", "float64")


def test_cash_is_taken_down_beside_the_value():
    run = play({1: lambda s: s.buy(size=10)}, bars([10, 12, 11]))
    assert run.analyzers.equity.cash().tolist() == [1000.0, 900.0, 900.0]


def test_bars_before_the_minimum_period_count():
    class Slow(Scripted):
        def __init__(self):
            bt.ind.SMA(period=3)

        def prenext(self):
            pass

    series = play({}, bars([10, 11, 12, 13]), strategy=Slow).analyzers.equity.series()
    assert len(series) == 4


def test_last_value_is_the_brokers_own():
    run = play({1: lambda s: s.buy(size=7)}, bars([10, 12.3, 11.7]), commission=0.001)
    assert run.analyzers.equity.get_analysis()["equity"].iloc[-1] == run.broker.getvalue()


def test_two_feeds_of_one_time_make_one_row():
    frames = bars([10, 11, 12], "A"), bars([20, 21], "B", start="2024-01-02")
    series = play({}, *frames).analyzers.equity.series()
    assert series.index.is_unique
    assert len(series) == 3


def test_of_two_steps_at_one_time_the_last_counts():
    curve = play({}, bars([10, 11])).analyzers.equity
    curve._at.append(curve._at[-1])
    curve._value.append(7.0)
    assert curve.series().tolist() == [1000.0, 7.0]


def test_a_run_without_bars_has_an_empty_series():
    cerebro = bt.Cerebro(stdstats=False)
    feed = as_feed(bars([10, 11]))
    feed.p.fromdate = pd.Timestamp("2025-01-01").to_pydatetime()
    cerebro.adddata(feed)
    cerebro.addanalyzer(EquityCurve, _name="equity")
    cerebro.addstrategy(Scripted)
    series = cerebro.run()[0].analyzers.equity.series()
    assert (len(series), str(series.dtype), str(series.index.tz)) == (0, "float64", "UTC")


def test_minutes_are_exact():
    index = pd.date_range("2024-01-02 14:30", periods=400, freq="min", tz="UTC", name="time")
    columns = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame(dict.fromkeys(columns, 10.0), index=index)
    frame = stamp(frame, symbol="A", source="files", timeframe="1m")
    series = play({}, frame).analyzers.equity.series()
    assert (series.index == index + pd.Timedelta(minutes=1)).all()


def test_stock_end_of_session_stays_on_its_day():
    number = bt.date2num(pd.Timestamp("2006-01-02 23:59:59.999990").to_pydatetime())
    assert instants([number])[0] == pd.Timestamp("2006-01-02 23:59:59.999990", tz="UTC")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4_102_444_800))
def test_every_second_of_the_century_comes_back(second):
    moment = pd.Timestamp(second, unit="s")
    found = instants([bt.date2num(moment.to_pydatetime())])
    assert found[0] == moment.tz_localize("UTC")


@pytest.mark.parametrize("number", [0.0, np.nan])
def test_no_number_is_no_time(number):
    assert instants([number])[0] is pd.NaT
