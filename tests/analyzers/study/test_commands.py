import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from analyzers.__main__ import app
from analyzers.study.dataset import Dataset
from analyzers.study.ranking import RankingReport
from tests.strategies.stage import walk

RUN = CliRunner()


@pytest.fixture
def closes(tmp_path):
    """Four symbols of which only closes are known, in one file."""
    table = pd.DataFrame({name: walk(400, seed)["close"] for seed, name in enumerate("ABCD")})
    path = tmp_path / "closes.csv"
    table.to_csv(path, index_label="Date")
    return path


def invoke(*args):
    return RUN.invoke(app, [str(arg) for arg in args])


def test_ranking_writes_the_report_and_the_history(closes, tmp_path):
    out = tmp_path / "ranking.json"
    done = invoke("ranking", "--path", closes, "--out", out)
    assert done.exit_code == 0, done.output
    assert "information coefficient" in done.output
    report = RankingReport.load(out)
    last = pd.read_parquet(out.with_suffix(".parquet")).tail(4)
    assert {row.symbol: row.rank for row in report.ranking} == dict(
        zip(last["symbol"], last["rank"], strict=True)
    )


def test_ranking_as_json_is_the_report_itself(closes, tmp_path):
    out = tmp_path / "ranking.json"
    done = invoke("ranking", "--path", closes, "--out", out, "--json", "--weight", "reversal=1")
    assert done.output.encode() == out.read_bytes()
    assert json.loads(done.output)["settings"]["weights"] == {"reversal": 1.0}


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--weight", "luck=1"], "no factor 'luck'"),
        (["--weight", "reversal=much"], "give a number"),
        (["--every", "0"], "at least 1"),
    ],
)
def test_ranking_of_nonsense_is_one_line(closes, tmp_path, args, text):
    done = invoke("ranking", "--path", closes, "--out", tmp_path / "out.json", *args)
    assert done.exit_code == 2
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


def test_a_place_that_takes_no_table_is_named(closes, tmp_path):
    (tmp_path / "ranking.parquet").mkdir()
    done = invoke("ranking", "--path", closes, "--out", tmp_path / "ranking.json")
    assert done.exit_code == 2
    assert "ranking.parquet" in done.stderr


def test_dataset_writes_a_set_and_says_what_is_in_it(closes, tmp_path):
    done = invoke("dataset", "--path", closes, "--out", tmp_path / "ml")
    assert done.exit_code == 0, done.output
    made = Dataset.load(tmp_path / "ml")
    assert f"{made.manifest['rows']:,} rows of 4 symbols" in done.output
    assert "left out, nothing determines them: parkinson" in done.output


def test_dataset_as_json_is_its_manifest(closes, tmp_path):
    words = ("--features", "return_5, month", "--label", "return", "--horizon", "3", "--json")
    done = invoke("dataset", "--path", closes, "--out", tmp_path / "ml", *words)
    told = json.loads(done.output)
    assert told == dict(Dataset.load(tmp_path / "ml").manifest)
    assert list(told["features"]) == ["return_5", "month"]


def test_dataset_of_a_label_that_is_none_is_one_line(closes, tmp_path):
    done = invoke("dataset", "--path", closes, "--out", tmp_path / "ml", "--label", "up")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_ranking_works_at_once_on_the_embedded_market_and_is_neutral_on_request(tmp_path):
    out, chart = tmp_path / "ranking.json", tmp_path / "ranking.png"
    words = ("--start", "2024-01-02", "--neutral", "--chart", chart, "--out", out)
    done = invoke("rank", *words)
    assert done.exit_code == 0, done.output
    report = RankingReport.load(out)
    assert (report.universe, report.settings["neutral"]) == (60, True)
    sectors = {row.symbol: row.sector for row in report.ranking}
    assert (sectors["OIL1"], None in sectors.values()) == ("Energy", False)
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_sector_map_says_who_competes_with_whom(closes, tmp_path):
    (tmp_path / "map.csv").write_text("symbol,sic\nA,2911\nB,1311\nC,4911\nD,4911\nE,4911\n")
    out = tmp_path / "ranking.json"
    words = ("--sectors", tmp_path / "map.csv", "--neutral", "--out", out)
    done = invoke("ranking", "--source", "files", "--path", closes, *words)
    assert done.exit_code == 0, done.output
    sectors = {row.symbol: row.sector for row in RankingReport.load(out).ranking}
    assert sectors == {"A": "Energy", "B": "Energy", "C": "Utilities", "D": "Utilities"}


def test_neutral_without_a_map_is_one_line(closes, tmp_path):
    done = invoke("ranking", "--path", closes, "--neutral", "--out", tmp_path / "out.json")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "give the sectors" in done.stderr


def test_symbols_of_a_file_that_have_no_bars_are_told(closes, tmp_path):
    (tmp_path / "names.txt").write_text("A\nB\nNOPE\n")
    out = tmp_path / "ranking.json"
    invoke("ranking", "--path", closes, "--universe", tmp_path / "names.txt", "--out", out)
    assert list(RankingReport.load(out).missing) == ["NOPE"]


def test_a_set_of_the_embedded_market_knows_its_sectors(tmp_path):
    words = ("--features", "against_sector_5,return_5", "--start", "2025-06-02")
    done = invoke("mlprep", *words, "--out", tmp_path / "ml", "--json")
    told = json.loads(done.output)
    assert (told["sectors"]["OIL1"], told["left_out"]) == ("Energy", [])
