import pandas as pd
import pytest

from brokers.errors import DataError
from feeds.tables import read
from feeds.times import read_times


def times_of(folder, *texts, zone=None, header="date"):
    path = folder / "a.csv"
    path.write_text("\n".join((f"{header},close", *(f"{text},1" for text in texts))))
    return read_times(read(path), zone)


def error_of(folder, *texts, zone=None, header="date"):
    with pytest.raises(DataError) as caught:
        times_of(folder, *texts, zone=zone, header=header)
    return str(caught.value)


def utc(*texts):
    return [pd.Timestamp(text, tz="UTC") for text in texts]


@pytest.mark.parametrize("header", ["date", "Datetime", "TIMESTAMP", "time"])
def test_dates_alone_are_dates_under_any_name(tmp_path, header):
    times = times_of(tmp_path, "2024-07-01", "2024-07-02", header=header)
    assert times.are_dates
    assert times.index.tolist() == utc("2024-07-01", "2024-07-02")


def test_times_without_a_zone_are_local_times_of_the_zone_given(tmp_path):
    times = times_of(tmp_path, "2024-07-01 09:30", "2024-12-02 09:30", zone="America/New_York")
    assert not times.are_dates
    assert times.index.tolist() == utc("2024-07-01 13:30", "2024-12-02 14:30")


def test_times_without_a_zone_need_one(tmp_path):
    assert error_of(tmp_path, "2024-07-01 09:30", "2024-07-01 09:31") == (
        "a.csv: line 2: 2024-07-01 09:30:00 has no time zone: name the file's with tz= "
        "(--tz), such as America/New_York, or name a calendar"
    )


@pytest.mark.parametrize("offset", ["Z", "+00:00", " +0000", "+00"])
def test_times_with_an_offset_are_instants(tmp_path, offset):
    times = times_of(tmp_path, f"2024-07-01T09:30:00{offset}", f"2024-07-01T09:31:00.5{offset}")
    assert times.index.tolist() == utc("2024-07-01 09:30", "2024-07-01 09:31:00.5")


def test_the_offsets_of_one_named_zone_may_change_with_its_clocks(tmp_path):
    texts = ("2024-07-01 09:30-04:00", "2024-12-02 09:30-05:00")
    times = times_of(tmp_path, *texts, zone="America/New_York")
    assert times.index.tolist() == utc("2024-07-01 13:30", "2024-12-02 14:30")
    assert error_of(tmp_path, *texts) == (
        "a.csv: line 3: '2024-12-02 09:30-05:00' has not the offset -04:00 of the first line: "
        "name the zone with tz="
    )
    assert error_of(tmp_path, *texts, zone="Europe/Berlin") == (
        "a.csv: line 2: '2024-07-01 09:30-04:00' is no time of Europe/Berlin: name the right zone"
    )


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (("2024-07-01 09:30Z", "2024-07-01 09:31Z", "2024-07-01 09:32"), 4),
        (("2024-07-01 09:30", "2024-07-01 09:31Z"), 3),
    ],
)
def test_times_with_and_without_a_zone_do_not_mix(tmp_path, texts, line):
    text = error_of(tmp_path, *texts, zone="UTC")
    assert text == (
        f"a.csv: line {line}: {texts[-1]!r} differs from the lines above in having a time zone: "
        "write all times in UTC"
    )


@pytest.mark.parametrize("text", ["07/01/2024", "2024-02-30", "yesterday", "1719792000"])
def test_what_is_no_time_is_named_with_its_line(tmp_path, text):
    assert error_of(tmp_path, "2024-06-30", text) == (
        f"a.csv: line 3: {text!r} is no time: write it as 2024-07-03 or 2024-07-03 09:30:00"
    )


def test_a_line_without_a_time_is_named(tmp_path):
    text = error_of(tmp_path, "2024-07-01", "")
    assert text == "a.csv: line 3: there is no date: mend or remove it"


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        (("2024-07-01", "2024-07-01"), "repeats the row above (2024-07-01 00:00:00+00:00): remove"),
        (("2024-07-02", "2024-07-01"), "comes before the row above (2024-07-02 00:00:00+00:00)"),
    ],
)
def test_rows_out_of_order_are_named(tmp_path, texts, fault):
    text = error_of(tmp_path, *texts)
    assert text.startswith(f"a.csv: line 3: 2024-07-01 00:00:00+00:00 {fault}")


def test_an_hour_that_comes_twice_or_never_is_refused(tmp_path):
    never = error_of(tmp_path, "2024-03-10 01:30", "2024-03-10 02:30", zone="America/New_York")
    assert never.startswith(
        "a.csv: line 3: 2024-03-10 02:30:00 comes twice or never in America/New_York"
    )
    assert "twice" in error_of(tmp_path, "2024-11-03 01:30", zone="America/New_York")


def test_parquet_keeps_the_zones_of_its_times(tmp_path):
    times = pd.DatetimeIndex(["2024-07-01 09:30", "2024-12-02 09:30"], tz="America/New_York")
    pd.DataFrame({"date": times, "close": [1.0, 2.0]}).to_parquet(tmp_path / "a.parquet")
    found = read_times(read(tmp_path / "a.parquet"), None)
    assert found.index.tolist() == utc("2024-07-01 13:30", "2024-12-02 14:30")
    assert not found.are_dates
