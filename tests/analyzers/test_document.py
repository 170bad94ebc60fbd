import json
from typing import ClassVar

import pytest

from analyzers.document import Document, Number, Part
from brokers.errors import ConfigError, DataError


class Row(Part):
    name: str
    value: Number


class Table(Document):
    VERSION: ClassVar[int] = 2
    COMMAND: ClassVar[str] = "python -m analyzers table"

    rows: tuple[Row, ...] = ()


TABLE = Table(schema_version=2, rows=(Row(name="Ä", value=0.1), Row(name="b", value=None)))


@pytest.mark.parametrize("unknown", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_null_never_zero(unknown):
    assert Row(name="a", value=unknown).value is None
    assert b"null" in Table(schema_version=2, rows=(Row(name="a", value=unknown),)).as_bytes()


def test_a_saved_report_is_read_as_it_was(tmp_path):
    TABLE.save(tmp_path / "new" / "table.json")
    assert Table.load(tmp_path / "new" / "table.json") == TABLE
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["table.json"]


def test_the_bytes_are_json_in_the_declared_order(tmp_path):
    told = json.loads(TABLE.as_bytes())
    assert list(told) == ["schema_version", "rows"]
    assert told["rows"][0] == {"name": "Ä", "value": 0.1}


def test_a_report_of_another_schema_says_what_to_do(tmp_path):
    path = tmp_path / "table.json"
    path.write_text('{"schema_version": 1}')
    with pytest.raises(DataError, match="version 1, this program reads 2: write it anew with"):
        Table.load(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[]", "schema version None"),
        ("{", "damaged"),
        ('{"schema_version": 2, "rows": [{"name": 3, "value": 1}]}', r"rows\.0\.name"),
        ('{"schema_version": 2, "more": 1}', "more"),
    ],
)
def test_a_damaged_report_is_no_report(tmp_path, content, text):
    path = tmp_path / "table.json"
    path.write_text(content)
    with pytest.raises(DataError, match=text):
        Table.load(path)


def test_a_missing_report_names_the_command(tmp_path):
    with pytest.raises(DataError, match="python -m analyzers table"):
        Table.load(tmp_path / "none.json")


def test_a_folder_that_takes_no_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        TABLE.save(tmp_path / "file" / "table.json")
