import dataclasses
import tempfile
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import DataError
from feeds.bars import COLUMNS
from feeds.cache import BarCache, Key
from feeds.passport import stamp
from feeds.ranges import Bound, at_zone, between
from tests.feeds.daily_vendor import KEY, LATER, Vendor, day, path_of


def test_the_first_request_fetches_and_stamps_its_range(cache, vendor):
    bars = cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    assert bars.equals(vendor.bars(day(2, 1), day(3, 1)))
    passport = bars.attrs["passport"]
    assert (passport.symbol, passport.source, passport.adjustment) == ("NVDA", "vendor", "total")
    assert passport.fetched_at == LATER
    assert passport.repairs == ("by hand",)


@pytest.mark.parametrize(("start", "end"), [(day(2, 1), day(3, 1)), (day(2, 7), day(2, 9))])
def test_what_is_stored_is_not_fetched_again(cache, vendor, start, end):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    bars = cache.topped_up(KEY, start, end, vendor.fetch)
    assert len(vendor.asked) == 1
    assert bars.equals(vendor.bars(start, end))


def test_a_part_has_the_passport_of_the_part(cache, vendor):
    whole = cache.topped_up(KEY, day(1, 1), day(3, 1), vendor.fetch).attrs["passport"]
    part = cache.topped_up(KEY, day(2, 5), day(2, 17), vendor.fetch).attrs["passport"]
    alone = vendor.bars(day(2, 5), day(2, 17)).attrs["passport"]
    assert part == dataclasses.replace(alone, adjustment="total")
    assert part.sha256 != whole.sha256


def test_a_later_end_fetches_from_the_last_complete_bar_on(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    bars = cache.topped_up(KEY, day(2, 1), day(3, 9), vendor.fetch)
    assert vendor.asked[1:] == [(day(2, 29), day(3, 9))]
    assert bars.equals(vendor.bars(day(2, 1), day(3, 9)))


def test_an_earlier_start_fetches_up_to_the_first_bar(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    bars = cache.topped_up(KEY, None, day(2, 9), vendor.fetch)
    assert vendor.asked[1:] == [(None, day(2, 2))]
    assert bars.equals(vendor.bars(None, day(2, 9)))


def test_a_holiday_is_asked_for_once(cache, vendor):
    cache.topped_up(KEY, day(1, 8), day(1, 13), vendor.fetch)
    for _ in range(3):
        cache.topped_up(KEY, day(1, 8), day(1, 16), vendor.fetch)
    assert vendor.asked == [(day(1, 8), day(1, 13)), (day(1, 12), day(1, 16))]


def test_a_range_of_holidays_alone_names_the_bars_that_exist(cache, vendor):
    cache.topped_up(KEY, day(1, 8), day(1, 20), vendor.fetch)
    with pytest.raises(DataError, match=r"NVDA: no bar from 2024-01-13 .* there are bars from"):
        cache.topped_up(KEY, day(1, 13), day(1, 16), vendor.fetch)


def test_the_last_incomplete_bar_is_fetched_again(cache, vendor, clock):
    clock.sleep(3 * 86400 - 3600)  # Monday June 3rd, an hour before midnight
    first = cache.topped_up(KEY, day(5, 1), None, vendor.fetch)
    clock.sleep(7200)
    second = cache.topped_up(KEY, day(5, 1), None, vendor.fetch)
    assert vendor.asked[1:] == [(day(5, 31), None)]
    assert first.index[-1] == day(6, 3)
    assert second.loc[first.index[-1], "close"] == first["close"].iloc[-1] - 0.5
    assert second.equals(vendor.bars(day(5, 1), None))


def test_an_incomplete_bar_stays_so_while_the_vendor_lags_behind(cache, vendor, clock):
    clock.sleep(3 * 86400 - 3600)
    cache.topped_up(KEY, day(5, 1), None, vendor.fetch)
    clock.sleep(7200)
    cache.topped_up(KEY, day(5, 1), None, lambda start, end: vendor.fetch(start, day(6, 3)))
    bars = cache.topped_up(KEY, day(5, 1), None, vendor.fetch)
    assert bars.equals(vendor.bars(day(5, 1), None))


def test_a_bar_that_the_vendor_held_back_is_fetched_when_it_is_over(cache, vendor, clock):
    vendor.holds_back = True
    clock.sleep(3 * 86400 - 3600)  # Monday June 3rd, an hour before midnight
    assert cache.topped_up(KEY, day(5, 1), None, vendor.fetch).index[-1] == day(5, 31)
    clock.sleep(7200)
    noon = datetime(2024, 6, 3, 12, tzinfo=UTC)
    assert cache.topped_up(KEY, day(5, 1), noon, vendor.fetch).index[-1] == day(6, 3)


class TokyoHours:
    """Every hour of May 2024 up to the 20th, from a vendor that knows its zone."""

    zone = "Asia/Tokyo"

    def __init__(self) -> None:
        self.asked = 0

    def fetch(self, start: Bound, end: Bound) -> pd.DataFrame:
        self.asked += 1
        index = pd.date_range("2024-05-01", "2024-05-20", freq="h", tz="UTC")
        hours = between(pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), index), start, end, self.zone)
        known = {"symbol": "NVDA", "source": "vendor", "timeframe": "1h", "zone": self.zone}
        return stamp(hours, adjustment="total", **known)


class NewYorkHours(TokyoHours):
    zone = "America/New_York"


