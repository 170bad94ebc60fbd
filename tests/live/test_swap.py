"""One strategy file: backtested and warmed up on one vendor's bars, then live on another's."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtest import run
from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from live.settings import DataSection, LiveSettings, StrategySection
from live.warm_up import fetched
from tests.feeds import polygon_server, yahoo_server
from tests.feeds.servers import Loopback
from tests.live import runs
from tests.live.stage import Stage, difference, stage

CROSSING = """
import backtrader as bt


class Crossing(bt.Strategy):
    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=2), bt.ind.SMA(period=5))

    def next(self):
        if self.cross > 0:
            self.buy(size=3, reason="crossed above")
        elif self.cross < 0 and self.position:
            self.close(reason="crossed below")
"""
FILE = "crossing.py"
NAME = f"{FILE}:Crossing"
FIRST = "2024-11-20"  # of the live sessions
SPAN = ("2024-05-01", "2024-12-31")
BEFORE = 60  # bars of warm-up
Options = dict[str, Any]


def days() -> pd.DataFrame:
    """What all three vendors have."""
    return history("synthetic", "SPY", *SPAN, "1d", seed=7)["SPY"]


@contextmanager
def yahoo() -> Iterator[Options]:
    """Yahoo's words for them; its prices are adjusted for splits."""
    rows = [
        (f"{time:%Y-%m-%d}", *prices, prices[3], int(volume))
        for time, *prices, volume in days().tz_convert("America/New_York").itertuples()
    ]
    chart = yahoo_server.Chart(rows)
    clock = ManualClock(pd.Timestamp("2025-02-01", tz="UTC").to_pydatetime())
    with yahoo_server.serving(yahoo_server.YahooServer({"SPY": chart})) as (_, session):
        yield {"session": session, "adjustment": "split", "clock": clock, "rng": random.Random(1)}


@contextmanager
def polygon() -> Iterator[Options]:
    """Polygon's words for them."""
    rows = [
        polygon_server.aggregate(f"{time:%Y-%m-%d}", *values)
        for time, *values in days().tz_convert("America/New_York").itertuples()
    ]
    clock = ManualClock(pd.Timestamp("2025-02-01", tz="UTC").to_pydatetime())
    with Loopback(polygon_server.PolygonServer({"SPY": rows})) as loopback:
        yield {"client": polygon_server.polygon(loopback, clock)}


SOURCES: dict[str, Callable[[], AbstractContextManager[Options]]] = {
    "yahoo": yahoo,
    "polygon": polygon,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / FILE).write_text(CROSSING, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def venue() -> Iterator[Stage]:
    market = days()
    past = int(market.index.searchsorted(pd.Timestamp(FIRST, tz="America/New_York")))
    with stage({"SPY": market}, past) as made:
        yield made


def settings(place: Path, source: str, options: Options, **data: Any) -> LiveSettings:
    return LiveSettings(
        folder=str(place / source),
        strategies=(StrategySection(name=NAME),),
        data=DataSection(
            timeframe="1d",
            warmup_bars=BEFORE,
            warmup_source=source,
            warmup_options=options,
            **{"adjustment": "split", "backtest": str(place / f"{source}-backtest"), **data},
        ),
    )


def backtested(place: Path, source: str, options: Options) -> pd.DataFrame:
    """The strategy file's backtest on a vendor's bars, kept for the session; the bars."""
    bars = history(source, "SPY", *SPAN, "1d", **options)
    run(NAME, bars).save(place / f"{source}-backtest")
    return bars["SPY"]


@pytest.mark.parametrize(("source", "feed"), [("yahoo", "iex"), ("polygon", "sip")])
def test_the_file_does_live_what_its_backtest_did_whoever_the_history_came_from(
    place: Path, venue: Stage, source: str, feed: str
) -> None:
    with SOURCES[source]() as options:
        bars = backtested(place, source, options)
        given, live = settings(place, source, options, feed=feed), {"SPY": days()}
        report = venue.play(given, live, accept_data=source == "yahoo")
    first = int(bars.index.searchsorted(pd.Timestamp(FIRST, tz="America/New_York")))
    found, backtest = difference(given, {"SPY": bars.iloc[first - BEFORE :]})
    assert found is None, found.text
    assert len(backtest.fills) > 4
    assert report.positions.get("SPY", 0.0) == backtest.positions["size"].iloc[-1]
    records = runs.records(place / source)
    assert [passport["source"] for passport in records[0]["passports"]] == [source]
    opens = {f"{time:%Y-%m-%d}": row.open for time, row in bars.iterrows()}
    for fill in (record for record in records if record["kind"] == "fill"):
        assert fill["price"] == opens[fill["filled_at"][:10]]
    assert (place / FILE).read_text(encoding="utf-8") == CROSSING


def test_a_warm_up_unlike_the_live_feed_is_refused(place: Path, venue: Stage) -> None:
    with polygon() as options:
        given = settings(place, "polygon", options, backtest="", adjustment="none")
        with pytest.raises(ConfigError, match="--accept-data") as refused:
            venue.play(given, {"SPY": days()})
    for told in (
        "adjustment: the warm-up has 'split', the live feed 'none'",
        "has 'sip', the live",
    ):
        assert told in str(refused.value)
    assert not (place / "polygon" / "decisions.jsonl").exists()


def test_a_source_without_a_bar_that_has_ended_is_refused() -> None:
    data = DataSection(timeframe="1d", warmup_source="synthetic")
    with pytest.raises(DataError, match="no 1d bar of SPY had ended at 2016-01-04 20:00"):
        fetched(data, datetime(2016, 1, 4, 20, tzinfo=UTC))
