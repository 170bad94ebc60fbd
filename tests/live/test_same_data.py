"""Live bars that are unlike the backtest's are refused."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from brokers.clock import SystemClock
from brokers.errors import ConfigError
from feeds.passport import Passport
from live.same_data import of_backtest, require_same
from live.settings import LiveSettings
from live.venues import opened
from live.warm_up import promised

LIVE = Passport("SPY", "alpaca", "1m", "b" * 64, feed="iex", adjustment="none")
PAST = replace(LIVE, source="yahoo", sha256="a" * 64)


@pytest.mark.parametrize(
    ("past", "told"),
    [
        (replace(PAST, adjustment="split"), "adjustment: the backtest has 'split', the live feed"),
        (replace(PAST, feed="sip"), "feed: the backtest has 'sip', the live feed 'iex'"),
        (replace(PAST, timeframe="1d"), "timeframe: the backtest has '1d', the live feed '1m'"),
        (replace(PAST, feed=""), "feed: the backtest has 'unknown'"),
    ],
)
def test_unlike_data_is_refused_unless_accepted(past: Passport, told: str) -> None:
    with pytest.raises(ConfigError, match="--accept-data") as refused:
        require_same("backtest", {"SPY": past}, {"SPY": LIVE}, accept=False)
    assert told in str(refused.value)
    (note,) = require_same("backtest", {"SPY": past}, {"SPY": LIVE}, accept=True)
    assert told in note


def test_alike_data_passes_and_other_symbols_are_passed_over() -> None:
    past = {"SPY": PAST, "XLK": replace(PAST, timeframe="1d")}
    assert require_same("backtest", past, {"SPY": LIVE}, accept=False) == ()


@pytest.mark.parametrize("venue", ["ibkr", "portal"])
def test_bars_of_ib_are_of_its_own_tape_and_adjusted_for_splits(venue: str) -> None:
    settings = LiveSettings(venue=venue)
    with opened(settings, SystemClock()) as access:
        live = promised(settings.data, access)["SPY"]
    assert (live.feed, live.adjustment) == ("ibkr", "split")
    with pytest.raises(ConfigError, match="the live feed 'ibkr'"):
        require_same("backtest", {"SPY": PAST}, {"SPY": live}, accept=False)


def test_a_backtests_passports_are_read_from_its_result(tmp_path: Path) -> None:
    result = {"saved": {"passports": {"SPY": PAST.as_dict()}}}
    (tmp_path / "result.json").write_bytes(orjson.dumps(result))
    assert of_backtest(tmp_path) == {"SPY": PAST}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"saved": {"passports": {"SPY": {}}}}'])
def test_no_result_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match="give its --out"):
        of_backtest(tmp_path / "none")
    (tmp_path / "result.json").write_bytes(content)
    with pytest.raises(ConfigError, match="no backtest's result"):
        of_backtest(tmp_path)
