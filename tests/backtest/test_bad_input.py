"""Bad input: one clear line on stderr, exit code 2, no traceback, and nothing lost."""

import gzip
import shutil

import pytest

from backtest.cli import main
from tests.backtest.terminal import in_process, in_shell
from tests.feeds.servers import Loopback, Reply

HEADER = "Date,Open,High,Low,Close,Volume"
DAYS = [f"2020-01-{day:02d},10,11,9,10.5,100" for day in range(1, 32)]
HOURS = [f"2020-01-02,{hour}:00:00,10,11,9,10.5,100" for hour in range(10, 16)]


def lines(*rows, header=HEADER):
    return "\n".join([header, *rows, ""]).encode()


def changed(number, row):
    return lines(*DAYS[:number], row, *DAYS[number + 1 :])


CONTENTS = {
    "empty": (b"", "bad.csv is empty"),
    "binary": (bytes(range(256)) * 8, "bad.csv is binary"),
    "header without rows": (lines(), "no rows"),
    "columns missing": (lines("2020-01-01,1,2", header="Date,Open,High"), "no column low, close"),
    "rows longer than the header": (lines(*HOURS), "line 2 has 7 fields, but the header has 6"),
    "NaN price": (changed(3, "2020-01-04,10,nan,9,10,1"), "line 5: high"),
    "negative price": (changed(3, "2020-01-04,10,11,-9,10,1"), "line 5: low"),
    "high below low": (changed(3, "2020-01-04,10,8,9,10,1"), "line 5: high"),
    "not a number": (changed(3, "2020-01-04,ten,11,9,10,1"), "line 5: open"),
    "duplicate date": (changed(3, DAYS[2]), "line 5: 2020-01-03"),
    "unsorted dates": (lines(*reversed(DAYS)), "line 3: 2020-01-30"),
    "no time zone": (lines(*HOURS, header=HEADER.replace("Date", "Date,Time")), "no time zone"),
    "mixed time zones": (
        lines("2020-01-01T00:00:00+00:00,1,2,1,2,3", "2020-01-02T00:00:00,1,2,1,2,3"),
        "line 3",
    ),
}
OPTIONS = {
    "unknown parameter": ("--param fats=5", "unknown parameter 'fats': did you mean 'fast'?"),
    "parameter without a value": ("--param fast", "--param fast: write it as name=value"),
    "parameter of the wrong type": ("--param fast=five", "fast='five': give a whole number"),
    "fast not below slow": ("--param fast=30", "fast (30) must be below slow (30)"),
    "start after end": ("--start 2020-02-01 --end 2020-01-01", "start (2020-02-01) must be before"),
    "no date": ("--start 2020-13-01", "start is '2020-13-01', not a date"),
    "no bars in the range": ("--start 2021-01-01", "no bar from 2021-01-01"),
    "too few bars": ("--end 2020-01-10", "10 bars are too few: SmaCross needs at least 30"),
    "no cash": ("--cash 0", "cash=0.0: give a number above 0"),
    "cash of words": ("--cash lots", "'--cash'"),
    "negative commission": ("--commission -1", "commission=-1.0"),
    "negative slippage": ("--slippage-bps -1", "slippage_bps=-1.0"),
    "size NaN": ("--size nan", "size=nan"),
    "size infinite": ("--size inf", "size=inf"),
    "more than all equity": ("--size 150%", "size='150%'"),
    "unknown limit": ("--risk max_ordr=5", "--risk max_ordr: there is no such limit"),
    "negative limit": ("--risk max_order_notional=-5", "max_order_notional=-5"),
    "unknown timeframe": ("--timeframe 2d", "unknown timeframe '2d': use one of 1m"),
    "unknown calendar": ("--calendar XNYX", "unknown calendar 'XNYX': did you mean XNYS"),
    "unknown zone": ("--tz Mars/Olympus", "unknown time zone 'Mars/Olympus'"),
    "unknown option of the feed": ("--option stamp=end", "no option 'stamp': it has"),
    "unknown option": ("--cahs 5", "--cahs"),
}
COMMANDS = {
    "unknown strategy": ("run sma_cros", "no strategy is called 'sma_cros': did you mean"),
    "no such module": ("run nowhere:X", "nowhere"),
    "not a strategy": ("run math:pi", "math:pi is not a Backtrader strategy"),
    "unknown feed": ("run sma_cross --feed fils", "unknown source 'fils': did you mean files?"),
    "unknown symbol": ("run sma_cross --symbols SPX", "no symbol 'SPX': try SPY"),
    "files without a path": ("run sma_cross --feed files", "needs the option 'path'"),
    "missing file": ("run sma_cross --path nope.csv", "no file or folder nope.csv: check"),
    "negative seed": ("run sma_cross --seed -1", "seed is -1"),
    "no strategy": ("run", "'strategy'"),
    "unknown command": ("rnu", "'rnu'"),
    "no key": ("run sma_cross --feed polygon --symbols A", "POLYGON_API_KEY"),
}


