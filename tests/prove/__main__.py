"""`python -m tests.prove [NAME ...]`: all long proofs on all cores, going on where it was stopped.

Finished chunks are kept under .prove/, keyed by a hash of the code, so that an interrupted proof
repeats nothing and a changed one starts anew. Exit code 1 when a claim was broken.
"""

import hashlib
import json
import os
import sys
import time
import warnings
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.prove import Proof
from tests.prove.proofs import PROOFS

ROOMS = ("analyzers", "backtest", "brokers", "feeds", "live", "strategies", "tests")
LONGEST_TEXT = 2000
CHUNKS_A_CORE = 1.5  # processes of rehearsals over loopback wait for each other now and then


@dataclass(frozen=True)
class Outcome:
    """What became of one chunk; `broken` is the first case that broke the claim, or empty."""

    proof: str
    chunk: int
    cases: int
    wall_s: float
    broken: str = ""


def attempt(proof: Proof, chunk: int) -> Outcome:
    """Run one chunk, in a process of its own."""
    warnings.simplefilter("ignore", DeprecationWarning)
    begun = time.perf_counter()
    try:
        cases, broken = proof.run(chunk), ""
    except AssertionError as error:
        cases, broken = 0, str(error)[:LONGEST_TEXT] or repr(error)
    except Exception as error:  # noqa: BLE001  whatever ends a chunk is its outcome: the rest go on
        cases, broken = 0, f"{type(error).__name__}: {error}"[:LONGEST_TEXT]
    return Outcome(proof.name, chunk, cases, time.perf_counter() - begun, broken)


def ledger_path() -> Path:
    """Where the outcomes for the code as it stands are kept."""
    digest = hashlib.sha256()
    for path in sorted(path for room in ROOMS for path in Path(room).rglob("*.py")):
        digest.update(path.as_posix().encode() + path.read_bytes())
    return Path(".prove") / f"{digest.hexdigest()[:16]}.jsonl"


def known_outcomes(path: Path) -> list[Outcome]:
    """Outcomes kept so far; a line cut short by a kill is passed over."""
    if not path.exists():
        return []
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    return [Outcome(**json.loads(line)) for line in whole.splitlines()]


def prove(proofs: Iterable[Proof], path: Path, console: Console) -> list[Outcome]:
    """Run what is missing and return all outcomes."""
    outcomes = [outcome for outcome in known_outcomes(path) if not outcome.broken]
    done = {(outcome.proof, outcome.chunk) for outcome in outcomes}
    missing = [piece for piece in longest_first(proofs) if (piece[0].name, piece[1]) not in done]
    path.parent.mkdir(exist_ok=True)
    with (
        path.open("a", encoding="utf-8") as ledger,
        ProcessPoolExecutor(int(CHUNKS_A_CORE * (os.cpu_count() or 1))) as pool,
        Progress(console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("proving", total=len(missing))
        futures: list[Future[Outcome]] = [pool.submit(attempt, *piece) for piece in missing]
        for future in as_completed(futures):
            outcomes.append(future.result())
            ledger.write(json.dumps(asdict(outcomes[-1])) + "\n")
            ledger.flush()
            progress.advance(task)
    return outcomes


def longest_first(proofs: Iterable[Proof]) -> list[tuple[Proof, int]]:
    """Every chunk, those that take long before the others, so that none is left over at the end."""
    ordered = sorted(proofs, key=lambda proof: -proof.chunk_s)
    return [(proof, chunk) for proof in ordered for chunk in range(proof.chunks)]


def table(proofs: Iterable[Proof], outcomes: list[Outcome]) -> Table:
    """One row a proof: claim, chunks, cases, broken chunks, processor seconds."""
    rows = Table("proof", "claim", "chunks", "cases", "broken", "seconds", title="make prove")
    for proof in proofs:
        mine = [outcome for outcome in outcomes if outcome.proof == proof.name]
        broken = sum(bool(outcome.broken) for outcome in mine)
        rows.add_row(
            proof.name,
            proof.claim,
            f"{len(mine)}/{proof.chunks}",
            f"{sum(outcome.cases for outcome in mine):,}",
            str(broken),
            f"{sum(outcome.wall_s for outcome in mine):.1f}",
        )
    return rows


def main(names: list[str]) -> int:
    """Prove what is named, or everything."""
    unknown = sorted(set(names) - {proof.name for proof in PROOFS})
    if unknown:
        known = ", ".join(proof.name for proof in PROOFS)
        print(f"error: no proof {', '.join(unknown)}; there are {known}", file=sys.stderr)  # noqa: T201
        return 2
    chosen = [proof for proof in PROOFS if not names or proof.name in names]
    console = Console()
    outcomes = prove(chosen, ledger_path(), console)
    console.print(table(chosen, outcomes))
    for outcome in outcomes:
        if outcome.broken and outcome.proof in {proof.name for proof in chosen}:
            console.print(f"{outcome.proof}, chunk {outcome.chunk}: {outcome.broken}", markup=False)
    return int(any(outcome.broken for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
