"""`python -m live`: see `live.cli`."""

import sys

from backtest.complaints import one_line_for_strangers
from live.cli import main

if __name__ == "__main__":
    sys.excepthook = one_line_for_strangers(sys.argv)
    sys.exit(main(sys.argv[1:]))
