import io
import json
import runpy
import signal
import sys

import pytest
from rich.console import Console

import strategies
from analyzers.journal import verify
from backtest import RunResult, complaints, run
from backtest.cli import main
from backtest.commands import Wishes, backtest
from backtest.engine import execute
from backtest.progress import LONG_BARS, STEPS, shown
from backtest.spec import RunSpec
from brokers.errors import ConfigError
from tests.analyzers.small_runs import bars
from tests.backtest.terminal import in_process, in_shell, start

QUICK = ("--start", "2024-01-01", "--end", "2024-06-28")
FILES = {
    "result.json",
    "equity.parquet",
    "orders.parquet",
    "trades.parquet",
    "decisions.jsonl",
    "report.html",
    "chart.png",
}
STRANGER = """
import time
import backtrader as bt

class Stranger(bt.Strategy):
    params = (("fail", False), ("wait", 0.0))

    def next(self):
        if len(self) == 1:
            self.buy(size=float("nan"))
            self.buy()
        time.sleep(self.p.wait)
        if self.p.fail and len(self) == 10:
            raise ValueError("two\\nlines")
"""


STOPPING = """
import signal
import backtrader as bt

class Stopping(bt.Strategy):
    def next(self):
        signal.raise_signal(signal.SIGINT)
"""


@pytest.fixture
def stranger(tmp_path):
    path = tmp_path / "stranger.py"
    path.write_text(STRANGER)
    return f"{path}:Stranger"


def test_json_is_one_object_on_stdout_and_nothing_else(capsys):
    answer = in_process(capsys, "run", "sma_cross", *QUICK, "--json")
    facts = json.loads(answer.out)
    assert (answer.code, answer.err, answer.out.count("\n")) == (0, "", 1)
    assert facts["strategy"] == "sma_cross"
    assert facts["win_rate"] is None or 0 <= facts["win_rate"] <= 1
    assert facts["bars"] == 124


def test_what_a_strategy_prints_does_not_get_into_the_json(capsys, tmp_path):
    path = tmp_path / "talker.py"
    path.write_text(
        "import backtrader as bt\n"
        "class Talker(bt.Strategy):\n"
        "    def stop(self):\n"
        "        print('done')\n"
    )
    answer = in_process(capsys, "run", path, *QUICK, "--json")
    assert json.loads(answer.out)["bars"] == 124
    assert answer.err == "done\n"
    assert "done" in in_process(capsys, "run", path, *QUICK).out


def test_json_in_a_process_of_its_own_says_the_same(capsys):
    words = ("run", "sma_cross", *QUICK, "--json")
    assert in_shell(*words) == in_process(capsys, *words)


def test_the_table_shows_the_main_numbers_plainly(capsys):
    answer = in_process(capsys, "run", "sma_cross", *QUICK)
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["sma_cross", "on", "SPY", "(synthetic", "prices)"] in lines
    assert ["bars", "124"] in lines
    assert ["period", "2024-01-02", "to", "2024-06-28"] in lines
    assert "\x1b" not in answer.out
    assert answer.err == ""


def test_quiet_prints_nothing(capsys):
    assert in_process(capsys, "run", "sma_cross", *QUICK, "--quiet") == (0, "", "")


def test_every_option_reaches_the_run(capsys, tmp_path):
    path = tmp_path / "acme.csv"
    closes = [10, 12, 11, 13, 9, 14, 12, 15] * 5
    bars(closes).reset_index().to_csv(path, index=False)
    words = ["--path", path, "--symbols", "XYZ", "--param", "fast=2", "--param", "slow=3"]
    words += ["--end", "2024-02-04", "--cash", "5000", "--commission", "0.01", "--size", "10"]
    words += ["--slippage-bps", "20", "--risk", "max_order_notional=125", "--json"]
    found = json.loads(in_process(capsys, "run", "sma_cross", *words).out)
    result = run(
        "sma_cross",
        {"XYZ": bars(closes[:35])},
        params={"fast": 2, "slow": 3},
        cash=5000,
        commission=0.01,
        size=10,
        slippage_bps=20,
        risk={"max_order_notional": 125},
    )
    expected = result.as_json()
    assert (found.pop("passports"), expected.pop("passports")) != (None, None)
    assert found == expected
    assert found["refused"] > 0


