"""A CSV or Parquet file as a table that knows where each of its rows stands in the file."""

import csv
import gzip
import re
import zlib
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from brokers.errors import DataError

Floats = npt.NDArray[np.float64]

SUFFIXES = (".csv", ".txt", ".csv.gz", ".txt.gz", ".parquet")
TIMES = ("date", "datetime", "timestamp", "time")
_ALIASES = {"adjclose": "adj close", "adjusted close": "adj close"}


@dataclass(frozen=True)
class Table:
    """The rows of one file.

    Args:
        frame: named in lower case; times are text, or times where Parquet has such.
        spelled: name in `frame` -> name in the file.
        lines: where each row stands, counted from 1; of Parquet, its row.
    """

    file: Path
    frame: pd.DataFrame
    spelled: dict[str, str]
    lines: npt.NDArray[np.int64]

    def line(self, row: int) -> str:
        """Say where a row stands, such as "line 17"; of Parquet, "row 16"."""
        return f"{'row' if _is_parquet(self.file) else 'line'} {self.lines[row]}"

    def place(self, row: int) -> str:
        """Say so with the file."""
        return f"{self.file.name}: {self.line(row)}"

    def numbers(self, column: str) -> Floats:
        """One column as floats, each as Python's float() reads its text; NaN where it is empty.

        Raises:
            DataError: a text that is no number.
        """
        values = self.frame[column]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            return values.to_numpy(np.float64, na_value=np.nan)
        texts = values.astype(object).map(lambda value: str(value) if value is not None else value)
        numbers = pd.to_numeric(texts, errors="coerce")
        wrong = np.flatnonzero(numbers.isna() & values.notna())
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{self.place(row)}: {self.spelled[column]} is {texts.iloc[row]!r}, "
                "not a number: mend or remove it"
            )
        return texts.to_numpy(object).astype(np.float64)

    def part(self, rows: slice) -> "Table":
        """Some of the rows, which keep their lines."""
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return Table(self.file, frame, self.spelled, self.lines[rows])


def read(file: Path) -> Table:
    """Read one file.

    Raises:
        DataError: it is missing, empty, no table or without rows, or header and rows disagree.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file or folder {file}: check the path") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}: check the path") from error
    if not content.strip():
        raise DataError(f"{file.name} is empty: export it again")
    if _is_parquet(file):
        return _table(file, _parquet(file), 1)
    text = _text(file, content)
    body = text.lstrip("\r\n")
    header = 1 + text[: len(text) - len(body)].count("\n")
    return _table(file, _csv(file, body, header), header + 1)


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _table(file: Path, frame: pd.DataFrame, first_line: int) -> Table:
    frame = frame.dropna(how="all")
    if frame.empty:
        found = ", ".join(map(str, frame.columns)) or "no columns"
        raise DataError(f"{file.name} has a header ({found}) but no rows: export it again")
    names = [str(column) for column in frame.columns]
    lowered = [_normal(name) for name in names]
    for position, name in enumerate(lowered):
        if name in lowered[:position]:
            twin = names[lowered.index(name)]
            raise DataError(
                f"{file.name}: columns {twin!r} and {names[position]!r} are the same: remove one"
            )
    lines = frame.index.to_numpy(np.int64) + first_line
    frame = frame.set_axis(lowered, axis="columns").reset_index(drop=True)
    return Table(file, frame, dict(zip(lowered, names, strict=True)), lines)


def _normal(name: str) -> str:
    plain = name.strip().lower().replace("_", " ")
    return _ALIASES.get(plain, plain)


def _parquet(file: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file.name} is no Parquet file: {error}: export it again") from error
    if isinstance(frame.index, pd.DatetimeIndex):
        return frame.reset_index(names=[str(frame.index.name or "time")])
    return frame.reset_index(drop=True)


def _text(file: Path, content: bytes) -> str:
    try:
        plain = gzip.decompress(content) if file.suffix.lower() == ".gz" else content
        text = plain.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{file.name} is no gzip file: {error}: copy it again") from error
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"{file.name} is binary, not text: give a CSV, or name it .gz or .parquet")
    return text


def _csv(file: Path, body: str, header: int) -> pd.DataFrame:
    try:
        names, *rows = islice(csv.reader(StringIO(body, newline=None)), 2)
        if rows and rows[0] and len(rows[0]) != len(names):
            raise _disagreement(file, len(names), header + 1, len(rows[0]))
        texts = {name: str for name in names if _normal(name) in TIMES}
        # The parser's own floats are rounded correctly from pandas 3.1 on; a test holds it.
        return pd.read_csv(
            StringIO(body), dtype=texts, index_col=False, skip_blank_lines=False, low_memory=False
        )
    except (csv.Error, pd.errors.ParserError) as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            raise DataError(f"{file.name} is no CSV file: {error}: export it again") from error
        expected, line, seen = map(int, found.groups())
        raise _disagreement(file, expected, header + line - 1, seen) from None


def _disagreement(file: Path, header: int, line: int, row: int) -> DataError:
    return DataError(
        f"{file.name}: line {line} has {row} fields, but the header has {header}: "
        "name every column in the header, or mend the line"
    )
