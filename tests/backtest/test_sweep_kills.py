"""A sweep that is killed and started again, as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pandas as pd

from backtest import SweepResult
from tests.backtest.sweep_stage import walk
from tests.backtest.terminal import CHECKOUT

STRATEGY = """
import sys
import backtrader as bt

class Told(bt.Strategy):
    params = (("period", 5), ("factor", 1.0))

    def __init__(self):
        self.mean = bt.ind.SMA(period=self.p.period)

    def next(self):
        if len(self) == self.p.period:
            print("begun", self.p.period, self.p.factor, flush=True)
        if not self.position and self.data.close[0] > self.mean[0] * self.p.factor:
            self.buy()
        elif self.position and self.data.close[0] < self.mean[0]:
            self.close()
"""
SETS = 60


def prepare(folder, bars=150):
    """Strategy and bars as files."""
    (folder / "told.py").write_text(STRATEGY)
    walk(bars).rename_axis("date").to_csv(folder / "bars.csv")


def words(folder, ledger, *more):
    """A command line that sweeps them."""
    how = f"--grid period=2:32 --grid factor=1,1.01 --path {folder}/bars.csv --tz UTC --json"
    kept = f"--ledger {folder}/{ledger} --out {folder}/{ledger}-out"
    return ["sweep", f"{folder}/told.py", *how.split(), *kept.split(), *more]


def start(*arguments):
    """Start the command in a group of its own, so that its workers can be killed with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "backtest", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip


def begun(lines):
    """The sets that a sweep began to run."""
    return {tuple(line.split()[1:]) for line in lines if line.startswith("begun")}


def killed(after, *arguments):
    """Kill the command when so many sets have begun; False when it ended before."""
    lines = []
    with start(*arguments) as process:
        for line in process.stderr:
            lines.append(line)
            if len(begun(lines)) == after:
                os.killpg(process.pid, signal.SIGKILL)
                break
        process.communicate()
    return process.returncode == -signal.SIGKILL


def finished(folder, ledger, *more):
    """The sweep's answer, its table, and which sets it ran."""
    with start(*words(folder, ledger, *more)) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out), SweepResult.load(folder / f"{ledger}-out").table, begun(err.split("\n"))


def check(folder, kills):
    """Killed in turn after so many sets, with so many workers, it ends as the undisturbed one."""
    prepare(folder)
    for after, workers in kills:
        how = ("--jobs", f"{workers}") if workers else ("--backend", "sequential")
        killed(after, *words(folder, "killed", *how))
    answer, table, ran = finished(folder, "killed", "--backend", "sequential")
    whole, undisturbed, _ = finished(folder, "whole", "--backend", "sequential")
    pd.testing.assert_frame_equal(table, undisturbed, check_exact=True)
    for name in ("best", "psr", "dsr", "pbo", "sets", "trials"):
        assert answer[name] == whole[name], name
    assert answer["known"] + len(ran) == SETS
    return answer["known"]


def test_a_sweep_killed_and_started_again_repeats_nothing_and_ends_the_same(tmp_path):
    assert check(tmp_path, [(19, 0), (31, 2)]) >= 18


def test_a_pruned_search_killed_and_started_again_repeats_nothing_and_ends_the_same(tmp_path):
    prepare(tmp_path, bars=1000)
    how = ("--search", "tpe", "--trials", "16", "--backend", "sequential")
    assert killed(9, *words(tmp_path, "killed", *how))
    answer, table, ran = finished(tmp_path, "killed", *how)
    whole, undisturbed, _ = finished(tmp_path, "whole", *how)
    pd.testing.assert_frame_equal(table, undisturbed, check_exact=True)
    assert answer["pruned"] == whole["pruned"] > 0
    assert answer["trials"] == whole["trials"] == 16
    assert answer["known"] + len(ran) == 16
    assert answer["known"] >= 8


def random_kills(chunk):
    """For `python -m tests.prove sweep`: kills at random moments."""
    source = Random(chunk)
    kills = [(source.randint(1, 30), source.choice([0, 2])) for _ in range(source.randint(1, 4))]
    with TemporaryDirectory() as folder:
        check(Path(folder), kills)
    return len(kills)
