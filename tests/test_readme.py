"""The README's code runs as it stands."""

import gc
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCKS = re.findall(r"```(python|sh)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [
    line.partition("  #")[0].split()
    for language, code in BLOCKS
    if language == "sh"
    for line in code.splitlines()
    if line.startswith("python -m ")
]


def run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_notebook_block_runs_and_writes_its_report(tmp_path):
    done = run([sys.executable, "-W", "error", "-c", PYTHON[0]], tmp_path)
    assert done.stderr == ""
    assert (tmp_path / "report.html").read_text().lower().startswith("<!doctype html>")


def test_strategy_block_is_a_strategy_in_one_file(tmp_path):
    (tmp_path / "dip_buyer.py").write_text(PYTHON[1])
    argv = [sys.executable, "-m", "backtest", "run", "dip_buyer.py:DipBuyer", "--json"]
    done = run(argv, tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"params": {"period": 14, "low": 30.0, "high": 55.0}' in done.stdout


def test_commands_do_what_the_readme_says(tmp_path, monkeypatch, capsys):
    local = [command for command in COMMANDS if "yahoo" not in command]
    assert len(local) == len(COMMANDS) - 1  # Yahoo needs the internet
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for _, _, room, *words in local:
        monkeypatch.setattr(sys, "argv", [room, *words])
        code = import_module(f"{room}.__main__").run()
        assert code == 0, (room, words, capsys.readouterr().err)
    gc.unfreeze()  # as `live` left it


@pytest.mark.parametrize("target", ["demo", "test", "check", "prove", "bench"])
def test_targets_of_the_readme_exist(target):
    done = run(["make", "-C", str(ROOT), "--dry-run", target], ROOT)
    assert done.returncode == 0, done.stderr


def test_every_picture_and_page_that_it_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []
