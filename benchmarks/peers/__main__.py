"""`python -m benchmarks.peers [--works W1a,W2a] [--rounds 3] [--scaling quick|full|none]`."""

import argparse
import sys
from pathlib import Path

from benchmarks.peers import report, scaling
from benchmarks.peers.compare import WORKS, compared


def main() -> int:
    """Measure, then write the page and its chart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--works", default=",".join(WORKS), help="which works, comma-separated")
    parser.add_argument("--peers", default="", help="which peers, comma-separated; all of them")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each peer and work")
    parser.add_argument("--scaling", choices=("none", "quick", "full"), default="full")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of page and chart")
    asked = parser.parse_args()
    works, peers = (text.split(",") if text else [] for text in (asked.works, asked.peers))
    table = compared(works, asked.rounds, peers)
    points = [] if asked.scaling == "none" else list(scaling.points(asked.scaling == "quick"))
    asked.out.mkdir(parents=True, exist_ok=True)
    text = report.page(table, points)
    (asked.out / "benchmarks.md").write_text(text)
    if table:
        report.chart(table).savefig(asked.out / report.CHART, dpi=110, metadata={"Software": None})
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
