import json
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import backtrader as bt
import numpy as np
import pytest

from backtest.spec import BarsSpec, RunSpec
from brokers.errors import ConfigError
from brokers.risk import RiskLimits
from feeds import history


class Plain(bt.Strategy):
    params = (("period", 15), ("stop", 0.05), ("name", "x"), ("loud", False), ("extra", None))


@pytest.fixture(scope="module")
def passports():
    return {"SPY": history("synthetic", "SPY", "2024-01-01", "2024-03-01")["SPY"].attrs["passport"]}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cash", 0, "cash=0: give a number above 0"),
        ("cash", -1.0, "cash=-1.0"),
        ("cash", nan, "cash=nan"),
        ("cash", True, "cash=True"),
        ("cash", "1000", "cash='1000'"),
        ("commission", -0.001, "commission=-0.001: give a number at least 0 and below 1"),
        ("commission", 5, "such as 0.001 for 0.1 %"),
        ("slippage_bps", -1, "slippage_bps=-1"),
        ("slippage_bps", inf, "slippage_bps=inf"),
        ("size", 0, "size=0"),
        ("size", inf, "size=inf"),
        ("size", "95", "size='95': give units such as 100"),
        ("size", "0%", "size='0%'"),
        ("size", "101%", "size='101%'"),
        ("size", "much%", "size='much%'"),
        ("risk", {"max_order": 5}, "risk: no limit 'max_order': there are max_order_notional"),
        ("risk", {"max_drawdown_frac": -1}, "max_drawdown_frac=-1"),
        ("strategy", "sma_cros", "did you mean 'sma_cross'?"),
        ("params", {"fats": 5}, "SmaCross: unknown parameter 'fats': did you mean 'fast'?"),
        ("params", {"zzz": 5}, "unknown parameter 'zzz': it has fast, slow"),
        ("params", {"fast": "5"}, "fast='5': give a whole number, such as 10"),
        ("params", {"fast": 2.5}, "fast=2.5"),
        ("params", {"fast": True}, "fast=True"),
        ("params", {"fast": 30.0}, "fast=30.0"),
        ("params", {"fast": 30}, r"SmaCross: fast \(30\) must be below slow \(30\)"),
    ],
)
def test_a_wrong_field_is_named(field, value, words):
    with pytest.raises(ConfigError, match=words) as raised:
        RunSpec(**{"strategy": "sma_cross", field: value})
    assert "\n" not in str(raised.value)


def test_an_unknown_timeframe_is_refused_before_anything_is_fetched():
    with pytest.raises(ConfigError, match="2d"):
        BarsSpec(timeframe="2d")


@pytest.mark.parametrize(
    "params",
    [{"period": 2.5}, {"stop": 1}, {"extra": "anything"}, {"extra": 4}, {"stop": None}],
)
def test_a_plain_strategy_takes_any_number_for_a_number_and_anything_for_none(params):
    told = RunSpec(Plain, params).as_dict()["params"]
    assert told | params == told


def test_one_of_some_words_is_asked_for_by_name():
    assert RunSpec("donchian_bracket", {"entry": "limit"}).params == {"entry": "limit"}
    with pytest.raises(ConfigError, match="entry='stop': give 'market' or 'limit'"):
        RunSpec("donchian_bracket", {"entry": "stop"})


def test_numbers_of_numpy_are_numbers():
    told = RunSpec("sma_cross", {"fast": np.int64(5)}, cash=np.float64(7.0)).as_dict()
    assert (told["params"]["fast"], told["cash"]) == (5, 7.0)


@pytest.mark.parametrize("params", [{"period": "x"}, {"name": 3}, {"loud": 1}])
def test_a_plain_strategy_refuses_another_kind_of_value(params):
    with pytest.raises(ConfigError, match=next(iter(params))):
        RunSpec(Plain, params)


def test_a_run_is_told_in_json_values_with_its_defaults():
    spec = RunSpec("sma_cross", {"fast": 5}, risk={"max_order_notional": 1e4}, bars=BarsSpec())
    told = spec.as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told == {
        "strategy": "sma_cross",
        "params": {"fast": 5, "slow": 30},
        "cash": 100_000.0,
        "commission": 0.0,
        "slippage_bps": 0.0,
        "size": None,
        "risk": {"max_order_notional": 1e4},
        "bars": {
            "source": "synthetic",
            "symbols": [],
            "start": None,
            "end": None,
            "timeframe": None,
            "options": {},
        },
    }


def test_a_file_that_a_parameter_names_is_told_by_its_hash_and_decides_the_run(tmp_path):
    file = tmp_path / "model.joblib"
    file.write_bytes(b"abc")
    spec = RunSpec("model_rank", {"model": str(file)})
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert spec.as_dict()["files"] == {"model": sha256}
    before = spec.fingerprint({})
    file.write_bytes(b"abd")
    assert spec.fingerprint({}) != before


def test_a_file_that_a_parameter_names_and_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"nowhere\.joblib cannot be read: No such file"):
        RunSpec("model_rank", {"model": "nowhere.joblib"}).as_dict()


def test_a_parameter_that_names_no_file_is_told_alone():
    assert "files" not in RunSpec("model_rank").as_dict()


def test_keys_and_objects_among_the_options_are_not_told():
    options = {"api_key": "s3cret", "session": object(), "path": Path("a.csv"), "adjust": True}
    assert BarsSpec("files", options=options).as_dict()["options"] == {
        "path": "a.csv",
        "adjust": True,
    }


def test_a_commission_scheme_is_told_by_its_parameters():
    told = RunSpec(Plain, commission=bt.CommissionInfo(commission=2.0, mult=10.0, margin=500.0))
    scheme = told.as_dict()["commission"]
    assert (scheme["scheme"], scheme["commission"], scheme["mult"]) == ("CommissionInfo", 2.0, 10.0)


def test_a_class_and_its_name_are_the_same_run(passports):
    by_name, by_class = RunSpec("sma_cross"), RunSpec(RunSpec("sma_cross").strategy_class)
    assert by_name.fingerprint(passports) == by_class.fingerprint(passports)


def test_where_the_bars_lie_does_not_change_the_fingerprint(passports):
    spec = RunSpec("sma_cross")
    moved = replace(spec, bars=BarsSpec("files", options={"path": "elsewhere.csv"}))
    later = {"SPY": replace(passports["SPY"], fetched_at=None, source="files")}
    assert spec.fingerprint(passports) == moved.fingerprint(later)


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "buy_and_hold"},
        {"params": {"fast": 9}},
        {"cash": 1.0},
        {"commission": 0.001},
        {"slippage_bps": 1.0},
        {"size": 10},
        {"size": "10%"},
        {"risk": RiskLimits(max_order_notional=1.0)},
    ],
)
def test_whatever_decides_the_result_changes_the_fingerprint(passports, change):
    spec = RunSpec("sma_cross")
    assert replace(spec, **change).fingerprint(passports) != spec.fingerprint(passports)


def test_other_bars_or_another_order_of_feeds_change_the_fingerprint(passports):
    spec, spy = RunSpec("sma_cross"), passports["SPY"]
    other = replace(spy, sha256="0" * 64)
    prints = [
        spec.fingerprint(feeds)
        for feeds in ({"A": spy, "B": other}, {"B": other, "A": spy}, {"A": spy}, {"A": None}, {})
    ]
    assert len(set(prints)) == len(prints)
