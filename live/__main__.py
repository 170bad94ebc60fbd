"""`python -m live`: see `live.cli`."""

import gc
import sys

from backtest.complaints import one_line_for_strangers
from live.cli import main

if __name__ == "__main__":
    sys.excepthook = one_line_for_strangers(sys.argv)
    gc.freeze()  # to look through all that was imported would stop a session for 0.15 s
    sys.exit(main(sys.argv[1:]))
