"""Every kind of order, from the strategy to the venue and back, as in the backtest."""

from collections import Counter

import pytest

from analyzers.chain import tail
from backtest.spec import RunSpec
from live.rehearsal.in_memory import rehearse
from live.rehearsal.play import Play
from tests.live.kinds import EveryKind
from tests.live.plays import bars


def shortened(frames):
    """Bars enough for some orders of each kind; daily ones keep all, and their calendar."""
    short = {symbol: frame.iloc[:220].copy() for symbol, frame in frames.items()}
    for frame in short.values():
        frame.attrs = {}
    return frames if len(frames["SPY"]) < 300 else short


@pytest.mark.parametrize(
    ("account", "timeframe", "faults"),
    [("backtrader", "1d", "none"), ("alpaca", "1m", "storm")],
)
def test_every_kind_of_order_does_live_what_it_did_in_the_backtest(
    account, timeframe, faults, tmp_path
):
    play = Play(RunSpec(EveryKind, {}), shortened(bars(timeframe, 1)), account=account)
    certificate = rehearse(play, tmp_path, faults)
    assert certificate.identical, certificate.text
    decided = [line["order"] for line, _ in tail(tmp_path / "live.jsonl")
               if line["kind"] == "decision" and not line["refusal"]]  # fmt: skip
    kinds = Counter((order["order_type"], order["order_class"]) for order in decided)
    assert kinds.keys() >= {
        ("market", "simple"), ("limit", "simple"), ("stop", "simple"), ("stop_limit", "simple"),
        ("trailing_stop", "simple"), ("market", "bracket"), ("market", "oto"),
        ("limit", "oco"), ("stop_limit", "oco"),
    }  # fmt: skip
    assert min(kinds.values()) > 3
    assert any("trail_frac" in order for order in decided)
    assert any(order["quantity"] == "2.5" for order in decided)
