import json

import pytest

from backtest import SweepResult
from backtest.cli import main
from tests.backtest.sweep_stage import walk
from tests.backtest.terminal import in_process
from tests.backtest.test_bad_input import assert_one_clear_line

GRID = ("--grid", "fast=2:6", "--grid", "slow=5:8")


@pytest.fixture
def bars(tmp_path, monkeypatch):
    monkeypatch.setenv("SEAWALL_LEDGER", str(tmp_path / "ledger.sqlite"))
    path = tmp_path / "bars.csv"
    walk().rename_axis("date").to_csv(path)
    return path


def swept(capsys, bars, *words, grid=GRID):
    usual = ("sweep", "sma_cross", "--path", bars, "--tz", "UTC", "--backend", "sequential")
    return in_process(capsys, *usual, *grid, *words)


def test_the_sweep_prints_the_best_sets_with_the_number_of_trials(capsys, bars):
    answer = swept(capsys, bars)
    assert answer.code == 0
    assert "sets           11, 1 left out by the constraint" in answer.out
    assert "5 confirmed in Backtrader" in answer.out
    assert "the best of 11 trials" in answer.out
    assert "DSR" in answer.out
    assert answer.err == ""


def test_the_json_is_one_object_on_stdout(capsys, bars):
    told = json.loads(swept(capsys, bars, "--json", "--engine", "cerebro").out)
    assert (told["sets"], told["left_out"], told["engine"]) == (11, 1, "cerebro")
    assert told["best"]["fast"] < told["best"]["slow"]
    assert 0 <= told["dsr"] <= told["psr"] <= 1
    assert 0 <= told["pbo"] <= 1


def test_the_folder_receives_sets_report_and_pictures(capsys, bars, tmp_path):
    answer = swept(capsys, bars, "--out", tmp_path / "out", "--quiet")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "sweep.json", "sets.parquet", "sets.csv", "report.html", "heatmap.png", "parallel.png",
    }  # fmt: skip
    assert "of 11 trials" in (tmp_path / "out" / "report.html").read_text()
    assert len(SweepResult.load(tmp_path / "out")) == 11
    assert f"report  {tmp_path / 'out' / 'report.html'}" in answer.out


def test_options_of_the_search_and_of_the_run_are_heard(capsys, bars):
    words = ("--search", "tpe", "--trials", "5", "--objective", "calmar", "--size", "50%")
    told = json.loads(swept(capsys, bars, *words, "--commission", "0.001", "--json").out)
    assert (told["search"], told["objective"], told["sets"]) == ("tpe", "calmar", 5)
    again = json.loads(swept(capsys, bars, *words, "--commission", "0.001", "--json").out)
    afresh = json.loads(swept(capsys, bars, *words, "--afresh", "--json").out)
    assert (again["known"], afresh["known"]) == (5, 0)


def test_pruned_sets_are_told_beside_the_others_and_are_no_failures(capsys, bars, tmp_path):
    walk(1000).rename_axis("date").to_csv(bars)
    words = ("--search", "tpe", "--trials", "8", "--engine", "cerebro", "--out", tmp_path / "out")
    answer = swept(capsys, bars, *words)
    result = SweepResult.load(tmp_path / "out")
    assert 0 < result.outcomes.pruned < 8
    assert f"sets           8, {result.outcomes.pruned} pruned" in answer.out
    assert f"8 sets, {result.outcomes.pruned} pruned of 8 trials" in repr(result)
    assert "warning" not in answer.err
    told = json.loads(swept(capsys, bars, *words, "--no-prune", "--json").out)
    assert (told["pruned"], told["failed"], told["trials"]) == (0, 0, 8)


def test_a_fixed_parameter_and_a_constraint_are_heard(capsys, bars):
    words = ("--param", "slow=30", "--constraint", "fast % 2 == 0", "--json")
    told = json.loads(swept(capsys, bars, *words, grid=("--grid", "fast=2:8")).out)
    assert (told["sets"], told["left_out"], told["best"]["slow"]) == (3, 3, 30)


def test_sets_that_failed_are_a_warning(capsys, bars):
    answer = swept(capsys, bars, grid=("--grid", "slow=20,300"))
    assert answer.code == 0
    assert "warning: 1 of 2 sets failed, the first one (row 1): " in answer.err
    assert "150 bars are too few" in answer.err


WRONG = {
    "no grid": ((), "grid: there are no parameters"),
    "no such parameter": (("--grid", "fats=1:5"), "did you mean 'fast'"),
    "no range": (("--grid", "fast=5:"), "--grid fast=5:: write a range"),
    "wrong type": (("--grid", "fast=1,x"), "fast='x': give a whole number"),
    "half a number": (("--grid", "fast=1:5:0.5"), "fast=1.0: give a whole number"),
    "twice": (("--grid", "fast=1:5", "--grid", "fast=5:9"), "--grid fast is given twice"),
    "all denied": (("--grid", "fast=40:50"), "every one of its 10 sets violates"),
    "all fail": (("--grid", "slow=300:303"), "every one of the 3 sets failed"),
    "objective": ((*GRID, "--objective", "shape"), "did you mean 'sharpe'"),
    "backend": ((*GRID, "--backend", "lok"), "did you mean 'loky'"),
    "jobs": ((*GRID, "--jobs", "0"), "jobs=0"),
    "trials": ((*GRID, "--trials", "5"), "trials: a grid tries every set"),
    "constraint": ((*GRID, "--constraint", "fast <"), "this is no expression"),
    "ledger": ((*GRID, "--ledger", "/dev/null/x/y"), "cannot make the folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_one_clear_line(capsys, bars, case):
    words, culprit = WRONG[case]
    assert_one_clear_line(swept(capsys, bars, grid=words), culprit)


def test_a_damaged_ledger_is_named(capsys, bars, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a ledger\n" * 99)
    assert_one_clear_line(swept(capsys, bars, "--ledger", path), "is damaged or no ledger")


def test_help_says_that_the_end_of_a_range_is_left_out(capsys):
    assert main(["sweep", "--help"]) == 0
    assert "25 itself is not tried" in " ".join(capsys.readouterr().out.replace("│", "").split())


INTERRUPTED = """
import backtrader as bt

class Stopped(bt.Strategy):
    params = (("period", 1),)

    def next(self):
        if self.p.period == {at}:
            raise KeyboardInterrupt
        if len(self) % 9 == 0:
            self.buy() if not self.position else self.close()
"""


@pytest.mark.parametrize(
    ("at", "told"),
    [(3, "PARTIAL: 2 sets were finished; the same command goes on"), (1, "finished sets are in")],
)
def test_an_interrupted_sweep_exits_with_130_and_says_how_to_go_on(
    capsys, bars, tmp_path, at, told
):
    path = tmp_path / "stopped.py"
    path.write_text(INTERRUPTED.format(at=at))
    usual = ("--path", bars, "--tz", "UTC", "--backend", "sequential", "--grid", "period=1:5")
    answer = in_process(capsys, "sweep", path, *usual)
    assert answer.code == 130
    assert told in answer.err
