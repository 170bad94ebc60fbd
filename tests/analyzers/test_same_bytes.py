"""One analysis: function, Backtrader analyzer and command give the same bytes of the same bars."""

import backtrader as bt
import pytest
from typer.testing import CliRunner

from analyzers.__main__ import app
from analyzers.outlier import OutlierAnalyzer, OutlierReport, outliers
from analyzers.outliers.asked import SPARE, before, days
from analyzers.outliers.limits import Limits
from analyzers.sector import SectorAnalyzer, SectorMap, SectorReport, sector_report
from analyzers.sector_map import ETFS
from brokers.clock import ManualClock
from feeds import history, universe
from feeds.frames import as_feed

NAMES = ("SPY", "MED1", "MED2", "MED3", "MED4", "MED5", "MED6")
SPAN = ("2024-01-02", "2024-06-28")
DAY = "2024-02-07"
SECTORS = universe.sectors()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*words):
    """Standard output of a command that prints its report."""
    done = CliRunner().invoke(app, [*words, "--symbols", ",".join(NAMES), "--json"])
    assert done.exit_code == 0, done.output
    return done.stdout.encode()


def analyser(feeds, analyzer, **params):
    """The analyzer after a run of Backtrader over those feeds."""
    cerebro = bt.Cerebro(stdstats=False)
    for frames in feeds:
        for symbol, frame in frames.items():
            cerebro.adddata(as_feed(frame), name=symbol)
    cerebro.addstrategy(bt.Strategy)
    cerebro.addanalyzer(analyzer, **params)
    return cerebro.run()[0].analyzers[0]


def test_a_sector_report_is_the_same_bytes_wherever_it_was_made():
    told = command("sector", "--start", SPAN[0], "--end", SPAN[1], "--out", "sectors.json")
    at = SectorReport.model_validate_json(told).generated_at
    bars, sector_map = history("synthetic", (*NAMES, *ETFS), *SPAN), SectorMap.of(SECTORS)
    inside = analyser([bars], SectorAnalyzer, sector_map=sector_map, generated_at=at)
    assert told == sector_report(bars, generated_at=at, sector_map=sector_map).as_bytes()
    assert told == inside.get_analysis().as_bytes()


def test_an_outlier_report_is_the_same_bytes_wherever_it_was_made():
    told = command("outliers", "--date", DAY, "--timeframe", "5m", "--out", "outliers.json")
    at = OutlierReport.model_validate_json(told).generated_at
    asked = days(DAY, None, at)
    first = [f"{before(asked, count)}" for count in (Limits().sessions, 60 + SPARE)]
    bars = history("synthetic", NAMES, first[0], DAY, "5m")
    daily = history("synthetic", NAMES, first[1], DAY, "1d")
    inside = analyser([bars, daily], OutlierAnalyzer, sectors=SECTORS, clock=ManualClock(at))
    report = outliers(bars, daily, asked, generated_at=at, sectors=SECTORS)
    assert report.days[0].hits
    assert told == report.as_bytes()
    assert told == inside.report().as_bytes()
