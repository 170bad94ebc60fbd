"""A folder that was used before is made ready for another rehearsal; no log in it is lost."""

from pathlib import Path

from analyzers.chain import tail
from analyzers.journal import set_aside
from brokers.errors import ConfigError, DataError
from live.folder import LOG
from live.rehearsal.in_memory import LIVE
from live.rehearsal.kept import PAGE, PLAIN

SESSION, ERRORS = "session", "session.err"
SOURCE = "rehearsal"  # of the bars, as the session line names it


def begin_anew(folder: Path) -> None:
    """Make the folder; earlier logs are set aside as `<log>.1`, an earlier certificate goes.

    Raises:
        ConfigError: a session lies there that is no rehearsal, a log is being written, or the
            folder cannot be made.
    """
    log = folder / SESSION / LOG
    if not _is_rehearsed(log):
        raise ConfigError(f"{log} is the log of no rehearsal: name another folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (PLAIN, PAGE, ERRORS):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}: name another folder with --out") from error
    for earlier in (log, folder / LIVE):
        set_aside(earlier)


def _is_rehearsed(log: Path) -> bool:
    """Whether a rehearsal wrote it, or there is nothing in it."""
    if not log.exists():
        return True
    try:
        begun, _ = next(tail(log), (None, 0))
        return begun is None or all(told["source"] == SOURCE for told in begun["passports"])
    except (DataError, KeyError, TypeError):
        return False
