import dataclasses
import inspect
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from backtest.result import RunResult
from brokers.errors import ConfigError, DataError
from brokers.risk import RiskLimits
from tests.analyzers.small_runs import bars
from tests.backtest.small_results import result

CLOSES = [10, 11.3, 12.1, 11.7, 14.9, 15.2, 13.1, 16.05]
CAREFUL = RiskLimits(max_order_notional=50.0).rules()
ROUND_TRIP = {1: lambda s: s.buy(size=10, reason="<why>"), 4: lambda s: s.close()}


@pytest.fixture
def run():
    return result(ROUND_TRIP, bars(CLOSES), commission=0.001)


def two_symbols(**how):
    script = {1: lambda s: (s.buy(size=3), s.sell(data=s.data1, size=2)), 5: lambda s: s.close()}
    return result(script, bars(CLOSES, "A/B"), bars(CLOSES[::-1], "ünï"), **how)


def test_final_value_is_the_last_of_the_equity(run):
    assert run.final_value == run.equity.iloc[-1] == run.final_cash
    assert run.final_value == pytest.approx(1000 - 100 + 117 - 0.1 - 0.117)


def test_json_holds_what_its_table_names(run):
    facts = run.as_json()
    table = inspect.getdoc(RunResult.as_json).split("====")[2:]
    named = {word.strip(",") for line in "".join(table).splitlines() for word in line[:21].split()}
    assert set(facts) == {word for word in named if word.strip("=")}


def test_json_of_a_run_by_hand(run):
    facts = run.as_json()
    expected = {
        "cash": 1000.0, "orders": 2, "fills": 2, "refused": 0, "trades": 1, "open_trades": 0,
        "bars": 8, "start": "2024-01-01T00:00:00+00:00", "end": "2024-01-08T00:00:00+00:00",
        "symbols": ["ACME"], "strategy": "scripted", "params": {}, "partial": False,
        "win_rate": 1.0, "profit_factor": None, "exposure": 3 / 8,
        "passports": {"ACME": run.passports["ACME"].id},
    }  # fmt: skip
    assert {name: facts[name] for name in expected} == expected
    assert facts["return"] == pytest.approx(0.016783)


def test_json_says_null_and_never_nan():
    facts = result({}, bars([10, 10, 10])).as_json()
    text = json.dumps(facts, allow_nan=False)
    assert facts["sharpe"] is facts["win_rate"] is facts["calmar"] is None
    assert facts["max_drawdown"] == 0.0
    assert "NaN" not in text


def test_a_final_value_that_is_no_number_is_null(run):
    broken = dataclasses.replace(run, final_value=float("nan"))
    assert broken.as_json()["final_value"] is None


def test_refusals_are_counted_by_rule():
    script = {1: lambda s: s.buy(), 2: lambda s: s.sell(size=9), 3: lambda s: s.sell(size=9)}
    run = result(script, bars(CLOSES), rules=CAREFUL)
    assert run.refusals == {"max_order_notional": 2}
    assert run.as_json()["refused"] == 2


def test_one_line_says_it_all(run):
    assert repr(run) == (
        "RunResult(scripted on ACME, 2024-01-01 to 2024-01-08: "
        "1,000.00 -> 1,016.78 (+1.68%), 1 trades)"
    )


def test_a_partial_run_says_so_everywhere(run):
    partial = dataclasses.replace(run, partial=True)
    assert repr(partial).endswith("PARTIAL)")
    assert partial.as_json()["partial"] is True
    assert "Partial" in partial._repr_html_()


def test_many_symbols_are_abridged():
    frames = [bars(CLOSES, f"S{n}") for n in range(8)]
    run = result({}, *frames)
    assert "S0, S1, S2 and 5 more" in repr(run)
    assert "S5 and 2 more" in run._repr_html_()


def test_notebook_card_is_small_escaped_and_has_no_colour_of_its_own(run):
    card = dataclasses.replace(run, config={**run.config, "strategy": "<script>"})._repr_html_()
    assert "&lt;script&gt;" in card
    assert "<script>" not in card
    assert "color:" not in card
    assert len(card) < 4000
    assert "1,016.78" in card


