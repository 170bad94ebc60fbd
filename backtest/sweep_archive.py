"""Sweeps as files: complete or not there, and equal to the last bit when read again."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analyzers.overfit import BLOCKS
from analyzers.whole import write_whole
from backtest.entries import MOMENTS
from backtest.ledger import Tried
from backtest.outcomes import METRICS, Outcomes
from backtest.sweep_result import FAILED, SweepResult, table_of
from brokers.errors import DataError
from feeds.passport import Passport

FORMAT = 1
SUMMARY, SETS = "sweep.json", "sets.parquet"
PLAIN = ("objective", "engine", "engine_reason", "wall_s", "left_out", "known", "partial")
BLOCK_FIELDS = ("count", "sum", "squares")


def save(result: SweepResult, folder: Path) -> Path:
    """Write `result` into `folder`, over an earlier one.

    sweep.json comes last and holds the hash of the sets.

    Raises:
        ConfigError: it cannot be written there.
    """
    content = _frame(result).to_parquet(None)
    about = {name: getattr(result, name) for name in PLAIN} | {
        "format": FORMAT,
        "names": list(result.names),
        "tried": [result.tried.trials, _none_for_nan(result.tried.variance)],
        "confirmed": list(result.confirmed),
        "config": dict(result.config),
        "passports": {name: known.as_dict() for name, known in result.passports.items()},
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_whole(folder / SETS, content)
    write_whole(folder / SUMMARY, json.dumps(about, indent=1, allow_nan=False).encode())
    return folder


def load(folder: Path) -> SweepResult:
    """The sweep that was saved in `folder`.

    Raises:
        DataError: nothing complete was saved there, or it was changed since.
    """
    about, content = _read(folder)
    frame = pd.read_parquet(io.BytesIO(content))
    names = tuple(about["names"])
    outcomes = _outcomes(frame)
    sets: list[Any] = frame[list(names)].to_dict("records")
    trials, variance = about["tried"]
    return SweepResult(
        table=table_of(sets, names, outcomes),
        names=names,
        outcomes=outcomes,
        config=about["config"],
        passports={name: Passport.from_dict(it) for name, it in about["passports"].items()},
        tried=Tried(trials, float("nan") if variance is None else variance),
        confirmed=tuple(about["confirmed"]),
        **{name: about[name] for name in PLAIN},
    )


def _frame(result: SweepResult) -> pd.DataFrame:
    outcomes = result.outcomes
    columns: dict[str, Any] = dict(zip(MOMENTS, outcomes.moments.T, strict=True))
    columns["periods"] = outcomes.periods
    for block in range(BLOCKS):
        for place, name in enumerate(BLOCK_FIELDS):
            columns[f"block{block}_{name}"] = outcomes.blocks[:, block, place]
    return pd.concat([result.table, pd.DataFrame(columns)], axis=1)


def _outcomes(frame: pd.DataFrame) -> Outcomes:
    names = [f"block{block}_{name}" for block in range(BLOCKS) for name in BLOCK_FIELDS]
    failed = frame[FAILED]
    return Outcomes(
        {name: frame[name].to_numpy(dtype=np.float64) for name in METRICS},
        frame[list(MOMENTS)].to_numpy(dtype=np.float64),
        frame["periods"].to_numpy(dtype=np.int64),
        frame[names].to_numpy(dtype=np.float64).reshape(-1, BLOCKS, len(BLOCK_FIELDS)),
        {int(row): str(failed[row]) for row in np.flatnonzero(failed.notna())},
    )


def _read(folder: Path) -> tuple[dict[str, Any], bytes]:
    path = folder / SUMMARY
    try:
        about: dict[str, Any] = json.loads(path.read_bytes())
        content = (folder / SETS).read_bytes()
        found = about["format"]
    except OSError as error:
        raise DataError(
            f"no saved sweep in {folder}: {Path(str(error.filename)).name}: {error.strerror}: "
            "name the folder given to save() or --out"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not what save() writes: run the sweep again") from error
    if found != FORMAT:
        raise DataError(f"{path} has format {found}, this version reads {FORMAT}: run it again")
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise DataError(f"{folder / SETS} was changed after {SUMMARY} was written: run it again")
    return about, content


def _none_for_nan(value: float) -> float | None:
    return None if np.isnan(value) else value
