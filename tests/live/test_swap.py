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
from backtest.spec import RunSpec
from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from live.commands import Wishes, trade
from live.settings import DataSection, LiveSettings, PaperSection, StrategySection
from live.warm_up import fetched
from tests.feeds import polygon_server, yahoo_server
from tests.feeds.servers import Loopback
from tests.live import whole

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
SPAN = ("2024-05-01", "2025-01-31")
Options = dict[str, Any]


def days() -> pd.DataFrame:
    """What all three vendors have: the embedded market's days."""
    return history("synthetic", "SPY", *SPAN, "1d", seed=PaperSection().seed)["SPY"]


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
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def settings(place: Path, source: str, options: Options, **data: Any) -> LiveSettings:
    return LiveSettings(
        folder=str(place / source),
        strategies=(StrategySection(name=NAME),),
        data=DataSection(
            timeframe="1d",
            warmup_bars=60,
            warmup_source=source,
            warmup_options=options,
            **{"adjustment": "split", "backtest": str(place / f"{source}-backtest"), **data},
        ),
        paper=PaperSection(start=FIRST, speed="500000x"),
    )


def backtested(place: Path, source: str, options: Options) -> pd.DataFrame:
    """The strategy file's backtest on a vendor's bars; its fills."""
    bars = history(source, "SPY", SPAN[0], "2024-12-31", "1d", **options)
    result = run(NAME, bars)
    result.save(place / f"{source}-backtest")
    return result.fills


@pytest.mark.parametrize(("source", "feed"), [("yahoo", "iex"), ("polygon", "sip")])
def test_the_file_decides_live_as_in_its_backtest_whoever_the_history_came_from(
    place: Path, source: str, feed: str
) -> None:
    with SOURCES[source]() as options:
        in_backtest = backtested(place, source, options)
        wishes = Wishes(for_s=2.0, accept_data=source == "yahoo", quiet=True)
        assert trade(settings(place, source, options, feed=feed), wishes) == 0
    told = whole.read(place / source, RunSpec(NAME))
    assert told.decides_alike
    assert [passport["source"] for passport in told.records[0]["passports"]] == [source]
    assert {"2024-11-27T21:00:00+00:00", "2024-11-29T18:00:00+00:00"} <= set(told.turns)
    decided = [line for line in told.records if line["kind"] == "decision"]
    known = {str(at)[:10] for at in in_backtest["at"]}
    for line in decided[:-1]:  # each was filled in the backtest on the next session
        later = [end[:10] for end in told.turns if end > line["market_context"]["bar"]["time"]]
        assert later[0] in known
    assert (place / FILE).read_text(encoding="utf-8") == CROSSING


def test_a_warm_up_unlike_the_live_feed_is_refused(place: Path) -> None:
    with polygon() as options:
        given = settings(place, "polygon", options, backtest="", adjustment="none")
        with pytest.raises(ConfigError, match="--accept-data") as refused:
            trade(given, Wishes(for_s=1.0, quiet=True))
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
