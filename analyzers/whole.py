"""Files that are there whole, or not at all."""

import os
from pathlib import Path

from brokers.errors import ConfigError


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step, over what was there; its folder is made.

    A reader never sees a part of it. It is not synced: a loss of power may undo it.

    Raises:
        ConfigError: it cannot be written there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ConfigError:
    """What to say of a place that takes no file."""
    return ConfigError(
        f"cannot write {path}: {error.strerror or error}: name a folder that you may write to"
    )
