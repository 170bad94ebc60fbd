"""The cache's files: damaged, half written, without room, and shared by processes."""

import logging
import multiprocessing
import os
import resource
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.clock import ManualClock
from brokers.errors import ConfigError
from feeds import parquet
from feeds.cache import BarCache, Key
from feeds.ranges import within
from tests.feeds.daily_vendor import KEY, LATER, Vendor, day, path_of


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
