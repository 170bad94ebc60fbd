"""Bars cut into sessions: half-days, clocks that change, bars that lack or are too many."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from analyzers.outliers.sessions import Sessions, days_of
from brokers.errors import DataError
from feeds.passport import stamp
from tests.analyzers.outliers.stage import bars, flat, session


def test_the_same_minute_after_the_clocks_changed_is_the_same_minute() -> None:
    frame = pd.concat([flat(session("2024-03-08", 3)), flat(session("2024-03-11", 3), 101.0)])
    found = Sessions.of({"A": frame}, "XNYS", [date(2024, 3, 11)], 1)
    assert found.close[:, :4, 0].tolist()[0][:3] == [100.0] * 3
    assert found.close[1, :3, 0].tolist() == [101.0] * 3
    assert np.isnan(found.close[:, 3:]).all()


def test_a_half_day_is_shorter_and_what_comes_after_its_close_does_not_count() -> None:
    frame = flat(session("2023-11-24", 300))
    found = Sessions.of({"A": frame}, "XNYS", [date(2023, 11, 24)], 1)
    assert found.lengths.tolist() == [390, 210]
    assert (~np.isnan(found.close[1, :, 0])).sum() == 210


def test_bars_before_the_open_do_not_count() -> None:
    index = session("2024-02-07", 3)
    early = flat(pd.DatetimeIndex([index[0] - pd.Timedelta(minutes=5)]))
    found = Sessions.of({"A": pd.concat([early, flat(index)])}, "XNYS", [date(2024, 2, 7)], 1)
    assert (~np.isnan(found.close)).sum() == 3


def test_symbols_are_put_in_order_and_keep_their_own_minutes() -> None:
    index = session("2024-02-07", 3)
    frames = {"B": flat(index[1:], 20.0), "A": flat(index, 10.0)}
    found = Sessions.of(frames, "XNYS", [date(2024, 2, 7)], 1)
    assert found.symbols == ("A", "B")
    np.testing.assert_array_equal(found.close[1, :3], [[10.0, np.nan], [10.0, 20.0], [10.0, 20.0]])


def test_bars_of_five_minutes_count_from_the_open() -> None:
    found = Sessions.of({"A": flat(session("2024-02-07", 3, 5))}, "XNYS", [date(2024, 2, 7)], 1)
    assert (found.step, found.lengths[1]) == (5, 78)
    assert (~np.isnan(found.close[1, :3, 0])).all()


def test_only_the_screened_sessions_keep_all_columns() -> None:
    frame = flat(session("2024-02-07", 3))
    found = Sessions.of({"A": frame}, "XNYS", [date(2024, 2, 7), date(2024, 2, 6)], 4)
    assert (len(found.close), len(found.high), found.screened) == (6, 2, range(4, 6))


@pytest.mark.parametrize(
    ("frames", "days", "text"),
    [
        ({}, [date(2024, 2, 7)], "there are no bars"),
        ({"A": flat(session("2024-02-07", 3))}, [], "no day to screen"),
        ({"A": flat(session("2024-02-07", 3))}, [date(2024, 2, 10)], "2024-02-10 is no session"),
        (
            {
                name: stamp(
                    flat(session("2024-02-07", 3, step)),
                    symbol=name,
                    source="x",
                    timeframe=f"{step}m",
                )
                for name, step in (("A", 1), ("B", 5))
            },
            [date(2024, 2, 7)],
            "bars of 0:01:00, 0:05:00 together",
        ),
        (
            {"A": stamp(flat(session("2024-02-07", 1)), symbol="A", source="x", timeframe="1d")},
            [date(2024, 2, 7)],
            "A: outliers are screened in intraday bars, these are 1d",
        ),
    ],
)
def test_what_cannot_be_screened_is_told(frames: object, days: list[date], text: str) -> None:
    with pytest.raises(DataError, match=text):
        Sessions.of(frames, "XNYS", days, 1)  # type: ignore[arg-type]


def test_daily_bars_are_made_of_the_minutes_of_sessions() -> None:
    index = session("2024-02-07", 2)
    rows = [[10.0, 12.0, 9.0, 11.0, 100.0], [11.0, 15.0, 10.0, 14.0, 50.0]]
    early = flat(pd.DatetimeIndex([index[0] - pd.Timedelta(hours=1)]), 500.0)
    day = days_of({"A": pd.concat([early, bars(rows, index)])}, "XNYS")["A"]
    assert day.iloc[0].tolist() == [10.0, 15.0, 9.0, 14.0, 150.0]
    assert day.index[0] == pd.Timestamp("2024-02-07", tz="UTC")


def test_one_thin_symbol_does_not_say_how_long_a_bar_is() -> None:
    index = session("2024-02-07", 30)
    frames = {"A": flat(index[::5]), "B": flat(index)}
    assert Sessions.of(frames, "XNYS", [date(2024, 2, 7)], 1).step == 1


def test_single_bars_are_taken_for_minutes() -> None:
    frames = {"A": flat(session("2024-02-07", 1))}
    assert Sessions.of(frames, "XNYS", [date(2024, 2, 7)], 1).step == 1