def test_out_holds_every_file_and_says_where(capsys, tmp_path):
    out = tmp_path / "deep" / "out"
    answer = in_process(capsys, "run", "sma_cross", *QUICK, "--out", out)
    assert {path.name for path in out.iterdir()} >= FILES
    for name in ("report.html", "chart.png", "decisions.jsonl"):
        assert str(out / name) in answer.out
    assert verify(out / "decisions.jsonl").state == "complete"
    assert RunResult.load(out).config["bars"]["source"] == "synthetic"
    assert not any(path.name.startswith(".") for path in out.iterdir())


def test_a_second_run_replaces_the_files_of_the_first(capsys, tmp_path):
    for strategy in ("sma_cross", "buy_and_hold"):
        in_process(capsys, "run", strategy, *QUICK, "--out", tmp_path / "out")
    assert RunResult.load(tmp_path / "out").strategy == "buy_and_hold"
    assert verify(tmp_path / "out" / "decisions.jsonl").state == "complete"


def test_refused_orders_are_counted_with_the_first_reason(capsys, tmp_path):
    words = ("run", "buy_and_hold", *QUICK, "--risk", "max_order_notional=5", "--json")
    answer = in_process(capsys, *words, "--out", tmp_path)
    assert answer.code == 0
    assert "orders were refused, the first one (buy 1 SPY, 2024-01-02 21:00)" in answer.err
    assert "max_order_notional: limit 5" in answer.err
    assert str(tmp_path / "decisions.jsonl") in answer.err
    assert "--out DIR" in in_process(capsys, *words).err


def test_a_long_list_of_symbols_is_cut_in_the_title(capsys):
    words = ("run", "buy_and_hold", *QUICK, "--symbols", "SPY,XLK,XLV,XLF,XLY,XLI")
    assert (
        "buy_and_hold on SPY, XLK, XLV, XLF and 2 more (synthetic prices)\n"
        in in_process(capsys, *words).out
    )


def test_list_names_every_strategy_and_parameter(capsys):
    answer = in_process(capsys, "list")
    assert answer.code == 0
    for name in strategies.names():
        assert name in answer.out
    assert "fast=10" in answer.out


def test_list_goes_on_after_a_strategy_that_cannot_be_imported(capsys, tmp_path, monkeypatch):
    package = tmp_path / "lost-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: lost\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[seawall.strategies]\nastray = nowhere:Gone\n")
    monkeypatch.syspath_prepend(tmp_path)
    answer = in_process(capsys, "list")
    assert answer.code == 0
    assert "sma_cross" in answer.out
    assert "strategy astray of lost cannot be imported" in answer.err


def test_list_as_json_tells_defaults_types_and_meanings(capsys):
    told = {item["name"]: item for item in json.loads(in_process(capsys, "list", "--json").out)}
    fast = told["sma_cross"]["parameters"][0]
    assert fast == {"name": "fast", "default": 10, "type": "int", "doc": "bars of the fast mean."}
    assert told["sma_cross"]["doc"]


@pytest.mark.parametrize("words", [["run", "--help"], ["--help"]])
def test_help_is_shown_and_is_no_error(capsys, words):
    answer = in_process(capsys, *words)
    assert answer.code == 0
    assert "python -m backtest" in answer.out


def test_help_of_run_has_examples(capsys):
    assert "run sma_cross --param fast=5" in in_process(capsys, "run", "--help").out


def test_without_a_command_help_is_shown(capsys):
    answer = in_process(capsys)
    assert (answer.code, answer.err) == (2, "")
    assert "demo" in answer.out