bounds = st.sampled_from(
    [date(2024, 5, number) for number in range(2, 9)]
    + [datetime(2024, 5, 4, hour, tzinfo=UTC) for hour in (0, 3, 4, 5, 14, 15, 16, 20)]
)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([TokyoHours, NewYorkHours]),
    st.lists(st.tuples(bounds, bounds), max_size=6),
)
def test_dates_mean_the_exchanges_with_and_without_a_cache(vendor_of, asked):
    key = Key("vendor", "NVDA", "1h", "total")
    with tempfile.TemporaryDirectory() as folder:
        cache = BarCache(folder, ManualClock(LATER))
        vendor = vendor_of()
        for start, end in asked:
            if at_zone(start, vendor.zone) >= at_zone(end, vendor.zone):
                continue
            alone = vendor.fetch(start, end)
            bars = cache.topped_up(key, start, end, vendor.fetch)
            pd.testing.assert_frame_equal(bars, alone, check_freq=False)
            assert bars.attrs == alone.attrs
            count = vendor.asked
            cache.topped_up(key, start, end, vendor.fetch)
            assert vendor.asked == count


def test_an_adjusted_series_is_fetched_whole_after_a_split(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    vendor.factor = 0.5
    bars = cache.topped_up(KEY, day(2, 5), day(3, 9), vendor.fetch)
    assert vendor.asked[1:] == [(day(2, 29), day(3, 9)), (day(2, 1), day(3, 9))]
    assert bars.equals(vendor.bars(day(2, 5), day(3, 9)))


def test_a_split_seen_at_the_beginning_keeps_the_end_that_was_stored(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    vendor.factor = 0.5
    cache.topped_up(KEY, day(1, 3), day(2, 9), vendor.fetch)
    bars = cache.topped_up(KEY, day(1, 3), day(3, 1), vendor.fetch)
    assert len(vendor.asked) == 3
    assert bars.equals(vendor.bars(day(1, 3), day(3, 1)))


def test_a_wobble_in_the_seventh_digit_is_no_adjustment(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    vendor.factor = 1.0 + 1e-8
    cache.topped_up(KEY, day(2, 1), day(3, 9), vendor.fetch)
    assert len(vendor.asked) == 2


def test_an_unadjusted_series_takes_the_vendors_latest_word_alone(tmp_path, vendor, clock):
    key = Key("vendor", "NVDA", "1d", "none")
    cache = BarCache(tmp_path, clock)
    before = cache.topped_up(key, day(2, 1), day(3, 1), vendor.fetch)
    vendor.factor = 2.0
    bars = cache.topped_up(key, day(2, 1), day(3, 9), vendor.fetch)
    assert len(vendor.asked) == 2
    assert bars.iloc[:20].equals(before.iloc[:20])
    assert bars.iloc[20:].equals(vendor.bars(day(2, 29), day(3, 9)))


def test_bars_that_cannot_be_compared_leave_a_note(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    vendor.forgets_before = day(4, 1)
    passport = cache.topped_up(KEY, day(2, 1), day(5, 1), vendor.fetch).attrs["passport"]
    note = "no bar in common where those of 2024-04-01 00:00:00+00:00 join"
    assert passport.repairs == ("by hand", note)
    assert passport.gap_count > 19


def test_monthly_bars_are_incomplete_for_up_to_a_month(tmp_path, clock):
    asked = []

    def fetch(start, end):
        asked.append((start, end))
        index = pd.date_range(start, LATER, freq="MS", tz="UTC", inclusive="left")
        frame = pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), index)
        return stamp(frame, symbol="NVDA", source="vendor", timeframe="1mo")

    key = Key("vendor", "NVDA", "1mo", "none")
    cache = BarCache(tmp_path, ManualClock(day(5, 20)))
    cache.topped_up(key, day(1, 1), None, fetch)
    BarCache(tmp_path, clock).topped_up(key, day(1, 1), None, fetch)
    assert asked == [(day(1, 1), None), (day(4, 1), None)]


def test_a_vendor_without_bars_is_an_error_and_nothing_is_stored(cache, vendor):
    with pytest.raises(DataError, match=r"NVDA: vendor has no 1d bar from .*: check the symbol"):
        cache.topped_up(KEY, day(1, 13), day(1, 16), vendor.fetch)
    assert not path_of(cache).exists()


def test_a_failed_fetch_goes_through_and_leaves_the_file_as_it_was(cache, vendor):
    def unplugged(start, end):
        raise ConnectionError("no network")

    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    before = path_of(cache).read_bytes()
    with pytest.raises(ConnectionError):
        cache.topped_up(KEY, day(2, 1), day(4, 1), unplugged)
    assert path_of(cache).read_bytes() == before
    cache.topped_up(KEY, day(2, 1), day(3, 1), unplugged)


days = st.integers(0, 200).map(lambda count: day(1, 1) + timedelta(days=count))
requests = st.lists(st.tuples(days | st.none(), days | st.none(), st.integers(0, 40)), max_size=5)


@settings(max_examples=25, deadline=None)
@given(requests, st.booleans())
def test_any_series_of_requests_gives_what_the_vendor_gives(asked, holds_back):
    clock = ManualClock(day(2, 1))
    vendor = Vendor(clock)
    vendor.holds_back = holds_back
    with tempfile.TemporaryDirectory() as folder:
        cache = BarCache(folder, clock)
        for start, end, hours in asked:
            clock.sleep(3600.0 * hours)
            expected = vendor.bars(start, end)
            if expected.empty:
                with pytest.raises(DataError):
                    cache.topped_up(KEY, start, end, vendor.fetch)
            else:
                assert cache.topped_up(KEY, start, end, vendor.fetch).equals(expected)
