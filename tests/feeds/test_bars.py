from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import DataError
from feeds.bars import COLUMNS, check_bars

PRICES = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100.0}


def bars_of(rows: int = 4, **columns) -> pd.DataFrame:
    index = pd.date_range("2024-07-01 13:30", periods=rows, freq="min", tz="UTC")
    return pd.DataFrame({**PRICES, **columns}, index=index)


def with_value(column: str, value: object, row: int = 2) -> pd.DataFrame:
    bars = bars_of().astype(object)
    bars.iloc[row, bars.columns.get_loc(column)] = value
    return bars


def test_good_bars_come_back_in_order_as_floats_in_utc():
    index = pd.date_range("2024-07-01 09:30", periods=2, freq="min", tz="America/New_York")
    shuffled = pd.DataFrame(
        {"volume": [1, 2], "close": 11, "low": 9, "high": 12, "open": 10}, index=index.as_unit("s")
    )
    bars = check_bars(shuffled, "NVDA")
    assert list(bars.columns) == list(COLUMNS)
    assert set(bars.dtypes) == {np.dtype(np.float64)}
    assert bars.index.name == "time"
    assert bars.index.dtype == "datetime64[ns, UTC]"
    assert bars.index[0] == datetime(2024, 7, 1, 13, 30, tzinfo=UTC)


def test_the_callers_frame_is_neither_changed_nor_shared():
    frame = bars_of()
    frame.attrs["note"] = "kept"
    bars = check_bars(frame)
    bars.iloc[0, 0] = 99.0
    assert frame.equals(bars_of())
    assert bars.attrs == {"note": "kept"}


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("open", float("nan"), "open is nan, a missing value"),
        ("volume", None, "volume is nan, a missing value"),
        ("close", float("inf"), "close is inf, not finite"),
        ("volume", float("inf"), "volume is inf, not finite"),
        ("low", 0.0, "low is 0.0, but a price must be above zero"),
        ("close", -3.5, "close is -3.5, but a price must be above zero"),
        ("high", 9.5, "high is 9.5, below its open 10.0"),
        ("high", 10.5, "high is 10.5, below its close 11.0"),
        ("low", 10.25, "low is 10.25, above its open 10.0"),
        ("open", 8.0, "low is 9.0, above its open 8.0"),
        ("volume", -1, "volume is -1.0, but a volume cannot be negative"),
        ("close", "n/a", "close is 'n/a', not a number"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_time_and_column(column, value, told):
    with pytest.raises(DataError) as caught:
        check_bars(with_value(column, value), "NVDA")
    assert str(caught.value) == (
        f"NVDA: row 2 (2024-07-01 13:32:00 UTC): {told}: mend or drop it, or fetch the bars again"
    )


def test_a_row_is_called_what_its_source_calls_it():
    with pytest.raises(DataError) as caught:
        check_bars(with_value("high", 9.5), "a.csv", lambda row: f"line {row + 2}")
    assert str(caught.value).startswith("a.csv: line 4: high is 9.5, below its open 10.0: mend")


def test_several_wrong_rows_are_counted():
    with pytest.raises(DataError, match=r"row 0 .* \(4 rows are like this\)"):
        check_bars(bars_of(volume=-1.0))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (bars_of().drop(columns="low"), "column 'low' is missing; found open, high, close, volume"),
        (bars_of().rename(columns=str.title), "column 'open' is missing; found Open, High"),
        (bars_of()[[*COLUMNS, "open"]], "column 'open' is there twice"),
        (bars_of(split=1.0), "unexpected column 'split': drop it or pick the five columns"),
        (bars_of()[[]], "found no column"),
        (bars_of().head(0), "there is no bar"),
        (bars_of().reset_index(drop=True), "the index holds int64, not times"),
        (bars_of().tz_localize(None), "the times have no zone .the first is 2024-07-01 13:30:00"),
        (bars_of()[::-1], r"row 1 .2024-07-01 13:32:00 UTC. comes before the row above"),
        (bars_of().iloc[[0, 1, 1, 2]], r"row 2 .2024-07-01 13:31:00 UTC. repeats the row above"),
        (bars_of().set_index(pd.DatetimeIndex([*bars_of().index[:3], None])), "row 3 has no time"),
        ({"open": [1.0]}, "expected a pandas DataFrame, got dict"),
    ],
)
def test_a_frame_of_the_wrong_form_is_refused(frame, told):
    with pytest.raises(DataError, match=f"^bars: .*{told}"):
        check_bars(frame)


def test_a_time_that_nanoseconds_cannot_hold_is_refused():
    index = pd.DatetimeIndex(np.array(["1066-10-14"], "datetime64[s]")).tz_localize("UTC")
    with pytest.raises(DataError, match="outside the years 1678 to 2261"):
        check_bars(pd.DataFrame(PRICES, index=index))


def test_missing_values_of_pandas_own_types_are_found():
    frame = bars_of().astype("Float64")
    frame.iloc[3, 3] = pd.NA
    with pytest.raises(DataError, match=r"row 3 .* close is nan"):
        check_bars(frame)


wrong_cells = st.sampled_from([np.nan, np.inf, -np.inf, -1.0])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 30), wrong_cells)
def test_one_wrong_cell_anywhere_is_found_where_it_is(data, rows, value):
    row = data.draw(st.integers(0, rows - 1))
    column = data.draw(st.sampled_from(COLUMNS))
    frame = bars_of(rows)
    frame.loc[frame.index[row], column] = value
    with pytest.raises(DataError, match=rf"^X: row {row} \(2024-07-01 .* UTC\): {column} is "):
        check_bars(frame, "X")


prices = st.floats(0.01, 1e6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(prices, prices, prices, prices, st.floats(0, 1e12)), min_size=1))
def test_a_frame_is_refused_exactly_when_a_bar_contradicts_itself(rows):
    frame = bars_of(len(rows))
    frame.loc[:, list(COLUMNS)] = rows
    sound = all(high >= max(o, c) and low <= min(o, c) for o, high, low, c, _ in rows)
    if sound:
        assert check_bars(check_bars(frame)).equals(frame)
    else:
        with pytest.raises(DataError, match=r"high is|low is"):
            check_bars(frame)