def test_saved_and_loaded_is_equal_to_the_last_bit(tmp_path):
    run = two_symbols(commission=0.001)
    loaded = RunResult.load(run.save(tmp_path / "out"))
    assert loaded == run
    assert loaded.final_value.hex() == run.final_value.hex()
    assert list(loaded.bars) == ["A/B", "ünï"]
    for symbol, frame in run.bars.items():
        pd.testing.assert_frame_equal(loaded.bars[symbol], frame, check_exact=True)
        assert loaded.bars[symbol].attrs["passport"] == run.passports[symbol]
    for name in ("orders", "fills", "trades", "positions"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(run, name), check_exact=True)


def test_a_run_without_orders_survives_the_disk(tmp_path):
    run = result({}, bars(CLOSES), partial=True)
    assert RunResult.load(run.save(tmp_path)) == run


def test_a_result_that_kept_no_bars_keeps_its_passports(tmp_path, run):
    loaded = RunResult.load(dataclasses.replace(run, bars={}).save(tmp_path))
    assert loaded.passports == run.passports
    assert not loaded.bars


def test_a_loaded_result_still_draws(tmp_path, run):
    assert RunResult.load(run.save(tmp_path)).figure().axes


def test_results_differ_when_anything_but_the_bars_does(run):
    assert run == result(ROUND_TRIP, bars(CLOSES), commission=0.001)
    assert run != result(ROUND_TRIP, bars(CLOSES), commission=0.002)
    assert run != "a result"
    assert run == dataclasses.replace(run, bars={}, analyses={"drawdown": 1})


def test_saved_json_begins_with_the_object_of_the_command_line(tmp_path, run):
    saved = json.loads((run.save(tmp_path) / "result.json").read_text())
    assert {name: saved[name] for name in run.as_json()} == run.as_json()


def test_saving_over_an_older_result_leaves_the_newer(tmp_path, run):
    two_symbols().save(tmp_path)
    assert RunResult.load(run.save(tmp_path)) == run


def test_no_half_written_file_is_left_behind(tmp_path, run):
    run.save(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path, run):
    (tmp_path / "file").write_text("in the way")
    for attempt in (run.save, run.report):
        with pytest.raises(ConfigError, match=r"cannot write .*file.*: name a folder") as caught:
            attempt(tmp_path / "file" / "out")
        assert "\n" not in str(caught.value)


def test_a_summary_that_cannot_be_replaced_is_named(tmp_path, run):
    (tmp_path / "result.json").mkdir()
    with pytest.raises(ConfigError, match=r"cannot write .*result\.json"):
        run.save(tmp_path)


def test_loading_nothing_names_the_folder(tmp_path):
    with pytest.raises(DataError, match=r"no saved result in .*nowhere"):
        RunResult.load(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"saved": 1}', "\x00"])
def test_a_summary_of_something_else_is_refused(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(DataError, match="not what save"):
        RunResult.load(tmp_path)


def test_another_format_is_refused(tmp_path):
    (tmp_path / "result.json").write_text('{"saved": {"format": 99}}')
    with pytest.raises(DataError, match="format 99, this version reads 1"):
        RunResult.load(tmp_path)


def test_a_frame_changed_after_saving_is_refused(tmp_path, run):
    path = run.save(tmp_path) / "equity.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"equity\.parquet was changed"):
        RunResult.load(tmp_path)


def test_a_frame_that_is_missing_is_named(tmp_path, run):
    (run.save(tmp_path) / "fills.parquet").unlink()
    with pytest.raises(DataError, match=r"fills\.parquet.*incomplete"):
        RunResult.load(tmp_path)


def test_a_value_that_is_no_number_survives_the_disk(tmp_path, run):
    dataclasses.replace(run, final_value=float("nan")).save(tmp_path)
    assert np.isnan(RunResult.load(tmp_path).final_value)


def test_a_run_without_a_single_bar_keeps_its_cash():
    run = dataclasses.replace(result({}, bars(CLOSES)))
    empty = dataclasses.replace(run, equity=run.equity.iloc[:0])
    assert empty.as_json()["start"] is None
    assert "no bars" in repr(empty)
    assert "no bars" in empty._repr_html_()
    assert Decimal(repr(run.cash)) == 1000
