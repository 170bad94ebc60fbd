"""A session's folder: what it must have again after a crash, or say what is wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from analyzers.journal import Journal
from brokers.clock import ManualClock
from brokers.errors import ConfigError, DataError
from feeds.passport import passport_of
from feeds.sources import history
from live.folder import Folder, passports_in


@pytest.fixture
def frames() -> dict[str, pd.DataFrame]:
    """A warm-up of a few days."""
    return history("synthetic", ["SPY"], "2025-06-02", "2025-06-06", "1d")


def _log(folder: Folder, *records: dict[str, object]) -> None:
    with Journal(folder.log, "s1", ManualClock(datetime(2025, 6, 2, tzinfo=UTC))) as journal:
        for record in records:
            journal.append(record)


def test_a_new_folder_holds_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "new")
    folder.make()
    assert folder.records() == ()


def test_the_warm_up_comes_back_as_the_log_knows_it(
    tmp_path: Path, frames: dict[str, pd.DataFrame]
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    folder.keep(frames)
    passport = passport_of(frames["SPY"], "SPY")
    _log(folder, {"kind": "session", "passports": [passport.as_dict()]})
    known = passports_in(folder.records())
    assert known == [passport]
    pd.testing.assert_frame_equal(folder.warm_up(known)["SPY"], frames["SPY"])


def test_a_warm_up_that_is_gone_or_changed_stops_the_start(
    tmp_path: Path, frames: dict[str, pd.DataFrame]
) -> None:
    folder = Folder(tmp_path)
    folder.make()
    passport = passport_of(frames["SPY"], "SPY")
    with pytest.raises(DataError, match="gone or changed"):
        folder.warm_up([passport])
    folder.keep(history("synthetic", ["SPY"], "2025-06-03", "2025-06-06", "1d"))
    with pytest.raises(DataError, match="gone or changed"):
        folder.warm_up([passport])


def test_a_damaged_log_names_the_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    _log(folder, {"kind": "session"}, {"kind": "decision", "order_id": "a1"})
    folder.log.write_bytes(folder.log.read_bytes().replace(b"a1", b"a2"))
    with pytest.raises(DataError, match=r"damaged at line 2: .*--fresh"):
        folder.records()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        Folder(tmp_path / "file").make()
