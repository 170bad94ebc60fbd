"""`python -m backtest`, and the script seawall-backtest: see `backtest.cli`."""

import sys

from backtest.cli import PROGRAM, SCRIPT, main
from backtest.complaints import one_line_for_strangers


def run(program: str = SCRIPT) -> int:
    """Run the command line of this process; returns the exit code."""
    sys.excepthook = one_line_for_strangers(sys.argv)
    return main(sys.argv[1:], program)


if __name__ == "__main__":
    sys.exit(run(PROGRAM))
