"""What every source must keep; a new one is found by its file and says here how it is served."""

import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import history
from feeds.bars import check_bars
from feeds.frames import as_feed
from feeds.passport import Passport, content_hash
from feeds.sources import find, names
from tests.feeds import alpaca_server, polygon_server, yahoo_server
from tests.feeds.servers import Loopback

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
CSV = """Date,Open,High,Low,Close,Volume
2024-03-07,100,104,99,102,1000
2024-03-08,102,106,101,104,1100
2024-03-11,104,108,103,106,1200
"""


@dataclass(frozen=True)
class Source:
    """A source as the tests ask it: two symbols, sessions on 2024-03-07, 08 and 11."""

    name: str
    symbols: tuple[str, str]
    options: Callable[[], dict[str, Any]]

    def fetch(self, symbols: str | Sequence[str], **changes: Any) -> dict[str, pd.DataFrame]:
        asked = {"start": "2024-03-07", "end": "2024-03-11", **self.options(), **changes}
        return history(self.name, symbols, **asked)

    def both(self) -> dict[str, pd.DataFrame]:
        return self.fetch(self.symbols)

    def one(self, **changes: Any) -> pd.DataFrame:
        return self.fetch(self.symbols[:1], **changes)[self.symbols[0]]


@contextmanager
def files(folder: Path) -> Iterator[Source]:
    for symbol in ("AAPL", "MSFT"):
        folder.joinpath(f"{symbol}.csv").write_text(CSV)
    yield Source("files", ("MSFT", "AAPL"), lambda: {"path": folder, "calendar": "XNYS"})


@contextmanager
def synthetic(_: Path) -> Iterator[Source]:
    yield Source("synthetic", ("XLK", "SPY"), lambda: {"seed": 11})


@contextmanager
def yahoo(_: Path) -> Iterator[Source]:
    server = yahoo_server.YahooServer(dict.fromkeys(("MSFT", "AAPL"), yahoo_server.MARCH))
    with yahoo_server.serving(server) as (_, session):
        yield Source(
            "yahoo",
            ("MSFT", "AAPL"),
            lambda: {"session": session, "clock": ManualClock(NOW), "rng": random.Random(1)},
        )


@contextmanager
def polygon(_: Path) -> Iterator[Source]:
    bars = dict.fromkeys(("MSFT", "AAPL"), polygon_server.MARCH)
    with Loopback(polygon_server.PolygonServer(bars)) as loopback:
        options = {"base": loopback.url, "api_key": "key"}
        yield Source("polygon", ("MSFT", "AAPL"), lambda: {**options, "clock": ManualClock(NOW)})


@contextmanager
def polygon_grouped(folder: Path) -> Iterator[Source]:
    days = ("2024-03-07", "2024-03-08", "2024-03-11")
    market = {
        day: [polygon_server.row_of(name, 100.0) for name in ("MSFT", "AAPL")] for day in days
    }
    with Loopback(polygon_server.PolygonServer(grouped=market)) as loopback:
        options = {"base": loopback.url, "api_key": "key", "cache": folder}
        yield Source(
            "polygon_grouped", ("MSFT", "AAPL"), lambda: {**options, "clock": ManualClock(NOW)}
        )


@contextmanager
def alpaca(_: Path) -> Iterator[Source]:
    bars = dict.fromkeys(("MSFT", "AAPL"), alpaca_server.MARCH)
    with pytest.MonkeyPatch.context() as env, Loopback(alpaca_server.AlpacaServer(bars)) as at:
        env.setenv("APCA_API_KEY_ID", "key")
        env.setenv("APCA_API_SECRET_KEY", "secret")
        clock = alpaca_server.PinnedClock(NOW)
        yield Source("alpaca", ("MSFT", "AAPL"), lambda: {"base": at.url, "clock": clock})


SERVED: dict[str, Callable[[Path], AbstractContextManager[Source]]] = {
    "files": files,
    "synthetic": synthetic,
    "yahoo": yahoo,
    "polygon": polygon,
    "polygon_grouped": polygon_grouped,
    "alpaca": alpaca,
}


@pytest.fixture(params=names())
def source(request, tmp_path) -> Iterator[Source]:
    if request.param not in SERVED:
        pytest.fail(f"say in tests/contract/test_feeds.py how source {request.param} is served")
    with SERVED[request.param](tmp_path) as served:
        yield served


def test_symbols_come_back_once_each_in_the_order_asked(source):
    first, second = source.symbols
    assert list(source.fetch([first, second, first])) == [first, second]
    assert list(source.fetch(f"{second},{first}")) == [second, first]


