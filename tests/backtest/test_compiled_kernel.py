"""How the kernel's functions are built and kept."""

from pathlib import Path

import pandas as pd

from backtest import compiled
from backtest.compiled import kernel as building
from backtest.compiled.kernel import kernel, rebuilt
from backtest.compiled.warming import warm
from backtest.spec import RunSpec
from brokers import fills


def test_the_kernel_is_built_once():
    assert kernel() is kernel()


def test_fill_rules_are_compiled_and_brokers_fills_stays_python():
    assert kernel().fill_limit.py_func.__code__ is fills.fill_limit.__code__
    assert type(fills.fill_limit).__name__ == "function"


def test_a_rebuilt_function_finds_the_names_it_is_given():
    def double(value, *, times=2):
        return twice(value) * times

    other = rebuilt(double, {"twice": lambda value: value + 1})
    assert other(4) == 10
    assert other.__qualname__ == double.__qualname__


def twice(value):
    return 2 * value


def test_compiled_code_lies_below_the_folder_that_numba_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = building.cache_folder()
    assert folder.parent == tmp_path
    assert folder.is_dir()


def test_compiled_code_lies_in_the_users_cache_else(monkeypatch, tmp_path):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert building.cache_folder().parent == tmp_path / "seawall" / "kernel"


def test_where_nothing_can_be_written_nothing_is_kept(monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(file))
    folder = building.cache_folder()
    assert folder is None
    with building._cached_in(folder) as is_kept:
        assert not is_kept


def test_everything_that_python_calls_is_compiled_beforehand():
    warm()
    assert (building.cache_folder() / building.COMPLETE).exists()


def test_one_form_of_the_kernel_serves_one_feed_and_several():
    dates = pd.date_range("2024-01-02", periods=40, freq="D", tz="UTC", name="time")
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)
    frames = {name: pd.DataFrame(prices, dates[start:]) for name, start in (("A", 0), ("B", 3))}
    compiled.confirm(RunSpec("buy_and_hold"), {"A": frames["A"]}, [{}])
    compiled.confirm(RunSpec("buy_and_hold"), frames, [{}])
    assert len(kernel().run_sets.signatures) == 1


def test_every_module_of_the_kernel_counts_for_its_folder():
    names = {Path(str(module.__file__)).name for module in building.MODULES + building.CONSTANTS}
    assert {"fills.py", "broker.py", "pursuit.py", "columns.py", "metrics.py"} <= names
