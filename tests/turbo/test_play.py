"""Turbo behind the guard: `run` gives the same result and log with it and without."""

from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd
import pytest

from backtest import RunResult, run
from backtest.cli import main
from backtest.engine import assemble
from backtest.inputs import named_feeds
from backtest.spec import RunSpec
from backtest.turbo import Cerebro
from brokers.guard import GuardedBroker
from tests.turbo.stage import bars

LIMITS: dict[str, dict[str, Any]] = {
    "none": {},
    "orders": {"max_order_notional": 900.0, "price_collar_frac": 0.05},
    "account": {"max_drawdown_frac": 0.0003},
}
FRAMES = ("orders", "fills", "trades", "positions")


class Crossing(bt.Strategy):
    """Goes with the first feed's crosses, in both; gives its reasons."""

    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=3), bt.ind.SMA(period=8))

    def next(self):
        for number, data in enumerate(self.datas):
            if self.cross[0] > 0 and not self.getposition(data):
                size = 5 + number + len(self) % 7
                self.buy(data=data, size=size, reason=f"crossed at {data.close[0]}")
            elif self.cross[0] < 0:
                self.close(data=data)


def market(**how: Any) -> dict[str, pd.DataFrame]:
    return {f"S{seed}": bars(150, seed=seed, **how).tz_localize("UTC") for seed in (1, 2)}


def told(result: RunResult) -> list[str]:
    """All that a result says, to the last bit of its numbers."""
    frames = [getattr(result, name) for name in FRAMES]
    curve = [value.hex() for value in result.equity]
    exact = [frame.map(lambda it: it.hex() if isinstance(it, float) else it) for frame in frames]
    return [str(curve), *(frame.to_csv() for frame in exact), str(result.metrics)]


@pytest.mark.parametrize("limits", LIMITS)
def test_run_gives_the_same_result_and_log_without_turbo(limits, tmp_path):
    results, logs = [], []
    for turbo in (True, False):
        path = tmp_path / f"{turbo}.jsonl"
        results.append(run(
            Crossing, market(), commission=0.001, slippage_bps=2.0, risk=LIMITS[limits],
            analyzers=[bt.analyzers.TradeAnalyzer, bt.analyzers.DrawDown], log=path, turbo=turbo,
        ))  # fmt: skip
        logs.append(path.read_bytes())
    fast, stock = results
    assert told(fast) == told(stock)
    assert str(fast.analyses) == str(stock.analyses)
    assert logs[0] == logs[1]
    assert len(fast.orders) > 10


def test_limit_of_the_account_does_halt_the_run_above():
    halted = run(Crossing, market(), risk=LIMITS["account"])
    assert halted.orders["refusal"].notna().any()


def assembled(**options: Any) -> bt.Cerebro:
    return assemble(
        RunSpec(Crossing, turbo=options.pop("turbo", True)), named_feeds(market()), **options
    )


def test_assembled_run_is_turbo_s_and_sees_through_the_guard():
    cerebro = assembled()
    [strategy] = cerebro.run()
    assert isinstance(cerebro, Cerebro)
    assert {path.part for path in cerebro.explain() if not path.reason} >= {
        "loop",
        "broker",
        "feed",
    }
    assert type(cerebro.broker.inner) is bt.brokers.BackBroker
    assert "getposition" not in vars(cerebro.broker)
    assert isinstance(strategy.broker, GuardedBroker)


@pytest.mark.parametrize(
    "options", [{"turbo": False}, {"broker": bt.brokers.BackBroker()}], ids=["off", "own broker"]
)
def test_run_without_turbo_is_stock_s(options):
    assert type(assembled(**options)) is bt.Cerebro


def test_turbo_is_no_part_of_what_decides_a_run():
    fast, stock = RunSpec(Crossing), RunSpec(Crossing, turbo=False)
    assert fast.fingerprint({}) == stock.fingerprint({})
    assert fast.as_dict() == stock.as_dict()


def test_command_line_switches_turbo_off(tmp_path, capsys):
    shown = []
    for switch in ("--turbo", "--no-turbo"):
        options = ["--json", "--quiet", "--end", "2017-01-31", "--out", str(tmp_path / switch)]
        assert main(["run", "sma_cross", switch, *options]) == 0
        shown.append(capsys.readouterr().out.replace(switch, ""))
    assert shown[0] == shown[1]
    logs = [
        next(Path(tmp_path, name).glob("*.jsonl")).read_bytes()
        for name in ("--turbo", "--no-turbo")
    ]
    assert logs[0] == logs[1]
