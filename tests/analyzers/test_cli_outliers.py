"""The outliers of any feed as a command, at once on the embedded market."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from analyzers.__main__ import app
from analyzers.outlier import OutlierReport
from tests.analyzers.outliers.stage import Stage

RUN = CliRunner()
SYNTHETIC = ("--symbols", "SPY,MED1,MED2,MED3,MED4,MED5,MED6")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def invoke(*words: str) -> Any:
    return RUN.invoke(app, ["outliers", *words])


@pytest.fixture
def minutes(tmp_path: Path) -> str:
    """Two symbols' minutes, a file each."""
    stage = Stage(("AAA", "SPY"))
    stage.set("AAA", slice(2, 10), "close", 130.0)
    for symbol, frame in stage.bars.items():
        frame.to_csv(tmp_path / f"{symbol}.csv", index_label="time")
    return str(tmp_path)


def test_a_day_of_the_embedded_market_is_screened_and_written() -> None:
    done = invoke(*SYNTHETIC, "--date", "2024-02-07", "--chart", "1")
    assert done.exit_code == 0, done.output
    assert "outliers of 2024-02-07" in done.output
    report = OutlierReport.load(Path("data/outliers/2024-02-07.json"))
    assert report.days[0].hits[0].sector == "Health Care"
    assert Path(f"data/outliers/2024-02-07-{report.candidates[0].symbol}.png").exists()


def test_a_week_has_candidates_and_json_is_the_report() -> None:
    Path("sectors.csv").write_text("symbol,sector\nMED1,Energy\n")
    week = ("--week", "2024-02-05", "--sectors", "sectors.csv", "--out", "week.json")
    done = invoke(*SYNTHETIC, *week, "--json")
    assert done.stdout.encode() == Path("week.json").read_bytes()
    report = json.loads(done.stdout)
    assert len(report["days"]) == 5
    assert {one["sector"] for one in report["candidates"]} <= {"Energy", None}


def test_files_of_minutes_need_no_days_beside_them(minutes: str) -> None:
    done = invoke("--path", minutes, "--option", "tz=UTC")
    assert done.exit_code == 0, done.output
    day = OutlierReport.load(Path("data/outliers/2024-02-07.json")).days[0]
    assert {hit.symbol for hit in day.hits} == {"AAA"}
    assert day.hits[0].scores["gap"].value is not None


def test_daily_files_are_refused(tmp_path: Path) -> None:
    index = pd.date_range("2024-02-01", periods=5, freq="h", tz="UTC", name="time")
    columns = ("open", "high", "low", "close", "volume")
    pd.DataFrame(dict.fromkeys(columns, 1.0), index=index).to_csv(tmp_path / "night.csv")
    done = invoke("--path", str(tmp_path / "night.csv"), "--option", "tz=UTC")
    assert done.exit_code == 2
    assert "the last bar lies in no session of XNYS" in done.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--date", "yesterday"), "'yesterday' is no date"),
        (("--date", "2024-02-07", "--week", "2024-02-07"), "one of them"),
        (("--date", "2024-02-07", "--timeframe", "1d"), "screened in intraday bars"),
        (("--date", "2024-02-07", "--symbols", "AAPL"), "AAPL"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], text: str) -> None:
    done = invoke(*words)
    assert done.exit_code == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