def test_the_module_runs_as_a_program(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["backtest", "list", "--json"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards
    hook = sys.excepthook
    runpy.run_module("backtest.__main__", run_name="imported")
    assert sys.excepthook is hook  # importing has no effect
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("backtest", run_name="__main__")
    assert exit_.value.code == 0
    assert len(json.loads(capsys.readouterr().out)) == len(strategies.names())


def test_a_command_needs_to_know_where_bars_come_from():
    with pytest.raises(ConfigError, match="bars"):
        backtest(RunSpec("buy_and_hold"), Wishes())


# -- a stranger's strategy -------------------------------------------------------------------------


def test_a_strategy_s_own_error_is_one_line_with_its_place(stranger, tmp_path):
    answer = in_shell("run", stranger, *QUICK, "--param", "fail=true", "--out", tmp_path / "out")
    assert answer.code == 1
    assert answer.err.splitlines() == [
        f"error: ValueError: two lines ({tmp_path}/stranger.py:14); --traceback shows all of it"
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_in_python_the_error_itself_comes_through(stranger):
    with pytest.raises(ValueError, match="two\nlines"):
        main(["run", stranger, *QUICK, "--param", "fail=true", "--traceback"])


def test_the_complaint_names_the_innermost_line_where_no_line_is_the_stranger_s(capsys):
    complain = complaints.one_line_for_strangers([])
    try:
        json.loads("{")
    except ValueError as error:
        complain(type(error), error, error.__traceback__.tb_next)
    complain(ValueError, ValueError("x"), None)
    first, second = capsys.readouterr().err.splitlines()
    assert "decoder.py:" in first
    assert second == "error: ValueError: x; --traceback shows all of it"
    assert complaints.one_line_for_strangers(["--traceback"]) is sys.__excepthook__


def _is_under_way(out):
    logs = out.glob(".unfinished-*/decisions.jsonl")
    return any(log.read_text().count("\n") > 1 for log in logs)


def test_an_interrupted_run_says_so_in_json_and_where_it_ends(capsys, tmp_path):
    path = tmp_path / "stopping.py"
    path.write_text(STOPPING)
    code, out, err = in_process(capsys, "run", path, *QUICK, "--json")
    assert (code, json.loads(out)["partial"], json.loads(out)["bars"]) == (130, True, 1)
    assert err == "interrupted: the result is PARTIAL, it ends 2024-01-02 21:00:00+00:00\n"


def test_a_job_in_the_background_of_a_script_is_not_interrupted(tmp_path):
    path = tmp_path / "stopping.py"
    path.write_text(STOPPING)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a process inherits
    try:
        answer = in_shell("run", path, *QUICK, "--json")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (answer.code, json.loads(answer.out)["partial"]) == (0, False)


def test_an_interrupt_before_the_first_bar_says_that_nothing_was_written(capsys, tmp_path):
    path = tmp_path / "hasty.py"
    path.write_text(
        "import signal, backtrader as bt\n"
        "class Hasty(bt.Strategy):\n"
        "    def start(self):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
    )
    answer = in_process(capsys, "run", path, *QUICK, "--out", tmp_path / "out")
    assert answer == (130, "", "interrupted: nothing was written\n")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_interrupt_leaves_every_file_marked_partial(stranger, tmp_path):
    out = tmp_path / "out"
    with start("run", stranger, "--param", "wait=0.02", "--out", out) as process:
        while not _is_under_way(out):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "(PARTIAL)" in told
    assert "interrupted: the result is PARTIAL" in complaint
    assert {path.name for path in out.iterdir()} >= FILES
    assert json.loads((out / "result.json").read_text())["partial"] is True
    assert verify(out / "decisions.jsonl").state == "unfinished"


# -- progress --------------------------------------------------------------------------------------


def progress_of(count, **how):
    terminal = io.StringIO()
    frame = bars([10.0] * count)
    with shown("run", Console(file=terminal, width=80, **how)) as report:
        execute(RunSpec("buy_and_hold"), frame, report=report)
    return terminal.getvalue()


def test_a_long_run_shows_a_bar_on_a_terminal_a_few_times_only():
    text = progress_of(LONG_BARS, force_terminal=True)
    assert f"{LONG_BARS}/{LONG_BARS}" in text
    assert STEPS / 2 < text.count("run") <= 2 * STEPS + 5


@pytest.mark.parametrize(
    ("count", "how"),
    [
        (LONG_BARS, {"force_terminal": False}),
        (LONG_BARS, {"force_terminal": True, "quiet": True}),
        (LONG_BARS - 1, {"force_terminal": True}),
    ],
)
def test_progress_is_silent_elsewhere_and_on_short_runs(count, how):
    assert progress_of(count, **how) == ""