def test_every_frame_is_a_bar_frame(source):
    for symbol, bars in source.both().items():
        pd.testing.assert_frame_equal(check_bars(bars, symbol), bars, check_freq=True)


def test_the_passport_tells_the_truth(source):
    for symbol, bars in source.both().items():
        passport = bars.attrs["passport"]
        assert isinstance(passport, Passport)
        assert (passport.source, passport.symbol) == (source.name, symbol)
        assert (passport.timeframe, passport.calendar) == ("1d", "XNYS")
        assert passport.adjustment in ("none", "split", "total", "unknown")
        assert passport.synthetic is (source.name == "synthetic")
        assert passport.sha256 == content_hash(bars)
        assert passport.gap_count == 0
        assert Passport.from_dict(passport.as_dict()) == passport


def test_a_timeframe_not_said_or_said_makes_no_other_bars(source):
    said, unsaid = source.one(timeframe="1d"), source.one(timeframe=None)
    pd.testing.assert_frame_equal(said, unsaid)
    assert said.attrs == unsaid.attrs


def test_what_was_fetched_says_when_and_the_rest_does_not(source):
    fetched_at = source.one().attrs["passport"].fetched_at
    assert fetched_at == (None if source.name in ("files", "synthetic") else NOW)


def test_dates_are_inclusive_and_stand_for_sessions(source):
    days = [f"{day:%m-%d}" for day in source.one().index.tz_convert("America/New_York")]
    assert days == ["03-07", "03-08", "03-11"]
    (alone,) = source.one(start="2024-03-08", end="2024-03-08").index.tz_convert("America/New_York")
    assert f"{alone:%m-%d}" == "03-08"


def test_a_datetime_as_end_is_exclusive(source):
    starts = source.one().index
    bars = source.one(end=starts[2].to_pydatetime())
    assert list(bars.index) == list(starts[:2])


def test_an_open_range_is_a_range(source):
    if source.name == "polygon_grouped":  # a session is a call: all of the past is too many
        with pytest.raises(ConfigError, match="needs a start"):
            source.one(start=None)
        return
    assert source.one(start=None).index[-1] == source.one().index[-1]
    assert source.one(end=None).index[0] == source.one().index[0]


def test_the_same_question_has_the_same_answer(source):
    answers = [frame.attrs["passport"] for _ in range(2) for frame in source.both().values()]
    assert answers[:2] == answers[2:]


def test_a_cache_changes_no_answer(source, tmp_path):
    if "cache" not in inspect.signature(find(source.name)).parameters:
        return  # it has nothing to fetch
    for _ in range(2):
        for symbol, bars in source.fetch(source.symbols, cache=tmp_path / "cache").items():
            alone = source.both()[symbol]
            pd.testing.assert_frame_equal(bars, alone)
            assert bars.attrs == alone.attrs


def test_bars_become_feeds_that_show_each_day_at_its_close(source):
    cerebro = bt.Cerebro(stdstats=False)
    for symbol, bars in source.both().items():
        cerebro.adddata(as_feed(bars, symbol))
    cerebro.addstrategy(bt.Strategy)
    feed = cerebro.run()[0].datas[1]
    assert feed._name == source.symbols[1]
    assert [f"{bt.num2date(end):%m-%d %H:%M}" for end in feed.datetime.array] == [
        "03-07 21:00",
        "03-08 21:00",
        "03-11 20:00",  # the clocks in New York went forward
    ]


def test_an_unknown_symbol_is_an_error_that_names_it(source):
    with pytest.raises(DataError, match="NOSUCH") as caught:
        source.fetch("NOSUCH")
    assert "\n" not in str(caught.value)


def test_a_range_without_bars_is_an_error_that_names_the_symbol(source):
    with pytest.raises(DataError, match=source.symbols[0]) as caught:
        source.one(start="2024-03-09", end="2024-03-10")
    assert "\n" not in str(caught.value)


def test_an_unknown_option_names_the_options_there_are(source):
    known = list(inspect.signature(find(source.name)).parameters)[4:]
    with pytest.raises(ConfigError, match=f"has no option 'colour': it has {', '.join(known)}"):
        source.one(colour="red")


def test_start_after_end_is_refused(source):
    with pytest.raises(ConfigError, match="must be before end"):
        source.one(start="2024-03-12")


def test_without_symbols_there_are_bars_or_a_clear_refusal(source):
    try:
        bars = source.fetch("")
    except ConfigError as error:
        assert "no symbol" in str(error)  # noqa: PT017  either outcome is right
    else:
        assert bars
