"""Whole sessions on bars that no stream has: gathered minutes, and days fetched at their close."""

from pathlib import Path

import pandas as pd
import pytest

from analyzers.chain import tail
from backtest.spec import RunSpec
from brokers.wire.transport import VenueBar
from feeds import history
from feeds.bars import COLUMNS
from live.config import load
from live.embedded_market import market
from live.paper.spans import Span, gathered
from live.rehearsal.in_memory import rehearse
from live.rehearsal.play import Play
from tests.live import whole


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def vendors_own(frame: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """The market's minutes as the vendor's history puts them together."""
    bars = [
        VenueBar("SPY", start, *row)
        for start, row in zip(frame.index, frame[list(COLUMNS)].to_numpy().tolist(), strict=True)
    ]
    found = gathered(bars, Span(1, "Min"), Span(minutes, "Min"))
    index = pd.DatetimeIndex([bar.start_at for bar in found], name="time")
    return pd.DataFrame([[getattr(bar, c) for c in COLUMNS] for bar in found], index, list(COLUMNS))


def test_a_session_on_half_hours_decides_as_its_backtest_over_a_close(place: Path) -> None:
    half_day = '[paper]\nstart = "2024-11-29"\n'
    (place / "live.toml").write_text(half_day, encoding="utf-8")
    words = ("--timeframe", "30m", "--speed", "9000x", "--for", "2.5s")
    told = whole.session(place / "out", *words)
    assert told.decides_alike
    assert {"2024-11-29T18:00:00+00:00", "2024-12-02T15:00:00+00:00"} <= set(told.turns)
    given = {"data": {"timeframe": "30m"}, "paper": {"start": "2024-11-29"}}
    settings = load(None, given)
    minutes = market(settings.data, settings.paper)[0]["SPY"]
    bars = told.frames["SPY"]
    expected = vendors_own(minutes, 30).loc[bars.index[0] : bars.index[-1]]
    pd.testing.assert_frame_equal(bars, expected, check_freq=False, check_index_type=False)


def test_days_over_a_half_day_and_the_end_of_summer_time_are_fetched_and_filled_at_the_open(
    tmp_path: Path,
) -> None:
    frames = history("synthetic", ["SPY"], "2024-09-03", "2024-12-06", "1d", seed=7)
    spec = RunSpec("sma_cross", whole.FAST, size=10)
    certificate = rehearse(Play(spec, frames, account="alpaca"), tmp_path)
    assert certificate.first_difference is None
    records = [record for record, _ in tail(tmp_path / "live.jsonl")]
    turns = {record["at_bar"][:10]: record for record in records if record["kind"] == "bars"}
    closes = {"2024-11-01": "20:00", "2024-11-04": "21:00", "2024-11-29": "18:00"}
    for day, close in closes.items():
        assert turns[day]["at_bar"][11:16] == close
        assert turns[day]["at"] == f"{day}T{close}:00Z".replace(":00:00Z", ":01:00Z")
    assert "2024-11-28" not in turns
    fills = [record for record in records if record["kind"] == "fill"]
    assert len(fills) > 4
    for fill in fills:
        assert fill["price"] == turns[fill["filled_at"][:10]]["bars"]["SPY"][1]
