"""One session an account: a lock that ends with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from brokers.errors import ConfigError


@contextmanager
def account_lock(account: str, folder: Path | None = None) -> Iterator[Path]:
    """Hold the account while the block runs.

    Args:
        account: what names it: venue and key, or account number; it stands nowhere in clear.
        folder: of the locks; None: the user's state folder, so that all sessions share it.

    Raises:
        ConfigError: another session has it, or the folder cannot be written.
    """
    place = folder or state_folder()
    path = place / f"{sha256(account.encode()).hexdigest()[:16]}.lock"
    try:
        place.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"{path}: the account's lock cannot be made: {error.strerror}") from error
    try:
        _take(fd, path)
        yield path
    finally:
        os.close(fd)


def state_folder() -> Path:
    """Where this user's locks are."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "seawall"


def _take(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip() or "unknown"
        raise ConfigError(
            f"another session (process {holder}) trades this account: end it first; the lock is "
            f"{path}"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
