import numpy as np
import pandas as pd
import pytest

from analyzers.columns import Columns
from brokers.errors import DataError
from feeds.passport import stamp

DAYS = pd.date_range("2024-01-01", periods=4, tz="UTC")


def bars(closes, days, repairs=()):
    close = np.array(closes, dtype=float)
    table = {"open": close - 1, "high": close + 1, "low": close - 2, "close": close}
    frame = pd.DataFrame({**table, "volume": 10.0 * close}, index=days)
    return stamp(frame, symbol="X", source="files", timeframe="1d", repairs=repairs)


FRAMES = {"B": bars([20, 21, 23], DAYS[[0, 1, 3]]), "A": bars([11, 12], DAYS[1:3])}


def same(got, expected):
    return np.array_equal(got, np.array(expected, dtype=float), equal_nan=True)


def test_symbols_stand_side_by_side_on_all_their_times():
    columns = Columns.of(FRAMES)
    nan = np.nan
    assert columns.symbols == ("A", "B")
    assert columns.index.equals(DAYS)
    assert same(columns.close, [[nan, 20], [11, 21], [12, nan], [nan, 23]])
    assert same(columns.volume[:, 0], [nan, 110, 120, nan])
    assert (columns.shape, columns.number("B"), columns.number("C")) == ((4, 2), 1, None)


def test_the_order_of_the_symbols_does_not_matter():
    one, other = Columns.of(FRAMES), Columns.of(dict(reversed(FRAMES.items())))
    assert one.symbols == other.symbols
    assert same(one.high, other.high)


def test_a_gap_shows_the_last_close_and_an_ended_symbol_nothing():
    shown = Columns.of(FRAMES).shown_last()
    nan = np.nan
    assert same(shown.close, [[nan, 20], [11, 21], [12, 21], [nan, 23]])
    assert same(shown.open, [[nan, 19], [10, 20], [11, 21], [nan, 22]])
    assert same(shown.volume[:, 1], [200, 210, 0, 230])


def test_some_of_the_symbols():
    columns = Columns.of(FRAMES).only(["B", "Z"])
    assert (columns.symbols, columns.shape) == (("B",), (4, 1))
    assert set(columns.passports) == {"B"}


def test_the_bars_until_a_time():
    columns = Columns.of(FRAMES).until(DAYS[1])
    assert columns.index.equals(DAYS[:2])
    assert same(columns.close, [[np.nan, 20], [11, 21]])


@pytest.mark.parametrize(
    ("repairs", "has_range", "has_volume"),
    [
        ((), True, True),
        (("closes only: open, high and low are the close, volume is 0",), False, False),
        (("no volume in the file: it is 0",), True, False),
    ],
)
def test_what_the_passports_say_of_the_columns(repairs, has_range, has_volume):
    columns = Columns.of({"A": bars([11, 12], DAYS[:2], repairs)})
    assert (columns.has_range, columns.has_volume) == (has_range, has_volume)


def test_no_frames_are_no_columns():
    with pytest.raises(DataError, match="there are none"):
        Columns.of({})


def test_a_frame_that_is_none_is_named():
    with pytest.raises(DataError, match="A"):
        Columns.of({"A": pd.DataFrame({"close": [1.0]}, index=DAYS[:1])})
