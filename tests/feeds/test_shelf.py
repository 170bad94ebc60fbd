from pathlib import Path

import pytest

from brokers.errors import DataError
from feeds.shelf import files_of, symbol_of


def folder_of(tmp_path, *names):
    for name in names:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("nvda-1999-2014.txt", "NVDA"),
        ("IBM_daily.CSV", "IBM"),
        ("ko.txt.gz", "KO"),
        ("BRK.B.csv.gz", "BRK.B"),
        ("prices", "PRICES"),
    ],
)
def test_a_file_name_begins_with_its_symbol(name, symbol):
    assert symbol_of(Path(name)) == symbol


def test_the_whole_name_goes_before_the_first_word(tmp_path):
    folder = folder_of(tmp_path, "brk-b.csv", "brk-a.csv")
    assert files_of(folder, ["BRK-A"]) == {"BRK-A": folder / "brk-a.csv"}


def test_without_symbols_every_file_is_one(tmp_path):
    folder = folder_of(tmp_path, "b.csv", "A-1.parquet", "README.md")
    assert list(files_of(folder, [])) == ["A", "B"]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("NVDIA", "the nearest are NVDA"), ("ZZZ", "there are AAA, BBB, CCC, DDD, EEE and 1 more")],
)
def test_an_unknown_symbol_names_those_that_exist(tmp_path, asked, hint):
    names = ("AAA", "BBB", "CCC", "DDD", "EEE", "NVDA")
    folder = folder_of(tmp_path, *(f"{name}.csv" for name in names))
    with pytest.raises(DataError) as caught:
        files_of(folder, [asked])
    assert str(caught.value) == f"{tmp_path.name} has no file of symbol {asked!r}: {hint}"


def test_a_symbol_with_two_files_must_be_named_by_its_path(tmp_path):
    folder = folder_of(tmp_path, "a-1999.csv", "a-2014.csv")
    with pytest.raises(DataError, match=r"several files of 'A': name a-1999.csv and a-2014.csv"):
        files_of(folder, ["A"])


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no .csv, .txt, .csv.gz, .txt.gz, .parquet file"):
        files_of(folder_of(tmp_path, "README.md"), [])
