"""`run` and the command line against plain Backtrader, to the last bit."""

import json
from typing import Any

import backtrader as bt
import pytest

import strategies
from backtest import run
from backtest.cli import main
from feeds import history
from feeds.frames import as_feed

SERIES = ["nvda-1999-2014.txt", "orcl-1995-2014.txt"]


class PlainCross(bt.Strategy):
    """What a newcomer writes first."""

    params = {"fast": 10, "slow": 30}

    def __init__(self):
        fast, slow = bt.ind.SMA(period=self.p.fast), bt.ind.SMA(period=self.p.slow)
        self.cross = bt.ind.CrossOver(fast, slow)

    def next(self):
        if not self.position:
            if self.cross > 0:
                self.buy()
        elif self.cross < 0:
            self.close()


class Witness(bt.Analyzer):
    """Every notification of every order, as exact numbers."""

    def start(self):
        self.first = None
        self.seen = []

    def notify_order(self, order):
        self.first = self.first or order.ref  # references count on from run to run
        what = (order.ref - self.first, order.data._name, order.isbuy(), order.created.price)
        done = order.executed
        bits = (done.size, done.price, done.comm, done.dt)
        self.seen.append((order.getstatusname(), *what, *bits))

    def get_analysis(self):
        return self.seen


def plain_run(path, cash: float, commission: float, size: int | None) -> tuple[float, float]:
    cerebro = bt.Cerebro()
    cerebro.adddata(
        bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", volume=6, openinterest=-1)
    )
    cerebro.addstrategy(PlainCross)
    cerebro.broker.setcash(cash)
    cerebro.broker.setcommission(commission)
    if size is not None:
        cerebro.addsizer(bt.sizers.FixedSize, stake=size)
    cerebro.run()
    return cerebro.broker.getvalue(), cerebro.broker.getcash()


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize(
    ("options", "cash", "commission", "size"),
    [
        ("", 100_000.0, 0.0, None),
        ("--size 100 --commission 0.001 --cash 10000", 10_000.0, 0.001, 100),
    ],
)
def test_the_command_line_gives_the_value_of_a_plain_script(
    market, capsys, name, options, cash, commission, size
):
    words = ["run", "sma_cross", "--feed", "files", "--path", str(market / name)]
    assert main([*words, *options.split(), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = plain_run(market / name, cash, commission, size)
    assert (found["final_value"], found["final_cash"]) == expected
    assert found["orders"] > 50  # the comparison is not of two runs that did nothing


def bare_run(strategy: str, frames: dict[str, Any]) -> tuple[float, float, list[Any]]:
    """Cerebro and Backtrader's own broker, with neither guard nor log."""
    cerebro = bt.Cerebro(stdstats=False)
    for name, frame in frames.items():
        cerebro.adddata(as_feed(frame, name), name=name)
    cerebro.broker = bt.brokers.BackBroker(cash=50_000.0)
    cerebro.broker.setcommission(0.001)
    cerebro.addsizer(bt.sizers.FixedSize, stake=100)
    cerebro.addstrategy(strategies.find(strategy))
    cerebro.addanalyzer(Witness)
    [done] = cerebro.run()
    seen = done.analyzers.witness.get_analysis()
    return cerebro.broker.getvalue(), cerebro.broker.getcash(), seen


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("strategy", strategies.names())
def test_guarded_and_logged_equals_bare(market, tmp_path, strategy, count):
    frames = {
        name[:4]: frame
        for name in SERIES[:count]
        for frame in history("files", (), "2009-01-01", path=market / name).values()
    }
    result = run(
        strategy,
        frames,
        cash=50_000,
        commission=0.001,
        size=100,
        analyzers=[Witness],
        log=tmp_path / "decisions.jsonl",
    )
    found = result.final_value, result.final_cash, result.analyses["witness"]
    assert found == bare_run(strategy, frames)
    assert any(facts[0] == "Completed" for facts in result.analyses["witness"])
