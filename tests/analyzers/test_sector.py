"""The report inside a run: the same bytes as from frames, and nothing that the run has not seen."""

from datetime import UTC, datetime
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest

from analyzers.sector import SectorAnalyzer, sector_report
from backtest import run
from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds import history, universe
from feeds.frames import as_feed
from strategies.panel import FIELDS, Bars
from strategies.sector_rotation import SectorRotation
from tests.analyzers.sectors.market_of_six import MAP, frame, frames

AT = datetime(2024, 3, 9, tzinfo=UTC)
MARKET = frames()


class Nothing(bt.Strategy):
    """Trades nothing; stops the run after so many bars."""

    params = (("stops_at", None),)

    def prenext(self):
        self.next()

    def next(self):
        if len(self) == self.p.stops_at:
            self.env.runstop()


def analysed(feeds: Any, stops_at: int | None = None, cerebros: Any = None, **params: Any) -> Any:
    cerebro = bt.Cerebro(stdstats=False)
    for name, feed in feeds.items():
        cerebro.adddata(as_feed(feed) if isinstance(feed, pd.DataFrame) else feed, name=name)
    cerebro.addanalyzer(SectorAnalyzer, **{"sector_map": MAP, "generated_at": AT, **params})
    cerebro.addstrategy(Nothing, stops_at=stops_at)
    return cerebro.run(**(cerebros or {}))[0].analyzers[0]


def expected(market: Any, **options: Any) -> bytes:
    return sector_report(market, **{"generated_at": AT, "sector_map": MAP, **options}).as_bytes()


def until(market: Any, last: pd.Timestamp) -> Any:
    cut = {name: bars.loc[:last] for name, bars in market.items()}
    for name, bars in cut.items():
        bars.attrs = dict(market[name].attrs)
    return cut


@pytest.mark.parametrize("options", [{}, {"preload": False}, {"runonce": False}])
def test_a_run_gives_the_bytes_of_the_function(options):
    assert analysed(MARKET, cerebros=options).get_analysis().as_bytes() == expected(MARKET)


def test_bars_of_an_exchange_with_a_calendar_give_the_same_bytes():
    market = history("synthetic", "SPY,XLE,OIL1,OIL2,OIL3", "2024-01-02", "2025-06-30")
    sectors = {name: "Energy" for name in universe.sectors() if name.startswith("OIL")}
    options = {"sector_map": MAP.of(sectors)}
    found = analysed(market, **options).get_analysis()
    assert found.as_bytes() == expected(market, **options)
    assert found.as_of.isoformat() == "2025-06-30"


def test_minutes_of_an_exchange_give_the_same_bytes():
    market = history("synthetic", "SPY,OIL1,OIL2,OIL3", "2025-06-23", "2025-06-27", "30m")
    assert analysed(market).get_analysis().as_bytes() == expected(market)


def test_a_run_that_was_stopped_has_seen_no_later_bar():
    found = analysed(MARKET, stops_at=350, cerebros={"preload": False}).get_analysis()
    last = MARKET["SPY"].index[349]
    assert found.as_of == last.date()
    assert found.as_bytes() == expected(until(MARKET, last))


def test_feeds_of_backtraders_own_are_measured_too():
    feeds = {
        name: bt.feeds.PandasData(dataname=bars.tz_localize(None)) for name, bars in MARKET.items()
    }
    found = analysed(feeds).get_analysis()
    assert (found.source, found.as_of.isoformat()) == ("frame", "2024-03-08")
    plain = {name: bars.copy() for name, bars in MARKET.items()}
    for bars in plain.values():
        bars.attrs = {}
    assert found.as_bytes() == expected(plain)


def test_a_feed_is_counted_once_however_it_is_resampled():
    cerebro = bt.Cerebro(stdstats=False)
    for name, bars in MARKET.items():
        data = cerebro.adddata(as_feed(bars), name=name)
        cerebro.resampledata(data, name=name, timeframe=bt.TimeFrame.Weeks)
    cerebro.addanalyzer(SectorAnalyzer, sector_map=MAP, generated_at=AT)
    cerebro.addstrategy(Nothing)
    found = cerebro.run()[0].analyzers[0].get_analysis()
    assert found.as_bytes() == expected(MARKET)


def test_a_run_that_keeps_its_last_bars_only_names_what_it_cannot_measure():
    with pytest.raises(DataError, match=r"OIL1: .* run it without exactbars"):
        analysed(MARKET, cerebros={"exactbars": 1}).get_analysis()


def test_a_feed_without_a_bar_is_missing():
    late = frame("OIL3", MARKET["SPY"].index[-3:], 3)
    market = {**MARKET, "OIL3": late}
    found = analysed(market, stops_at=350, cerebros={"preload": False}).get_analysis()
    assert found.missing == {"OIL3": "it has shown no bar"}


def test_there_is_no_report_before_the_run_has_ended():
    class Early(Nothing):
        def next(self):
            self.analyzers[0].get_analysis()

    cerebro = bt.Cerebro(stdstats=False)
    cerebro.adddata(as_feed(MARKET["SPY"]), name="SPY")
    cerebro.addanalyzer(SectorAnalyzer)
    cerebro.addstrategy(Early)
    with pytest.raises(DataError, match="the run has not ended"):
        cerebro.run()


def test_any_backtest_has_it_among_its_analyses():
    params = {"sector_map": MAP, "generated_at": AT}
    result = run("sector_rotation", MARKET, analyzers=[(SectorAnalyzer, params)])
    assert result.analyses["sectoranalyzer"].as_bytes() == expected(MARKET)


def test_the_report_ranks_funds_as_the_rotation_strategy_does():
    funds = ("XLE", "XLU")
    tables = (np.stack([MARKET[name][field] for name in funds], axis=1) for field in FIELDS)
    seen = SectorRotation.features(SectorRotation.Config(trend=0), Bars(*tables))
    sectors = sector_report(MARKET, generated_at=AT, sector_map=MAP).sectors
    ranks = {item.etf: item.fund.rank for item in sectors if item.fund}
    returns = {item.etf: item.fund.returns["126"] for item in sectors if item.fund}
    assert ranks == dict(zip(funds, seen["rank"][-1], strict=True))
    assert returns == dict(zip(funds, seen["momentum"][-1], strict=True))


def test_the_clock_dates_the_report_where_nobody_else_does():
    found = analysed(MARKET, generated_at=None, clock=ManualClock(AT)).get_analysis()
    assert found.generated_at == AT
