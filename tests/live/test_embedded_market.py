"""The embedded market: open in the middle of a morning, under any symbols."""

import pytest

from brokers.errors import ConfigError
from feeds.passport import passport_of
from live.config import load
from live.embedded_market import market


def test_the_first_live_bar_is_half_an_hour_into_the_session() -> None:
    settings = load()
    frames, warm_up = market(settings.data, settings.paper)
    index = frames["SPY"].index
    assert f"{index[warm_up]:%Y-%m-%d %H:%M}" == "2025-06-02 14:00"  # 10:00 in New York
    assert warm_up >= settings.data.warmup_bars


def test_symbols_that_it_does_not_have_get_bars_of_others() -> None:
    settings = load(None, {"data": {"symbols": ["AAPL", "SPY", "MSFT"], "timeframe": "1d"}})
    frames, _ = market(settings.data, settings.paper)
    assert list(frames) == ["AAPL", "SPY", "MSFT"]
    assert passport_of(frames["AAPL"], "AAPL").symbol == "AAPL"
    assert len({passport_of(frame, name).sha256 for name, frame in frames.items()}) == 3


@pytest.mark.parametrize("start", ["2025-13-01", "2025-02-30"])
def test_a_start_that_it_does_not_reach_is_a_clear_error(start: str) -> None:
    settings = load(None, {"paper": {"start": start}})
    with pytest.raises(ConfigError, match=r"paper\.start"):
        market(settings.data, settings.paper)
