"""What the command line says when a stranger's strategy raises: one line, naming file and line."""

import sys
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], None]

TRACEBACK = "--traceback"
OURS = Path(__file__).resolve().parent.parent
LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "stdlib"))
ROOMS = tuple(OURS / room for room in ("analyzers", "backtest", "brokers", "feeds"))


def one_line_for_strangers(argv: Sequence[str]) -> Hook:
    """A `sys.excepthook`; Python's own when the command line asks for tracebacks.

    Python itself exits with code 1 after calling it.
    """
    return sys.__excepthook__ if TRACEBACK in argv else _complain


def _complain(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> None:
    text = " ".join(str(error).split())
    place = _place(frames)
    where = f" ({place.filename}:{place.lineno})" if place else ""
    sys.stderr.write(f"error: {kind.__name__}: {text}{where}; {TRACEBACK} shows all of it\n")


def _place(frames: TracebackType | None) -> traceback.FrameSummary | None:
    """The innermost line of the stranger's own code; without any, the innermost of all."""
    stack = traceback.extract_tb(frames)
    theirs = [frame for frame in stack if not _is_known(Path(frame.filename).resolve())]
    return next(reversed(theirs or stack), None)


def _is_known(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in (*LIBRARIES, *ROOMS))
