"""What `import backtest` costs beside the libraries that it stands on, interleaved."""

import subprocess
import sys
from statistics import median
from time import perf_counter

from rich.console import Console

GOAL_S, ROUNDS = 0.5, 9
ALONE, USED = "import backtest", "from backtest import run, sweep"
LIBRARIES = "import pandas, backtrader; from pydantic import BaseModel"


def seconds(code: str) -> float:
    begun = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - begun


def test_import_of_backtest() -> None:
    seconds(USED)  # compiles what was not
    rounds = [[seconds(code) for code in (ALONE, USED, LIBRARIES)] for _ in range(ROUNDS)]
    alone, used, libraries = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(row[1] / row[2] for row in rounds)
    tell = Console(width=120).print
    verdict = "met" if alone <= GOAL_S else "MISSED"
    tell(f"{ALONE}: {alone:.3f} s (goal {GOAL_S} s: {verdict}; what it names comes when used)")
    tell(f"{USED}: {used:.3f} s; {LIBRARIES}: {libraries:.3f} s; ratio {ratio:.2f}")
