"""`python -m backtest`: see `backtest.cli`."""

import sys

from backtest.cli import main
from backtest.complaints import one_line_for_strangers

if __name__ == "__main__":
    sys.excepthook = one_line_for_strangers(sys.argv)
    sys.exit(main(sys.argv[1:]))
