"""What is typed: symbols, files of symbols, days and weeks."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from analyzers.outliers.asked import Universe, days, days_for
from brokers.errors import ConfigError
from feeds.bars_spec import BarsSpec

NOW = datetime(2024, 2, 29, 15, tzinfo=UTC)


def test_a_file_has_symbols_sectors_and_remarks(tmp_path: Path) -> None:
    file = tmp_path / "universe.csv"
    file.write_text("symbol,sector\nAAA, Energy\n\n# nobody\nBBB # new\nAAA,Energy\n")
    found = Universe.of(["CCC", "AAA"], file)
    assert found.symbols == ("CCC", "AAA", "BBB")
    assert found.sectors == {"AAA": "Energy"}


def test_nobody_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("symbol\n")
    with pytest.raises(ConfigError, match=r"empty.csv names no symbol: give --symbols"):
        Universe.of([], empty)
    with pytest.raises(ConfigError, match="no symbol: give --symbols"):
        Universe.of([], None)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory: --universe takes"):
        Universe.of([], tmp_path / "none.csv")
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="it is no text"):
        Universe.of([], tmp_path / "picture")


def test_a_week_is_its_sessions() -> None:
    found = days(None, "2024-02-21", NOW)  # Monday was Washington's birthday
    assert found == tuple(date(2024, 2, day) for day in (20, 21, 22, 23))
    assert days(None, "2024-02-29", NOW)[-1] == date(2024, 2, 29)
    assert days("2024-02-07", None, NOW) == (date(2024, 2, 7),)


@pytest.mark.parametrize(
    ("day", "week", "text"),
    [
        (None, None, "give --date"),
        ("2024-02-07", "2024-02-07", "one of them"),
        ("7 Feb", None, "'7 Feb' is no date"),
        ("2024-03-01", None, "2024-03-01: its session has not begun"),
        ("2024-02-10", None, "2024-02-10: there is no session of XNYS"),
    ],
)
def test_what_is_no_day_is_refused(day: str | None, week: str | None, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        days(day, week, NOW)


def test_days_go_back_as_far_as_the_window_and_are_adjusted_as_the_minutes_are() -> None:
    minutes = BarsSpec("yahoo", ("AAPL",), "2024-01-02", None, "1m", {"timeout_s": 5})
    found = days_for(minutes, [date(2024, 2, 8), date(2024, 2, 7)], 3)
    assert (found.timeframe, found.start, found.end) == ("1d", "2024-02-02", "2024-02-08")
    assert found.options == {"timeout_s": 5, "adjustment": "split"}
    assert days_for(BarsSpec("synthetic"), [date(2024, 2, 7)], 3).options == {}
