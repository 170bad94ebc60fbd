"""From bars to a training set: features, labels, weights, in Parquet with a manifest.

The same bars and settings give the same bytes. A row holds what was known at a bar's end, and what
became of it; the label's end says until when the row must not meet a test set, see
`analyzers.study.splits`. Nothing is scaled here: a scaler is fitted on the training part alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import sqrt
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analyzers import volatility
from analyzers.columns import Columns, Frames
from analyzers.study.features import FEATURES, Feature, Known
from analyzers.study.labels import Labels, forward_return, triple_barrier, uniqueness
from analyzers.study.leaks import check_leaks
from brokers.errors import ConfigError, DataError

Floats = npt.NDArray[np.float64]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
NAMES: Final = tuple(feature.name for feature in FEATURES)
WIDTH_WINDOW: Final = 21
CHECKED_DAYS: Final = 2
CHECK_SEED: Final = 20_240_101


@dataclass(frozen=True)
class DatasetSettings:
    """What decides a set.

    Args:
        features: names of `analyzers.study.features.FEATURES`.
        label: the forward return, its sign (direction), or the triple barrier.
        horizon: bars until the label is known at the latest.
        take_profit, stop_loss: barriers in daily volatilities of 21 bars times sqrt(horizon).
        missing: drop rows with an unknown feature, or keep them as NaN.
        balanced: weigh classes equally; not for the forward return.

    Raises:
        ConfigError: an unknown feature or word, or a number that makes no sense.
    """

    features: tuple[str, ...] = NAMES
    label: Literal["return", "direction", "barrier"] = "barrier"
    horizon: int = 20
    take_profit: float = 1.0
    stop_loss: float = 1.0
    missing: Literal["drop", "keep"] = "drop"
    balanced: bool = True

    def __post_init__(self) -> None:
        if unknown := [name for name in self.features if name not in NAMES]:
            raise ConfigError(f"no feature {unknown[0]!r}: there are {', '.join(NAMES)}")
        if not self.features:
            raise ConfigError("a set needs at least one feature")
        if self.label not in {"return", "direction", "barrier"}:
            raise ConfigError(f"label={self.label!r}: choose return, direction or barrier")
        if self.missing not in {"drop", "keep"}:
            raise ConfigError(f"missing={self.missing!r}: choose drop or keep")
        if self.horizon < 1 or min(self.take_profit, self.stop_loss) < 0:
            raise ConfigError("horizon must be at least 1, take_profit and stop_loss at least 0")

    @property
    def chosen(self) -> list[Feature]:
        """The features in the order of the set's columns."""
        return [feature for feature in FEATURES if feature.name in self.features]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A training set.

    Args:
        table: rows by time, then symbol: time and symbol, a column a feature, label, label_end
            (start of the bar at whose end it is known), outcome (simple return), weight.
        manifest: settings, passports, versions, look-backs, counts, and the hash of the table.
    """

    table: pd.DataFrame
    manifest: Mapping[str, Any]

    def save(self, folder: Path) -> Path:
        """Write a file a month and the manifest last, so that a set without it is no set.

        Raises:
            ConfigError: the folder holds something else, or cannot be written to.
        """
        try:
            _clear(folder)
            months = self.table["time"].dt.strftime("%Y-%m")
            for month, rows in self.table.groupby(months, sort=True):
                place = folder / f"month={month}"
                place.mkdir(parents=True)
                table = pa.Table.from_pandas(rows, preserve_index=False)
                pq.write_table(table, place / "part.parquet", compression="zstd")
            told = json.dumps(self.manifest, indent=1, allow_nan=False, sort_keys=True)
            (folder / MANIFEST).write_text(told + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"cannot write the set to {folder}: {error.strerror or error}: name a folder that "
                "you may write to"
            ) from error
        return folder

    @staticmethod
    def load(folder: Path) -> "Dataset":
        """Read what `save` wrote.

        Raises:
            DataError: there is no complete set, or it was changed since.
        """
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            parts = [pq.read_table(path).to_pandas() for path in sorted(folder.glob("month=*/*"))]
            table = pd.concat(parts, ignore_index=True)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise DataError(f"no complete set in {folder}: make it anew") from error
        if manifest.get("format") != FORMAT or manifest.get("sha256") != _hash(table):
            raise DataError(
                f"the set in {folder} was changed or is of another version: make it anew"
            )
        return Dataset(table, manifest)


def dataset(
    frames: Frames,
    settings: DatasetSettings | None = None,
    sectors: Mapping[str, str] | None = None,
    *,
    checked_days: int = CHECKED_DAYS,
) -> Dataset:
    """Make a training set of daily bars.

    Args:
        sectors: of the symbols; without them the features against the sector are unknown, and left
            out of the set.
        checked_days: at how many days the features are made again without the future.

    Raises:
        DataError: no row is left, or a feature knows the future.
    """
    used = settings or DatasetSettings()
    bars = Columns.of(frames)
    check_leaks(
        bars, used.chosen, sectors or {}, days=checked_days, rng=np.random.default_rng(CHECK_SEED)
    )
    known = Known(bars, sectors or {})
    values = {feature.name: feature.values(known) for feature in used.chosen}
    unknown = [name for name, column in values.items() if np.isnan(column).all()]
    values = {name: column for name, column in values.items() if name not in unknown}
    labels = _labels(known.bars, used)
    kept = labels.known & ~np.isnan(bars.close)
    if used.missing == "drop":
        for column in values.values():
            kept &= ~np.isnan(column)
    if not kept.any() or not values:
        raise DataError(
            f"no row is left of {bars.shape[0]} days and {bars.shape[1]} symbols: take a longer "
            "period, or features with a shorter look-back"
        )
    table = _table(bars, values, labels, kept, used)
    return Dataset(table, _manifest(bars, used, table, unknown, sectors or {}))


def _labels(bars: Columns, used: DatasetSettings) -> Labels:
    if used.label == "barrier":
        daily = volatility.close_to_close(bars.close, WIDTH_WINDOW, 1.0)
        return triple_barrier(
            bars.high, bars.low, bars.close, daily * sqrt(used.horizon),
            take_profit=used.take_profit, stop_loss=used.stop_loss, horizon=used.horizon,
        )  # fmt: skip
    found = forward_return(bars.close, used.horizon)
    value = np.sign(found.value) if used.label == "direction" else found.value
    return Labels(value, found.end, found.outcome)


def _table(
    bars: Columns,
    values: Mapping[str, Floats],
    labels: Labels,
    kept: npt.NDArray[np.bool_],
    used: DatasetSettings,
) -> pd.DataFrame:
    rows, columns = np.nonzero(kept)
    weight = uniqueness(labels)[rows, columns]
    label = labels.value[rows, columns]
    if used.balanced and used.label != "return":
        weight = weight * _balance(label, weight)
    return pd.DataFrame(
        {
            "time": bars.index[rows],
            "symbol": np.array(bars.symbols, dtype=object)[columns],
            **{name: table[rows, columns] for name, table in values.items()},
            "label": label,
            "label_end": bars.index[labels.end[rows, columns]],
            "outcome": labels.outcome[rows, columns],
            "weight": weight,
        }
    ).astype({"symbol": "str"})


def _balance(label: Floats, weight: Floats) -> Floats:
    """Factors that give every class the same total weight, and leave the sum of all as it is."""
    classes, member = np.unique(label, return_inverse=True)
    totals = np.bincount(member, weights=weight)
    factors: Floats = (weight.sum() / (len(classes) * totals))[member]
    return factors


def _manifest(
    bars: Columns,
    used: DatasetSettings,
    table: pd.DataFrame,
    unknown: Sequence[str],
    sectors: Mapping[str, str],
) -> dict[str, Any]:
    counted = used.label != "return"
    values, counts = np.unique(table["label"].to_numpy(), return_counts=True)
    return {
        "format": FORMAT,
        "settings": asdict(used) | {"features": list(used.features)},
        "features": {
            feature.name: {"lookback": feature.lookback}
            for feature in used.chosen
            if feature.name not in unknown
        },
        "left_out": list(unknown),
        "rows": len(table),
        "symbols": list(bars.symbols),
        "sectors": {name: sectors[name] for name in bars.symbols if name in sectors},
        "first": table["time"].iloc[0].isoformat(),
        "last": table["time"].iloc[-1].isoformat(),
        "classes": (
            {f"{value:g}": int(n) for value, n in zip(values, counts, strict=True)}
            if counted
            else {}
        ),
        "passports": {name: held.as_dict() for name, held in sorted(bars.passports.items())},
        "versions": {name: version(name) for name in ("numpy", "pandas", "pyarrow", "seawall")},
        "sha256": _hash(table),
    }


def _hash(table: pd.DataFrame) -> str:
    """SHA-256 over the columns' names and their values, times as nanoseconds, little-endian."""
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(name.encode())
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            digest.update(
                column.dt.as_unit("ns").astype("int64").to_numpy().astype("<i8").tobytes()
            )
        elif name == "symbol":
            digest.update("\0".join(column).encode())
        else:
            digest.update(column.to_numpy().astype("<f8").tobytes())
    return digest.hexdigest()


def _clear(folder: Path) -> None:
    """Remove an earlier set; anything else is left alone.

    Raises:
        ConfigError: there is something else.
    """
    if not folder.exists():
        return
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.glob("month=*/part.parquet"):
        path.unlink()
        path.parent.rmdir()
    if strange := next(folder.iterdir(), None):
        raise ConfigError(f"{folder} holds {strange.name}, which no set does: name another folder")
