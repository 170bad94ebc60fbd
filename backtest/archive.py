"""Results as files: complete or not there, and equal to the last bit when read again."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from analyzers.whole import unwritable, write_whole
from backtest.result import RunResult
from brokers.errors import DataError
from feeds.passport import KEY, Passport

FORMAT = 1
FRAMES = ("orders", "fills", "trades", "positions")
SUMMARY = "result.json"


def save(result: RunResult, folder: Path) -> Path:
    """Write `result` into `folder`, over an earlier one.

    result.json comes last and holds the hash of every other file, so that what was interrupted
    cannot be taken for a result.

    Raises:
        ConfigError: it cannot be written there.
    """
    frames = {name: getattr(result, name) for name in FRAMES}
    frames["equity"] = result.equity.to_frame()
    frames |= {_bars_name(symbol): bars for symbol, bars in result.bars.items()}
    contents = {f"{name}.parquet": _parquet(frame) for name, frame in frames.items()}
    about = {
        **result.as_json(),
        "saved": {
            "format": FORMAT,
            "config": dict(result.config),
            "metrics": dict(result.metrics),
            "passports": {key: passport.as_dict() for key, passport in result.passports.items()},
            "bars": list(result.bars),
            "files": {name: _sha256(content) for name, content in contents.items()},
        },
    }
    _remove(folder / SUMMARY)
    for name, content in contents.items():
        write_whole(folder / name, content)
    write_whole(folder / SUMMARY, json.dumps(about, indent=1, allow_nan=False).encode())
    return folder


def load(folder: Path) -> RunResult:
    """The result that was saved in `folder`.

    Raises:
        DataError: nothing complete was saved there, or it was changed since.
    """
    about = _summary(folder)
    saved = about["saved"]

    def frame(name: str) -> pd.DataFrame:
        return _frame(folder / f"{name}.parquet", saved["files"].get(f"{name}.parquet"))

    passports = {key: Passport.from_dict(plain) for key, plain in saved["passports"].items()}
    bars = {symbol: frame(_bars_name(symbol)) for symbol in saved["bars"]}
    for symbol, passport in passports.items():
        if symbol in bars:
            bars[symbol].attrs[KEY] = passport
    return RunResult(
        final_value=_number(about["final_value"]),
        final_cash=_number(about["final_cash"]),
        equity=frame("equity")["equity"],
        orders=frame("orders"),
        fills=frame("fills"),
        trades=frame("trades"),
        positions=frame("positions"),
        metrics=saved["metrics"],
        passports=passports,
        config=saved["config"],
        bars=bars,
        partial=about["partial"],
    )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    try:
        about: dict[str, Any] = json.loads(path.read_bytes())
        found = about["saved"]["format"]
    except OSError as error:
        raise DataError(
            f"no saved result in {folder}: {SUMMARY}: {error.strerror}: "
            "name the folder given to save() or --out"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not what save() writes: run it again") from error
    if found != FORMAT:
        raise DataError(f"{path} has format {found}, this version reads {FORMAT}: run it again")
    return about


def _frame(path: Path, sha256: str | None) -> pd.DataFrame:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}: the saved result is incomplete") from error
    if _sha256(content) != sha256:
        raise DataError(f"{path} was changed after {SUMMARY} was written: run it again")
    return pd.read_parquet(io.BytesIO(content))


def _parquet(frame: pd.DataFrame) -> bytes:
    bare = frame.copy(deep=False)
    bare.attrs = {}  # the passports are in result.json
    return bare.to_parquet(None)


def _bars_name(symbol: str) -> str:
    return f"bars-{quote(symbol, safe='')}"


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
