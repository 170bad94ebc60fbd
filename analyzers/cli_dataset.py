"""`python -m analyzers dataset`: a training set from daily bars."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzers import options
from analyzers.sectors.asked import File, map_of, members, placed
from analyzers.study.dataset import NAMES, DatasetSettings, dataset
from feeds.bars_spec import BarsSpec

EXAMPLES = """Examples:

python -m analyzers dataset --feed yahoo --symbols AAPL,MSFT,XOM --start 2015-01-01 --out data/ml

Exit codes: 0 done, 2 bad input."""


@options.takes_bars
def make_dataset(
    bars: BarsSpec,
    out: Annotated[Path, typer.Option(help="Folder of the set.")] = Path("data/ml"),
    features: Annotated[str, typer.Option(help="Comma-separated; all of them without.")] = "",
    label: Annotated[str, typer.Option(help="barrier, direction or return.")] = "barrier",
    horizon: Annotated[int, typer.Option(help="Bars until a label is known at the latest.")] = 20,
    missing: Annotated[str, typer.Option(help="drop or keep rows with unknown features.")] = "drop",
    sectors: File = None,
    as_json: options.Json = False,
) -> int:
    """Make features, labels and weights; the same bars give the same bytes."""
    chosen: dict[str, Any] = {"label": label, "horizon": horizon, "missing": missing}
    named = tuple(name.strip() for name in features.split(",") if name.strip())
    sector_map = map_of(bars.source, sectors)
    frames = members(bars, sector_map).fetch()
    last = max(frame.index[-1] for frame in frames.values()).date()
    known = placed(sector_map, frames, last)
    made = dataset(frames, DatasetSettings(features=named or NAMES, **chosen), known)
    made.save(out)
    if as_json:
        sys.stdout.write(json.dumps(dict(made.manifest), allow_nan=False) + "\n")
        return 0
    sys.stdout.write("\n".join(_words(made.manifest)) + f"\nset     {out}\n")
    return 0


def _words(told: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{told['rows']:,} rows of {len(told['symbols'])} symbols, {len(told['features'])} "
        f"features, {told['first'][:10]} to {told['last'][:10]}"
    )
    if told["classes"]:
        counts = (f"{name}: {count:,}" for name, count in told["classes"].items())
        yield f"labels  {', '.join(counts)}"
    if told["left_out"]:
        yield f"left out, nothing determines them: {', '.join(told['left_out'])}"
