"""`python -m live`, and the script seawall-live: see `live.cli`."""

import gc
import sys

from backtest.complaints import one_line_for_strangers
from live.cli import PROGRAM, SCRIPT, main


def run(program: str = SCRIPT) -> int:
    """Run the command line of this process; returns the exit code."""
    sys.excepthook = one_line_for_strangers(sys.argv)
    gc.freeze()  # to look through all that was imported would stop a session for 0.15 s
    return main(sys.argv[1:], program)


if __name__ == "__main__":
    sys.exit(run(PROGRAM))