def assert_one_clear_line(answer, *culprits):
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    for culprit in culprits:
        assert str(culprit).lower() in answer.err.lower()


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.csv"
    path.write_bytes(lines(*DAYS))
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with the results of a run."""
    folder = tmp_path_factory.mktemp("results")
    path = folder / "good.csv"
    path.write_bytes(lines(*DAYS))
    assert main(["run", "buy_and_hold", "--path", str(path), "--out", f"{folder}/out"]) == 0
    return folder / "out"


@pytest.fixture
def earlier(results, tmp_path):
    """A copy of them, and what is in it."""
    out = shutil.copytree(results, tmp_path / "out")
    return out, contents(out)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_wrong_file_is_named_with_the_line(capsys, tmp_path, case):
    content, culprit = CONTENTS[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    timeframe = "1h" if case == "no time zone" else "1d"
    answer = in_process(capsys, "run", "sma_cross", "--path", path, "--timeframe", timeframe)
    assert_one_clear_line(answer, "bad.csv", culprit)


def test_a_file_that_only_looks_compressed_is_named(capsys, tmp_path):
    path = tmp_path / "bad.csv.gz"
    path.write_bytes(gzip.compress(lines(*DAYS))[:60])
    assert_one_clear_line(in_process(capsys, "run", "sma_cross", "--path", path), "bad.csv.gz")


@pytest.mark.parametrize("case", OPTIONS)
def test_a_wrong_option_is_named_with_what_would_be_right(capsys, good, case):
    words, culprit = OPTIONS[case]
    answer = in_process(capsys, "run", "sma_cross", "--path", good, *words.split())
    assert_one_clear_line(answer, culprit)


@pytest.mark.parametrize("case", COMMANDS)
def test_a_wrong_command_is_named_with_what_would_be_right(capsys, monkeypatch, case):
    monkeypatch.delenv("POLYGON_API_KEY", raising=False)
    monkeypatch.delenv("MASSIVE_API_KEY", raising=False)
    words, culprit = COMMANDS[case]
    assert_one_clear_line(in_process(capsys, *words.split()), culprit)


def test_a_refused_key_is_told_from_an_empty_answer(capsys, monkeypatch):
    monkeypatch.setenv("POLYGON_API_KEY", "wrong")
    said = {"status": "ERROR", "error": "Unknown API Key"}
    with Loopback(lambda request: Reply.of(said, 401)) as server:
        words = ("--feed", "polygon", "--symbols", "A", "--start", "2024-01-01")
        answer = in_process(capsys, "run", "sma_cross", *words, "--option", f"base={server.url}")
    assert_one_clear_line(answer, "the key was refused", "Unknown API Key")


@pytest.mark.parametrize(
    "words",
    ["--param fast=40", "--end 2020-01-10", "--path nope.csv", "--size nan", "--symbols A --tz X"],
)
def test_a_failed_run_leaves_earlier_results_alone(capsys, good, earlier, words):
    out, before = earlier
    answer = in_process(capsys, "run", "sma_cross", "--path", good, "--out", out, *words.split())
    assert_one_clear_line(answer)
    assert contents(out) == before


@pytest.mark.parametrize("room", [1_500, 9_000, 60_000])
def test_a_full_disk_leaves_earlier_results_alone(capsys, good, earlier, file_size_limit, room):
    """In the log, among the tables, and at the report."""
    out, before = earlier
    file_size_limit(room)
    answer = in_process(capsys, "run", "buy_and_hold", "--path", good, "--out", out)
    file_size_limit(None)
    assert_one_clear_line(answer, out, "File too large")
    assert ".unfinished" not in answer.err
    assert contents(out) == before


@pytest.mark.parametrize("place", ["good.csv/out", "good.csv"])
def test_a_folder_that_cannot_be_made_is_named(capsys, good, place):
    out = good.parent / place
    answer = in_process(capsys, "run", "buy_and_hold", "--path", good, "--out", out)
    assert_one_clear_line(answer, f"cannot write to {out}", "name another folder")


def test_a_process_of_its_own_says_the_same():
    answer = in_shell("run", "sma_cross", "--json", "--out", "/dev/null/out")
    assert_one_clear_line(answer, "cannot write to /dev/null/out")


def test_orders_of_no_size_are_refused_or_never_made(capsys, tmp_path, good):
    """NaN and infinity are refused one by one; 0 is None to Backtrader, which makes no order."""
    path = tmp_path / "odd.py"
    path.write_text(
        "import backtrader as bt\n"
        "class Odd(bt.Strategy):\n"
        "    def next(self):\n"
        "        if len(self) == 1:\n"
        "            for size in (float('nan'), float('inf'), 0):\n"
        "                order = self.buy(size=size)\n"
        "                assert (order is None) == (size == 0)\n"
    )
    answer = in_process(capsys, "run", path, "--path", good)
    assert answer.code == 0
    assert "2 of 2 orders were refused, the first one (buy nan GOOD" in answer.err
