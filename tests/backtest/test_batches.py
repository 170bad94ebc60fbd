"""Real worker processes, some of which die."""

import sys

import pytest

from backtest.batches import Batches
from backtest.crew import crew
from backtest.one_set import Bench
from backtest.outcomes import concat
from backtest.parcel import Workload
from backtest.spec import RunSpec
from brokers.errors import ConfigError, DataError
from tests.backtest.sweep_stage import Above, Prints, in_notebook, walk

FRAMES = {"ACME": walk()}


def sets_of(periods, **fixed):
    usual = {"period": 0, "raises": (), "dies": (), "factor": 1.0, **fixed}
    return {row: {**usual, "period": period} for row, period in enumerate(periods)}


def evaluated(strategy, sets, workers=2):
    """Final value, or the reason, of every set by its number."""
    with crew("loky", workers, Workload(RunSpec(strategy), FRAMES, "cerebro")) as hands:
        parts = list(Batches(hands, sets).outcomes())
    assert sorted(row for rows, _ in parts for row in rows) == sorted(sets)
    return {
        row: part.failures.get(place, float(part.metrics["final_value"][place]))
        for rows, part in parts
        for place, row in enumerate(rows)
    }


def in_this_process(strategy, sets):
    bench = Bench(RunSpec(strategy), FRAMES)
    rows = concat([bench.evaluate(params) for params in sets.values()])
    return dict(zip(sets, rows.metrics["final_value"].tolist(), strict=True))


def test_workers_find_what_one_process_finds():
    sets = sets_of(range(2, 40))
    assert evaluated(Above, sets) == in_this_process(Above, sets)


def test_a_strategy_from_a_notebook_reaches_the_workers():
    sets, cell = sets_of(range(2, 8)), in_notebook(Above)
    assert evaluated(cell, sets) == in_this_process(Above, sets)


def test_a_worker_that_dies_takes_its_own_set_alone():
    sets = sets_of(range(2, 22), dies=(9,), raises=(5,))
    found = evaluated(Above, sets)
    assert found.pop(7).startswith("lost: its worker process died (EXIT(3))")
    assert found.pop(3).startswith("ValueError: no luck with 5")
    fine = {row: params for row, params in sets.items() if row in found}
    assert found == in_this_process(Above, fine)


def test_a_lone_worker_is_a_process_of_its_own():
    found = evaluated(Above, sets_of([3, 4], dies=(3,)), workers=1)
    assert found[0].startswith("lost: ")
    assert isinstance(found[1], float)


def test_workers_that_all_die_end_the_sweep():
    load = Workload(RunSpec(Above), FRAMES, "cerebro")
    sets = sets_of((2, 3), dies=(2, 3))
    words = r"every worker died: its worker process died \(EXIT\(3\)"
    with crew("loky", 2, load) as hands, pytest.raises(DataError, match=words):
        list(Batches(hands, sets, hopeless=1).outcomes())


def test_what_strategies_print_goes_to_stderr(capfd):
    evaluated(Prints, {0: {"period": 5}})
    captured = capfd.readouterr()
    assert "strategy says 5" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(("backend", "module"), [("ray", "ray"), ("dask", "distributed")])
def test_a_backend_that_is_not_installed_is_named(monkeypatch, backend, module):
    monkeypatch.setitem(sys.modules, module, None)
    load = Workload(RunSpec(Above), FRAMES, "cerebro")
    missing = pytest.raises(ConfigError, match=rf"pip install 'seawall\[{backend}\]'")
    with missing, crew(backend, 2, load):
        pass
