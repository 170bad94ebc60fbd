"""The bar frame that every room relies on, and the checks at its door."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from brokers.errors import DataError

COLUMNS = ("open", "high", "low", "close", "volume")
# The close is checked first: where a source has closes only, the other prices are its copies.
_CHECKED = ("close", "open", "high", "low", "volume")

_NAMES = pd.Index(COLUMNS)

Place = Callable[[int], str]

_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


def check_bars(frame: pd.DataFrame, name: str = "", place: Place | None = None) -> pd.DataFrame:
    """A copy of `frame` that keeps the contract of a bar frame.

    Args:
        frame: columns open, high, low, close, volume in any order and no others (whoever has
            more picks these five first); an aware index of bar STARTS, strictly increasing.
        name: what errors call the frame, usually its symbol.
        place: what errors of a value call its row, such as "line 17" of a file; None: its
            number and time.

    Returns:
        The five columns in that order as float64, index `time` in UTC nanoseconds, attrs kept.

    Raises:
        DataError: it names the frame, the row, the column, the value and a remedy.
    """
    name = name or "bars"
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{name}: expected a pandas DataFrame, got {type(frame).__name__}")
    _check_columns(frame, name)
    if frame.empty:
        raise DataError(f"{name}: there is no bar: choose another range or another file")
    index = _utc_index(frame.index, name)
    place = place or (lambda row: f"row {row} ({_stamp(index, row)})")
    table = _table(frame, name, place)
    if not _is_sound(table):
        _refuse(dict(zip(COLUMNS, table, strict=True)), name, place)
    bars = pd.DataFrame(table.T, index=index, columns=_NAMES, copy=False)
    bars.attrs = dict(frame.attrs)
    return bars


def _check_columns(frame: pd.DataFrame, name: str) -> None:
    found = [str(column) for column in frame.columns]
    expected = ", ".join(COLUMNS)
    for column in COLUMNS:
        if found.count(column) != 1:
            fault = "missing" if column not in found else "there twice"
            raise DataError(
                f"{name}: column {column!r} is {fault}; found {', '.join(found) or 'no column'}: "
                f"name the columns {expected}"
            )
    if extra := [column for column in found if column not in COLUMNS]:
        raise DataError(
            f"{name}: unexpected column {extra[0]!r}: drop it or pick the five columns {expected}"
        )


def _utc_index(index: pd.Index, name: str) -> pd.DatetimeIndex:
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(
            f"{name}: the index holds {index.dtype}, not times: set a DatetimeIndex of bar starts"
        )
    if index.tz is None:
        raise DataError(
            f"{name}: the times have no zone (the first is {index[0]}): name it, "
            "as in frame.tz_localize('America/New_York')"
        )
    if index.hasnans:
        row = int(np.flatnonzero(index.isna())[0])
        raise DataError(f"{name}: row {row} has no time: drop or mend that row")
    try:
        nanoseconds = index.tz_convert("UTC").as_unit("ns").asi8
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(f"{name}: a time lies outside the years 1678 to 2261: {error}") from error
    utc = pd.DatetimeIndex(nanoseconds, tz="UTC", name="time")
    steps = np.diff(nanoseconds)
    if (steps <= 0).any():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1
        fault, remedy = ("repeats", "drop one of the two rows")
        if steps[row - 1] < 0:
            fault, remedy = ("comes before", "sort the rows by time")
        raise DataError(
            f"{name}: row {row} ({_stamp(utc, row)}) {fault} the row above "
            f"({_stamp(utc, row - 1)}): {remedy}"
        )
    return utc


def _table(frame: pd.DataFrame, name: str, place: Place) -> _Floats:
    """The five columns, (5, N), as a copy."""
    columns = frame if tuple(frame.columns) == COLUMNS else frame[list(COLUMNS)]
    try:
        table = columns.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        table = np.stack([_floats(frame[column], name, place) for column in COLUMNS], axis=1)
    return np.array(table.T, order="C")


def _floats(column: "pd.Series[float]", name: str, place: Place) -> _Floats:
    try:
        numbers = np.array(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    except (TypeError, ValueError):
        parsed = pd.to_numeric(column.astype(object), errors="coerce")
        row = int(np.flatnonzero(parsed.isna() & column.notna())[0])
        fault = f"{column.name} is {column.iloc[row]!r}, not a number"
        raise _error(name, place(row), fault) from None
    return numbers


def _is_sound(table: _Floats) -> bool:
    """Whether `_refuse` would find nothing, found out with a few looks at everything."""
    opened, high, low, close, volume = table
    is_whole = np.isfinite(table).all() and (table[:4] > 0).all() and (volume >= 0).all()
    is_around = (high >= np.maximum(opened, close)).all() and (
        low <= np.minimum(opened, close)
    ).all()
    return bool(is_whole and is_around)


def _refuse(values: dict[str, _Floats], name: str, place: Place) -> None:
    """Raise for the first value that is wrong."""

    def refuse_where(wrong: _Mask, column: str, fault: str) -> None:
        if wrong.any():
            row = int(wrong.argmax())
            other = values.get(fault.rsplit(" ", 1)[-1])
            against = "" if other is None else f" {other[row]}"
            more = f" ({wrong.sum()} rows are like this)" if wrong.sum() > 1 else ""
            text = f"{column} is {values[column][row]}, {fault}{against}{more}"
            raise _error(name, place(row), text)

    for column in _CHECKED:
        refuse_where(np.isnan(values[column]), column, "a missing value")
        refuse_where(np.isinf(values[column]), column, "not finite")
    for column in _CHECKED[:4]:
        refuse_where(values[column] <= 0, column, "but a price must be above zero")
    for column in ("open", "close"):
        refuse_where(values["high"] < values[column], "high", f"below its {column}")
        refuse_where(values["low"] > values[column], "low", f"above its {column}")
    refuse_where(values["volume"] < 0, "volume", "but a volume cannot be negative")


def _error(name: str, place: str, fault: str) -> DataError:
    return DataError(f"{name}: {place}: {fault}: mend or drop it, or fetch the bars again")


def _stamp(index: pd.DatetimeIndex, row: int) -> str:
    return f"{index[row]:%Y-%m-%d %H:%M:%S} UTC"
