"""A session lives through the gateway's night: nothing is lost, nothing doubled, nobody needed."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from analyzers.chain import tail
from brokers.wire.ibkr_night import Night
from feeds.frames import bar_ends
from feeds.passport import stamp
from live.paper.faults import Fault, Plan
from live.rehearsal.in_memory import backtest
from live.rehearsal.over_loopback import rehearse_over_loopback
from live.rehearsal.play import Play
from tests.live import runs
from tests.live.plays import bars, play

ZONE = "America/New_York"
BARS, WARM_UP = 45, 2
AWAY_S = 45.0


def short(timeframe: str = "1m", count: int = 1, size: int = BARS) -> Play:
    """A busy strategy behind a gateway, on the first bars alone."""
    words = {"source": "synthetic", "timeframe": timeframe, "calendar": "XNYS"}
    frames = {
        symbol: stamp(frame.iloc[:size].copy(), symbol=symbol, **words)
        for symbol, frame in bars(timeframe, count).items()
    }
    return replace(play("sma_cross"), frames=frames, front="tws", warm_up=WARM_UP)


def fills_in(lines) -> list[tuple[str, float, float]]:
    return [(it["side"], it["quantity"], it["price"]) for it in lines if it["kind"] == "fill"]


def ends_of(case: Play) -> pd.DatetimeIndex:
    return bar_ends(case.frames["SPY"], case.passports["SPY"])


def night_round(at: pd.Timestamp) -> Night:
    """A window of two minutes; the market stands while the gateway is away."""
    local = at.tz_convert(ZoneInfo(ZONE))
    begin, end = local - timedelta(seconds=30), local + timedelta(seconds=90)
    return Night(f"{begin:%H:%M:%S}", f"{end:%H:%M:%S}", ZONE)


def test_every_fill_is_logged_once_after_a_night_in_which_one_was_made(tmp_path):
    case = short()
    backtest(case, tmp_path / "known.jsonl")
    known = [record for record, _ in tail(tmp_path / "known.jsonl")]
    third = pd.Timestamp([it for it in known if it["kind"] == "fill"][2]["filled_at"])
    nth = ends_of(case).get_loc(third) + 1 - WARM_UP
    restart = Plan("night", (Fault("restart", nth, wait_s=AWAY_S),))
    case = replace(case, plan=restart, night=night_round(third))
    certificate = rehearse_over_loopback(case, tmp_path)
    assert certificate.first_difference is None, certificate.text
    assert certificate.faults_hit == {"restart": 1}
    log = runs.records(tmp_path / "session")
    assert fills_in(log) == fills_in(known)
    told = Counter(it["execution_id"] for it in log if it.get("fact") == "Filled")
    assert set(told.values()) == {1}
    assert (len(told), certificate.lives) == (3, 1)
