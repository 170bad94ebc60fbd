import gzip
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from brokers.errors import DataError
from feeds.tables import read


def error_of(path):
    with pytest.raises(DataError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b" \r\n\n", "a.csv is empty"),
        ("a.csv", b"date,open\n", "a.csv has a header (date, open) but no rows"),
        ("a.csv", b"date,open\n,\n\n", "a.csv has a header (date, open) but no rows"),
        ("a.csv", b"date,open\n2024-07-01,\0\n", "a.csv is binary, not text"),
        ("a.csv", bytes(range(256)), "a.csv is binary, not text"),
        ("a.csv.gz", b"date,open", "a.csv.gz is no gzip file"),
        ("a.csv.gz", gzip.compress(b"date,open" * 50, mtime=0)[:-9], "a.csv.gz is no gzip file"),
        ("a.parquet", b"date,open", "a.parquet is no Parquet file"),
        ("a.csv", b"a,b\n1,2,3\n", "a.csv: line 2 has 3 fields, but the header has 2"),
        ("a.csv", b"a,b,c\n1,2\n", "a.csv: line 2 has 2 fields, but the header has 3"),
        ("a.csv", b"a,b\n1,2\n\n1,2,3\n", "a.csv: line 4 has 3 fields, but the header has 2"),
        ("a.csv", b"\n\na,b\n1,2\n1,2,3\n", "a.csv: line 5 has 3 fields, but the header has 2"),
        ("a.csv", b'a,b\n1,2\n3,"4\n', "a.csv is no CSV file"),
        ("a.csv", b"x" * 200_000, "a.csv is no CSV file"),
        ("a.csv", b"Close,close\n1,2\n", "a.csv: columns 'Close' and 'close' are the same"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    assert error_of(tmp_path / name).startswith(expected)


def test_a_missing_file_is_named_with_its_path(tmp_path):
    path = tmp_path / "none.csv"
    assert error_of(path) == f"there is no file or folder {path}: check the path"


def test_what_cannot_be_opened_says_why(tmp_path):
    (tmp_path / "a.csv").symlink_to("a.csv")
    assert "cannot be read: Too many levels of symbolic links" in error_of(tmp_path / "a.csv")


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfDate,Open\r\n1,2\r\n", b"Date,Open\r1,2\r"])
def test_byte_order_marks_and_line_ends_of_other_systems_are_read(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert read(path).frame.to_numpy().tolist() == [["1", 2]]


def test_lines_are_counted_past_blank_ones(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\nDate,Open\n\n1,2\n\n3,x\n")
    table = read(path)
    assert table.lines.tolist() == [4, 6]
    with pytest.raises(DataError, match=r"a.csv: line 6: Open is 'x', not a number"):
        table.numbers("open")


def test_truth_values_are_no_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("date,open\n1,True\n2,True\n")
    with pytest.raises(DataError, match=r"a.csv: line 2: open is 'True', not a number"):
        read(path).numbers("open")


def test_parquet_rows_are_counted_as_rows(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"date": ["1", "2"], "open": ["1.5", "x"]}).to_parquet(path)
    with pytest.raises(DataError, match=r"a.parquet: row 2: open is 'x', not a number"):
        read(path).numbers("open")


def test_decimals_and_text_in_parquet_are_numbers(tmp_path):
    path = tmp_path / "a.parquet"
    cells = {"date": [date(2024, 7, 1)], "open": [Decimal("0.1")], "close": ["0.3"]}
    pd.DataFrame(cells).to_parquet(path)
    table = read(path)
    assert (table.numbers("open")[0], table.numbers("close")[0]) == (0.1, 0.3)


@pytest.mark.parametrize("name", ["Adj Close", "adj_close", "AdjClose", "Adjusted Close"])
def test_the_adjusted_close_is_known_by_all_its_names(tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_text(f"date,{name}\n1,2\n")
    assert read(path).spelled == {"date": "date", "adj close": name}
