import dataclasses
import logging
import multiprocessing
import os
import resource
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds import parquet
from feeds.bars import COLUMNS, within
from feeds.cache import BarCache, Key
from feeds.passport import stamp

KEY = Key("vendor", "NVDA", "1d", "total")
LATER = datetime(2024, 6, 1, tzinfo=UTC)


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number, tzinfo=UTC)


class Vendor:
    """Daily bars of 2024; a bar that is not over yet has another close than it will have."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[datetime | None, datetime | None]] = []
        self.factor = 1.0
        self.forgets_before: datetime | None = None
        self.holds_back = False

    def bars(self, start: datetime | None, end: datetime | None) -> pd.DataFrame:
        index = pd.bdate_range("2024-01-01", "2024-12-31", tz="UTC")
        index = index[index != day(1, 15)]  # a holiday
        delay = timedelta(days=self.holds_back)
        index = index[index + delay <= self.clock.now()]
        close = self.factor * (50.0 + np.arange(len(index)))
        close[index + timedelta(days=1) > self.clock.now()] += 0.5
        prices = {"open": close, "high": close + 1, "low": close - 1, "close": close}
        frame = pd.DataFrame({**prices, "volume": 1000.0}, index=index)
        begin = max(filter(None, (start, self.forgets_before)), default=None)
        frame = frame[(index >= (begin or index[0])) & (index < (end or LATER.replace(year=2030)))]
        return frame if frame.empty else self.stamped(frame)

    def stamped(self, frame: pd.DataFrame) -> pd.DataFrame:
        known = {"calendar": "XNYS", "fetched_at": self.clock.now(), "repairs": ("by hand",)}
        return stamp(frame, symbol="NVDA", source="vendor", timeframe="1d", **known)

    def fetch(self, start: datetime | None, end: datetime | None) -> pd.DataFrame:
        self.asked.append((start, end))
        return self.bars(start, end)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(LATER)


@pytest.fixture
def vendor(clock) -> Vendor:
    return Vendor(clock)


@pytest.fixture
def cache(tmp_path, clock) -> BarCache:
    return BarCache(tmp_path / "cache", clock)


def path_of(cache: BarCache) -> Path:
    return KEY.path(cache._folder)


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


def test_midnight_stands_for_the_date_at_the_exchange(cache, clock):
    index = pd.bdate_range("2024-05-01", "2024-05-10", tz="Asia/Tokyo")
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), index)
    known = {"symbol": "NVDA", "source": "vendor", "timeframe": "1d", "zone": "Asia/Tokyo"}
    bars = cache.topped_up(KEY, day(5, 7), day(5, 9), lambda *_: stamp(frame, **known))
    assert list(bars.index) == [
        pd.Timestamp(f"2024-05-0{date}", tz="Asia/Tokyo") for date in (7, 8)
    ]
    assert bars.attrs["passport"].zone == "Asia/Tokyo"


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


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def changed(content: bytes) -> bytes:
    return content[:60] + bytes([content[60] ^ 1]) + content[61:]


@pytest.mark.parametrize("damage", [cut, changed, lambda _: b"", lambda _: b"not Parquet"])
def test_a_damaged_file_is_set_aside_with_a_note_and_fetched_anew(cache, vendor, caplog, damage):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    content = damage(path_of(cache).read_bytes())
    path_of(cache).write_bytes(content)
    with caplog.at_level(logging.WARNING):
        bars = cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    (kept,) = path_of(cache).parent.glob("*.damaged-*")
    note = f"the cache file was damaged: set aside as {kept.name} and fetched anew"
    assert kept.read_bytes() == content
    assert bars.attrs["passport"].repairs == (note, "by hand")
    assert note in caplog.text
    assert bars.equals(vendor.bars(day(2, 1), day(3, 1)))
    assert len(vendor.asked) == 2


def test_a_file_of_another_series_is_set_aside(cache, vendor, tmp_path):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    other = Key("vendor", "ORCL", "1d", "total")
    other.path(tmp_path / "cache").write_bytes(path_of(cache).read_bytes())
    bars = cache.topped_up(other, day(2, 1), day(3, 1), vendor.fetch)
    assert "the cache file held another series" in bars.attrs["passport"].repairs[0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_changed_byte_goes_unseen(data):
    bars = Vendor(ManualClock(LATER)).bars(day(2, 1), day(2, 20))
    stored = parquet.Stored(bars, day(2, 1), day(2, 20))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.parquet")
        parquet.write(path, stored)
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes(content))
        try:
            held = parquet.read(path)
        except parquet.Damaged:
            return
    assert held.bars.equals(bars)
    assert (held.passport, held.covered_from) == (stored.passport, stored.covered_from)
    assert held.covered_to == stored.covered_to


def test_what_a_crash_left_half_written_does_no_harm(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    path_of(cache).with_name("NVDA.parquet.new").write_bytes(b"half")
    bars = cache.topped_up(KEY, day(2, 1), day(3, 9), vendor.fetch)
    assert bars.equals(vendor.bars(day(2, 1), day(3, 9)))
    assert sorted(file.name for file in path_of(cache).parent.iterdir()) == [
        "NVDA.parquet",
        "NVDA.parquet.lock",
    ]


def test_a_full_disk_is_a_clear_error_and_loses_nothing(cache, vendor):
    cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    before = path_of(cache).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(ConfigError, match=r"cannot be used .File too large.*with cache="):
            cache.topped_up(KEY, day(2, 1), day(3, 9), vendor.fetch)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path_of(cache).read_bytes() == before
    assert len(list(path_of(cache).parent.iterdir())) == 2


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path, vendor):
    tmp_path.joinpath("taken").write_text("a file")
    with pytest.raises(ConfigError, match=r"NVDA.parquet cannot be used \(Not a directory\)"):
        BarCache(tmp_path / "taken").topped_up(KEY, None, None, vendor.fetch)


@pytest.mark.parametrize("symbol", ["BRK/B", "^GSPC", "..", "EUR USD", "ÅÄÖ"])
def test_any_symbol_has_a_file_of_its_own_inside_the_folder(tmp_path, symbol):
    path = Key("vendor", symbol, "1d", "none", "sip").path(tmp_path)
    assert path.parent == tmp_path / "vendor" / "sip" / "none" / "1d"
    assert path.resolve() == path


def test_the_default_folder_is_below_the_working_directory(tmp_path, vendor, monkeypatch):
    monkeypatch.chdir(tmp_path)
    BarCache(clock=vendor.clock).topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)
    assert Path("data/cache/vendor/default/total/1d/NVDA.parquet").is_file()


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


def top_up(folder: Path, start: datetime, end: datetime, together, answers) -> None:
    vendor = Vendor(ManualClock(LATER))
    together.wait(60)
    bars = BarCache(folder, vendor.clock).topped_up(KEY, start, end, vendor.fetch)
    answers.put((len(vendor.asked), bars.attrs["passport"].sha256))


def test_two_processes_topping_up_at_once_fetch_once_and_agree(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    together, answers = spawn.Barrier(2), spawn.Queue()
    how = (tmp_path, day(2, 1), day(3, 1), together, answers)
    both = [spawn.Process(target=top_up, args=how) for _ in range(2)]
    for process in both:
        process.start()
    (asked, sha256), (asked_too, sha256_too) = answers.get(timeout=60), answers.get(timeout=60)
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert asked + asked_too == 1
    assert sha256 == sha256_too
    assert len(within(parquet.read(KEY.path(tmp_path)).bars, day(2, 1), day(3, 1))) == 21


def hold_until_killed(path: Path, held) -> None:
    with parquet.locked(path):
        held.set()
        multiprocessing.Event().wait()


def test_a_killed_process_leaves_no_lock_behind(cache, vendor):
    spawn = multiprocessing.get_context("spawn")
    held = spawn.Event()
    process = spawn.Process(target=hold_until_killed, args=(path_of(cache), held))
    process.start()
    assert held.wait(60)
    os.kill(process.pid, 9)
    process.join(60)
    assert len(cache.topped_up(KEY, day(2, 1), day(3, 1), vendor.fetch)) == 21
