"""Whether somebody is writing a log, seen without touching its lock."""

from pathlib import Path

LOCKS = Path("/proc/locks")


def is_written(inode: int, locks: Path = LOCKS) -> bool | None:
    """Whether a process holds the lock that a journal takes on its log; None: nobody can tell.

    Source: proc_locks(5): number, class, kind, access, process, device and inode, range.
    """
    try:
        lines = locks.read_text().splitlines()
    except OSError:
        return None
    held = [line.split() for line in lines if " FLOCK " in line and " WRITE " in line]
    return any(words[5].rpartition(":")[2] == str(inode) for words in held if len(words) > 5)
