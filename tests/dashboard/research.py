"""Reports for the pages that show them: `python -m tests.dashboard.research FOLDER`.

`python -m tests.dashboard.pictures --data FOLDER/data --saved FOLDER/out` takes their pictures.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DAYS = ("2025-09-30", "2025-10-31", "2025-11-28", "2025-12-31")
SWEEP = ("--grid", "fast=5:25:4", "--grid", "slow=30:120:15", "--symbols", "SPY")
REHEARSALS = (
    ("sma_cross", "--param", "fast=3", "--param", "slow=8", "--faults", "storm"),
    ("rsi_reversion", "--timeframe", "1d"),
)


def make(folder: Path) -> None:
    """Write a report of each kind below a folder: data/ for analyses, out/ for the rest."""
    data, out = folder / "data", folder / "out"
    for day in DAYS:
        _run("analyzers", "sector", "--end", day, "--out", data / "sector_report.json")
    _run("analyzers", "ranking", "--neutral", "--out", data / "ranking.json")
    week = data / "outliers" / "2024-02-09-week.json"
    _run("analyzers", "outliers", "--week", "2024-02-05", "--timeframe", "5m", "--chart", "2",
         "--out", week)  # fmt: skip
    _run("backtest", "sweep", "sma_cross", *SWEEP, "--ledger", folder / "ledger.sqlite", "--quiet",
         "--out", out / "sweep")  # fmt: skip
    for number, words in enumerate(REHEARSALS):
        _run("live", "rehearse", *words, "--over", "memory", "--out", out / f"rehearsal-{number}")


def main(argv: Sequence[str]) -> int:
    """Make them in the folder that is named."""
    folder = Path(argv[0]) if argv else Path("out/research")
    make(folder)
    sys.stdout.write(f"reports {folder}\n")
    return 0


def _run(package: str, *words: str | Path) -> None:
    command = [sys.executable, "-m", package, *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
