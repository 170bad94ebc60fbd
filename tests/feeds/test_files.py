import math
from datetime import UTC, datetime
from pathlib import Path

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import ConfigError, DataError
from feeds import history as any_history
from feeds.files import history
from feeds.timeframe import Timeframe

HEADER = "Date,Open,High,Low,Close,Volume"
FIRST, SECOND = "2024-07-01,10,12,9,11,100", "2024-07-02,11,13,10,12,200"


def write(folder: Path, *lines: str, name: str = "abc.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, *symbols: str, **options: object) -> dict[str, pd.DataFrame]:
    given_range = [options.pop(name, None) for name in ("start", "end", "timeframe")]
    return history(symbols, *given_range, path=path, **options)


def error_of(path: Path, *symbols: str, **options: object) -> str:
    with pytest.raises((DataError, ConfigError)) as caught:
        read(path, *symbols, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_one_file_gives_its_prices_under_the_first_word_of_its_name(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND, name="abc-2024.csv")
    bars = read(path)["ABC"]
    assert bars.to_numpy().tolist() == [[10, 12, 9, 11, 100], [11, 13, 10, 12, 200]]
    assert bars.index.tolist() == [
        pd.Timestamp("2024-07-01", tz="UTC"),
        pd.Timestamp("2024-07-02", tz="UTC"),
    ]


def test_a_given_symbol_names_the_only_file(tmp_path):
    assert list(read(write(tmp_path, HEADER, FIRST, SECOND), "XYZ")) == ["XYZ"]


def test_two_symbols_of_one_file_are_refused(tmp_path):
    text = error_of(write(tmp_path, HEADER, FIRST, SECOND), "A", "B")
    assert text == "abc.csv holds one symbol, not 2: give the folder of their files"


def test_the_passport_says_where_the_bars_come_from_and_what_was_left_aside(tmp_path):
    lines = (HEADER + ",Dividend,Adj Close", FIRST + ",0,5.5", SECOND + ",0,6")
    passport = read(write(tmp_path, *lines))["ABC"].attrs["passport"]
    assert (passport.source, passport.feed, passport.symbol) == ("files", "abc.csv", "ABC")
    assert (passport.timeframe, passport.adjustment) == ("1d", "unknown")
    assert passport.repairs == ("left aside: Dividend, Adj Close",)
    assert not passport.synthetic


def test_adjust_scales_the_prices_by_adj_close_over_close(tmp_path):
    path = write(tmp_path, HEADER + ",Adj Close", FIRST + ",5.5", SECOND + ",12")
    bars = read(path, adjust=True)["ABC"]
    assert bars.iloc[0].tolist() == [5, 6, 4.5, 5.5, 100]
    assert bars.iloc[1].tolist() == [11, 13, 10, 12, 200]
    assert bars.attrs["passport"].adjustment == "total"
    assert bars.attrs["passport"].repairs == ("prices scaled by Adj Close / Close",)


def test_adjust_without_an_adjusted_close_is_refused(tmp_path):
    text = error_of(write(tmp_path, HEADER, FIRST), adjust=True)
    assert text.startswith("abc.csv has no column adj close; found Date, Open, High, Low, Close")


def test_a_file_without_volumes_has_volume_zero_and_says_so(tmp_path):
    path = write(tmp_path, "date,open,high,low,close", "2024-07-01,1,2,1,2", "2024-07-02,1,2,1,2")
    bars = read(path)["ABC"]
    assert bars["volume"].tolist() == [0, 0]
    assert bars.attrs["passport"].repairs == ("no volume in the file: it is 0",)


def test_dates_start_at_midnight_of_the_exchange_and_gaps_are_reported(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND, "2024-07-05,11,13,10,12,200")
    bars = read(path, calendar="XNYS")["ABC"]
    assert bars.index[0] == pd.Timestamp("2024-07-01 00:00", tz="America/New_York")
    assert bars.attrs["passport"].gaps == ("2024-07-03",)  # the fourth is a holiday


def test_a_range_of_dates_is_taken_by_the_date_east_of_greenwich_too(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND, "2024-07-03,11,13,10,12,200")
    bars = any_history("files", "", "2024-07-02", "2024-07-02", path=path, calendar="XETR")["ABC"]
    assert bars.index.tolist() == [pd.Timestamp("2024-07-02 00:00", tz="Europe/Berlin")]


@pytest.mark.parametrize("option", [{"calendar": "XTKS"}, {"tz": "Asia/Tokyo"}])
def test_a_date_begins_at_the_exchange_for_bars_within_the_day_too(tmp_path, option):
    times = ("2024-07-01 23:30", "2024-07-02 00:30", "2024-07-02 01:30")
    path = write(tmp_path, HEADER, *(f"{time},1,2,1,2,5" for time in times))
    bars = any_history("files", "", "2024-07-02", "2024-07-02", path=path, **option)["ABC"]
    assert bars.index[0] == pd.Timestamp("2024-07-02 00:30", tz="Asia/Tokyo")
    assert bars.attrs["passport"].zone == "Asia/Tokyo"


def test_without_a_timeframe_a_file_says_its_own(tmp_path):
    path = write(tmp_path, HEADER, "2024-07-01 10:00Z,1,2,1,2,5", "2024-07-01 10:05Z,1,2,1,2,5")
    assert any_history("files", "", path=path)["ABC"].attrs["passport"].timeframe == "5m"
    with pytest.raises(DataError, match="has bars of 5m, not 1d"):
        any_history("files", "", path=path, timeframe="1d")


def test_a_range_without_bars_names_the_range_that_exists(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND)
    text = error_of(path, start=datetime(2025, 1, 1, tzinfo=UTC))
    assert text.startswith("ABC in abc.csv: no bar from 2025-01-01")
    assert "2024-07-01" in text
    assert "2024-07-02" in text


def test_date_and_time_may_stand_in_two_columns(tmp_path):
    lines = (
        "Date,Time,Open,High,Low,Close,Volume",
        "2024-07-01,09:30:00,1,2,1,2,5",
        "2024-07-01,09:31:00,1,2,1,2,5",
    )
    bars = read(write(tmp_path, *lines), tz="America/New_York")["ABC"]
    assert bars.index[0] == pd.Timestamp("2024-07-01 13:30", tz="UTC")
    assert bars.attrs["passport"].timeframe == "1m"


def test_times_stamped_at_the_end_are_moved_to_the_start(tmp_path):
    lines = (HEADER, "2024-07-01 09:05,1,2,1,2,5", "2024-07-01 09:10,1,2,1,2,5")
    bars = read(write(tmp_path, *lines), tz="Europe/Berlin", stamped="end")["ABC"]
    assert bars.index[0] == pd.Timestamp("2024-07-01 09:00", tz="Europe/Berlin")


def test_dates_stamped_at_the_end_stay_on_their_day(tmp_path):
    bars = read(write(tmp_path, HEADER, FIRST, SECOND), stamped="end")["ABC"]
    assert bars.index[0] == pd.Timestamp("2024-07-01", tz="UTC")


def test_stamped_takes_start_or_end_only(tmp_path):
    assert "stamped is 'close'" in error_of(write(tmp_path, HEADER, FIRST), stamped="close")


def test_an_unknown_calendar_or_zone_names_the_nearest(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND)
    assert "XNYS" in error_of(path, calendar="XNYX")
    assert "Europe/Berlin" in error_of(path, tz="Europe/Belin")
    assert "America/New_York" in error_of(path, tz="??")


def test_the_timeframe_is_taken_from_the_times_or_checked_against_them(tmp_path):
    path = write(tmp_path, HEADER, FIRST, SECOND)
    assert read(path, timeframe=Timeframe("1d"))["ABC"].attrs["passport"].timeframe == "1d"
    text = error_of(path, timeframe=Timeframe("1m"))
    assert text == "abc.csv has bars of 1d, not 1m: ask for 1d"


def test_one_bar_needs_its_timeframe_said(tmp_path):
    path = write(tmp_path, HEADER, FIRST)
    assert "name it, such as 1d" in error_of(path)
    assert len(read(path, timeframe=Timeframe("1d"))["ABC"]) == 1


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2024-07-02,11,13,10,,5", "close is nan, a missing value"),
        ("2024-07-02,11,13,NaN,12,5", "low is nan, a missing value"),
        ("2024-07-02,-11,13,-12,12,5", "open is -11.0, but a price must be above zero"),
        ("2024-07-02,11,9,10,12,5", "high is 9.0, below its open 11.0"),
        ("2024-07-02,11,11.5,10,12,5", "high is 11.5, below its close 12.0"),
        ("2024-07-02,11,13,11.5,12,5", "low is 11.5, above its open 11.0"),
        ("2024-07-02,11,13,10,12,-5", "volume is -5.0, but a volume cannot be negative"),
        ("2024-07-02,11,13,10,12,", "volume is nan, a missing value"),
        ("2024-07-02,11,inf,10,12,5", "high is inf, not finite"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_line(tmp_path, row, fault):
    text = error_of(write(tmp_path, HEADER, FIRST, row, "2024-07-03,11,13,10,12,5"))
    assert text.startswith(f"ABC in abc.csv: line 3: {fault}: mend or drop it")


def test_what_is_no_number_is_named_with_file_and_line(tmp_path):
    text = error_of(write(tmp_path, HEADER, FIRST, "2024-07-02,11,13,10,12k,5"))
    assert text.startswith("abc.csv: line 3: Close is '12k', not a number")


@pytest.mark.parametrize(("adjusted", "value"), [("", "nan"), ("-6", "-6.0"), ("inf", "inf")])
def test_an_adjusted_close_that_is_none_is_named_with_its_line(tmp_path, adjusted, value):
    path = write(tmp_path, HEADER + ",Adj Close", FIRST + ",5.5", f"{SECOND},{adjusted}")
    text = error_of(path, adjust=True)
    assert text.startswith(f"ABC in abc.csv after adjustment: line 3: close is {value}, ")


def test_missing_columns_are_named_beside_those_found(tmp_path):
    text = error_of(write(tmp_path, "Date,Open,Close", "2024-07-01,1,2"))
    assert text.startswith("abc.csv has no column high, low; found Date, Open, Close:")


def test_a_file_without_a_header_is_told_apart(tmp_path):
    text = error_of(write(tmp_path, FIRST, SECOND))
    assert text.startswith("abc.csv has no column date, open, high, low, close; found 2024-07-01,")


def test_a_table_of_closes_gives_each_column_as_a_symbol(tmp_path):
    path = write(tmp_path, "Date,AAA,BRK_B", "2024-07-01,1.5,20", "2024-07-02,1.75,21")
    bars = read(path)
    assert list(bars) == ["AAA", "BRK_B"]
    assert bars["AAA"].to_numpy().tolist() == [[1.5] * 4 + [0], [1.75] * 4 + [0]]
    assert bars["AAA"].attrs["passport"].repairs == (
        "closes only: open, high and low are the close, volume is 0",
    )


def test_a_symbol_of_a_table_of_closes_is_found_whatever_its_case(tmp_path):
    path = write(tmp_path, "Date,AAA,BBB", "2024-07-01,1,20", "2024-07-02,2,21")
    assert read(path, "bbb")["bbb"]["close"].tolist() == [20, 21]
    text = error_of(path, "AAB")
    assert text == "abc.csv has no column 'AAB': the nearest are AAA"


def test_a_name_that_was_listed_later_starts_with_its_first_close(tmp_path):
    rows = ("2024-07-01,1,", "2024-07-02,2,21", "2024-07-03,3,22", "2024-07-04,4,")
    bars = read(write(tmp_path, "Date,AAA,BBB", *rows), "BBB")["BBB"]
    assert bars.index.day.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("cells", "line"), [(("20", "", "22"), 3), (("20", "-1", "22"), 3), (("", "", ""), 2)]
)
def test_a_close_missing_or_negative_in_the_middle_is_refused(tmp_path, cells, line):
    rows = [f"2024-07-0{day},1,{cell}" for day, cell in enumerate(cells, start=1)]
    text = error_of(write(tmp_path, "Date,AAA,BBB", *rows), "BBB")
    assert text.startswith(f"BBB in abc.csv: line {line}: close is ")


def test_a_table_of_closes_cannot_be_adjusted(tmp_path):
    assert "cannot adjust" in error_of(write(tmp_path, "Date,AAA", "2024-07-01,1"), adjust=True)


def test_a_folder_gives_one_file_a_symbol(tmp_path):
    write(tmp_path, HEADER, FIRST, SECOND, name="aaa.csv")
    write(tmp_path, HEADER, SECOND, "2024-07-03,1,1,1,1,1", name="BBB-2024.txt")
    assert list(read(tmp_path)) == ["AAA", "BBB"]
    assert read(tmp_path, "bbb")["bbb"]["open"].tolist() == [11, 1]


def test_parquet_files_read_like_csv(tmp_path):
    bars = read(write(tmp_path, HEADER, FIRST, SECOND))["ABC"]
    bars.attrs = {}
    bars.to_parquet(tmp_path / "new.parquet")
    again = read(tmp_path / "new.parquet")["NEW"]
    pd.testing.assert_frame_equal(again, bars, check_freq=False)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.floats(1e-9, 1e9, allow_subnormal=False)
        .flatmap(lambda x: st.sampled_from([repr(x), f"{x:.17e}", f"{x:.25f}"]))
        .filter(lambda text: float(text) > 0),
        min_size=2,
        max_size=50,
    )
)
def test_every_price_is_the_float_that_python_reads(tmp_path_factory, texts):
    dates = pd.bdate_range("2024-07-01", periods=len(texts)).strftime("%Y-%m-%d")
    lines = [f"{day},{text},{text},{text},{text},1" for day, text in zip(dates, texts, strict=True)]
    path = write(tmp_path_factory.mktemp("floats"), HEADER, *lines)
    assert read(path)["ABC"]["close"].tolist() == [float(text) for text in texts]


