from dataclasses import dataclass

import backtrader as bt
import pytest

from backtest.identity import bars_key, set_key, settings_key, source_key
from backtest.spec import RunSpec
from feeds.passport import KEY
from strategies.base import Strategy
from strategies.registry import find
from tests.backtest.sweep_stage import Above, in_notebook, walk

FILE = """
import backtrader as bt
import statistics

LEVEL = {level}

def middle(values):
    return {middle}

class Mean(bt.Indicator):
    lines = ("mean",)

    def next(self):
        self.lines.mean[0] = self.data[0] {sign} 1

class Mine(bt.Strategy):
    {comment}
    def __init__(self):
        self.mean = Mean()

    def next(self):
        if middle([LEVEL, statistics.pi]) > self.mean[0]:
            self.buy()

def unused():
    return {unused}
"""
USUAL = {"level": 1, "middle": "sum(values)", "sign": "+", "comment": "", "unused": 1}


def key_of(tmp_path, **changes):
    path = tmp_path / "mine.py"
    path.write_text(FILE.format(**{**USUAL, **changes}))
    return source_key(find(f"{path}:Mine"))


@pytest.mark.parametrize(
    "change",
    [{"level": 2}, {"middle": "max(values)"}, {"sign": "-"}, {"comment": "x = 1"}],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_anything_that_the_strategy_uses_makes_another_source(tmp_path, change):
    assert key_of(tmp_path, **change) != key_of(tmp_path)


def test_what_the_strategy_does_not_use_may_change(tmp_path):
    assert key_of(tmp_path, unused=2) == key_of(tmp_path)


def test_a_class_without_a_file_is_told_by_its_code():
    def double(self):
        return self.p.period * 2

    def triple(self):
        return self.p.period * 3

    one, same, other = (in_notebook(Above, next=eval_of(it)) for it in (double, double, triple))
    assert source_key(one) == source_key(same) != source_key(other)


def eval_of(function):
    """The same function as an interactive session makes it: no file has its text."""
    code = function.__code__.replace(co_filename="<stdin>")
    return type(function)(code, {"__name__": "__main__"}, function.__name__)


def test_a_set_is_told_alike_whatever_the_order_of_its_parameters():
    assert set_key({"a": 1, "b": 0.1}) == set_key({"b": 0.1, "a": 1}) == '{"a":1,"b":0.1}'
    assert set_key({"ma": bt.ind.SMA}) == set_key({"ma": bt.ind.SMA}) != set_key({"ma": bt.ind.EMA})
    assert set_key({"a": 1}) != set_key({"a": "1"})
    assert set_key({"a": 1j}) == '{"a":"1j"}'


def test_other_settings_make_other_trials():
    usual = settings_key(RunSpec(Above))
    assert usual == settings_key(RunSpec(Above, params={"period": 3}))
    changes = ({"cash": 5.0}, {"commission": 0.1}, {"slippage_bps": 1.0}, {"size": "95%"})
    assert len({usual, *(settings_key(RunSpec(Above, **change)) for change in changes)}) == 5


def test_a_file_with_other_content_makes_other_trials(tmp_path):
    class Guided(Strategy):
        file_params = ("model",)

        @dataclass(frozen=True)
        class Config(Strategy.Config):
            model: str = ""

    path, other = tmp_path / "model", tmp_path / "other"
    path.write_text("one")
    other.write_text("one")
    spec, swept = RunSpec(Guided, params={"model": str(path)}), {"model": [str(path), str(other)]}
    before = settings_key(spec), settings_key(RunSpec(Guided), swept)
    assert before == (settings_key(spec), settings_key(RunSpec(Guided), swept))
    other.write_text("two")
    assert settings_key(spec) == before[0]
    assert settings_key(RunSpec(Guided), swept) != before[1]
    path.write_text("two")
    assert settings_key(spec) != before[0]


def test_other_bars_make_other_trials():
    one, other = (walk(seed=seed).attrs[KEY] for seed in (1, 2))
    keys = [bars_key({"A": one}), bars_key({"B": one}), bars_key({"A": other}), bars_key({})]
    assert len(set(keys)) == 4
    assert bars_key({"A": one}) == bars_key({"A": walk(seed=1).attrs[KEY]})
