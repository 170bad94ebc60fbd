"""An output folder that receives all files of a run, or none."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brokers.errors import ConfigError, SeawallError


@contextmanager
def delivered(out: Path) -> Iterator[Path]:
    """A folder inside `out` whose files move up into it when the block ends without an error.

    What an earlier run left in `out` stays as it is until then.

    Raises:
        ConfigError: `out` cannot be made or written to.
    """
    staging = _staging(out)
    try:
        yield staging
        for path in sorted(staging.iterdir()):
            path.replace(out / path.name)
    except SeawallError as error:
        error.args = (str(error).replace(str(staging), str(out)),)
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staging(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    except OSError as error:
        raise ConfigError(
            f"cannot write to {out}: {error.strerror}: name another folder"
        ) from error
