"""What `import backtest` costs beside the libraries that it stands on, interleaved."""

import subprocess
import sys
from statistics import median
from time import perf_counter

from rich.console import Console

GOAL_S, ROUNDS = 0.5, 7
LIBRARIES = "import pandas, backtrader, pydantic"


def seconds(code: str) -> float:
    begun = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return perf_counter() - begun


def test_import_of_backtest() -> None:
    rounds = [(seconds("import backtest"), seconds(LIBRARIES)) for _ in range(ROUNDS)]
    ours, theirs = (median(column) for column in zip(*rounds, strict=True))
    fastest = min(row[0] for row in rounds)
    verdict = "met" if ours <= GOAL_S else "MISSED"
    Console().print(
        f"import backtest: median {ours:.2f} s, fastest {fastest:.2f} s "
        f"(goal {GOAL_S}: {verdict}); {LIBRARIES}: {theirs:.2f} s; ratio {ours / theirs:.2f}"
    )
    heavy = "import backtest, sys; sys.exit('numba' in sys.modules or 'matplotlib' in sys.modules)"
    seconds(heavy)