def test_prices_equal_those_of_a_plain_backtrader_feed(market):
    path = market / "nvda-1999-2014.txt"
    plain = bt.feeds.GenericCSVData(
        dataname=str(path), dtformat="%Y-%m-%d", adjclose=5, volume=6, openinterest=-1
    )
    cerebro = bt.Cerebro()
    cerebro.adddata(plain)
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    bars = read(path)["NVDA"]
    assert len(bars) == 4012
    for column in bars:
        assert bars[column].tolist() == getattr(plain, column).array.tolist()


@pytest.mark.parametrize(
    ("name", "options", "symbol", "count", "timeframe", "first"),
    [
        ("orcl-1995-2014.txt", {}, "ORCL", 5036, "1d", 2.179012),
        ("2006-day-001.txt", {"calendar": "XETR"}, "2006", 255, "1d", 3578.73),
        ("2006-min-005.txt", {"calendar": "XETR", "stamped": "end"}, "2006", 2142, "5m", 3578.73),
        ("AAPL-2012-2014.csv", {"calendar": "XNYS"}, "AAPL", 754, "1d", 58.485714),
        ("sp500-20-closes.csv.gz", {}, "XOM", 8313, "1d", 4.068),
        ("sp500-index-closes.csv.gz", {}, "SP500", 8313, "1d", 359.69),
    ],
)
def test_the_layouts_in_the_wild_are_read(market, name, options, symbol, count, timeframe, first):
    bars = read(market / name, **options)[symbol]
    passport = bars.attrs["passport"]
    assert (len(bars), passport.timeframe, bars["open"].iloc[0]) == (count, timeframe, first)
    assert passport.gap_count == 0
    assert not np.isnan(bars.to_numpy()).any()


def test_a_real_file_whose_header_lacks_a_column_is_refused(market):
    text = error_of(market / "2006-01-02-volume-min-001.txt.gz")
    assert text == (
        "2006-01-02-volume-min-001.txt.gz: line 2 has 8 fields, but the header has 7: "
        "name every column in the header, or mend the line"
    )


def test_a_share_of_a_cent_survives(tmp_path):
    path = write(tmp_path, HEADER, "2024-07-01,0.0001,0.1,0.0001,0.1,1", SECOND)
    assert math.isclose(read(path)["ABC"]["open"].iloc[0], 0.0001, rel_tol=0, abs_tol=0)
