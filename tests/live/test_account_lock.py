"""One session an account."""

from pathlib import Path

import pytest

from brokers.errors import ConfigError
from live.account_lock import account_lock, state_folder


def test_a_second_session_is_refused_and_told_who_has_the_account(tmp_path: Path) -> None:
    with (
        account_lock("paper KEY", tmp_path),
        pytest.raises(ConfigError, match=r"another session \(process \d+\) trades this account"),
        account_lock("paper KEY", tmp_path),
    ):
        pass


def test_another_account_is_free_and_an_ended_session_leaves_its_own(tmp_path: Path) -> None:
    with account_lock("paper KEY", tmp_path), account_lock("live KEY", tmp_path):
        pass
    with account_lock("paper KEY", tmp_path) as path:
        assert "KEY" not in path.name


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match="the account's lock cannot be made"),
        account_lock("paper KEY", tmp_path / "file"),
    ):
        pass


def test_locks_are_shared_by_all_sessions_of_a_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with account_lock("paper KEY") as path:
        assert path.parent == tmp_path / "seawall" == state_folder()
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "state" / "seawall"
