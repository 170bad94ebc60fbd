"""What the command line says: `streamlit run app.py -- --log PATH [--log PATH] [--data DIR]`."""

from argparse import ArgumentError, ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from brokers.errors import ConfigError

LOG = Path("out/live/decisions.jsonl")  # where `python -m live` writes
DATA = Path("data")
USAGE = "streamlit run app.py -- --log PATH [--log PATH] [--data DIR] [--out DIR]"


@dataclass(frozen=True, slots=True)
class Options:
    """What to show.

    Args:
        logs: decision logs, at least one; the first is the one that pages begin with.
        data: folder of the reports of `python -m analyzers`.
        out: folder in which runs, sweeps and certificates were saved, at any depth.
    """

    logs: tuple[Path, ...] = (LOG,)
    data: Path = DATA
    out: Path = Path("out")


def parse(words: Sequence[str]) -> Options:
    """Read the words after `--`.

    A folder given as a log means the `decisions.jsonl` in it.

    Raises:
        ConfigError: they are not understood.
    """
    parser = ArgumentParser(usage=USAGE, add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--log", type=Path, action="append")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("out"))
    try:
        told, unknown = parser.parse_known_args(words)
    except ArgumentError as error:
        raise ConfigError(f"{error}; say {USAGE}") from error
    if unknown:
        raise ConfigError(f"{unknown[0]} is no option of the dashboard; say {USAGE}")
    logs = tuple(dict.fromkeys(told.log or [LOG]))
    files = tuple(log / LOG.name if log.is_dir() else log for log in logs)
    return Options(files, told.data, told.out)
