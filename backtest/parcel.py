"""What a worker needs for a sweep, ready to travel: the run, its strategy's code, the bars."""

import importlib.machinery
import importlib.util
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import uuid4

import backtrader as bt
import cloudpickle
import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.spec import RunSpec
from brokers.errors import ConfigError
from feeds.bars import COLUMNS
from feeds.passport import KEY, Passport
from strategies.pickling import by_value

Engine = Literal["cerebro", "compiled"]
CODE = "code.pickle"


class Parcel(Protocol):
    """A workload on its way; equal ones are opened once in a process."""

    @property
    def token(self) -> str:
        """Tells parcels apart."""

    def open(self) -> "Workload":
        """The workload itself."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Workload:
    """What is evaluated: every set of `run` on `frames`, by one engine."""

    run: RunSpec
    frames: Mapping[str, pd.DataFrame]
    engine: Engine


@dataclass(frozen=True)
class Series:
    """One symbol's bars as arrays, which can be shared between processes."""

    symbol: str
    times: npt.NDArray[np.int64]  # nanoseconds since 1970 UTC
    values: npt.NDArray[np.float64]  # a row for each of COLUMNS
    passport: Passport | None

    @classmethod
    def of(cls, symbol: str, frame: pd.DataFrame) -> "Series":
        """The arrays of a checked frame."""
        times = pd.DatetimeIndex(frame.index).as_unit("ns").asi8
        values = np.ascontiguousarray(frame[list(COLUMNS)].to_numpy().T)
        return cls(symbol, times, values, frame.attrs.get(KEY))

    def frame(self) -> pd.DataFrame:
        """The frame again, over the same memory."""
        index = pd.DatetimeIndex(self.times, tz="UTC", name="time")
        columns = dict(zip(COLUMNS, self.values, strict=True))
        frame = pd.DataFrame(columns, index=index, copy=False)
        frame.attrs[KEY] = self.passport
        return frame


@dataclass(frozen=True)
class Sealed:
    """A workload as bytes and arrays."""

    code: bytes = field(compare=False)
    series: tuple[Series, ...] = field(compare=False)
    token: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def of(cls, load: Workload) -> "Sealed":
        """Seal a workload.

        Raises:
            ConfigError: the strategy cannot be pickled; the text says what of it, and why.
        """
        series = tuple(Series.of(symbol, frame) for symbol, frame in load.frames.items())
        return cls(_pickled(load.run, load.engine), series)

    def open(self) -> Workload:
        """The workload.

        Raises:
            ConfigError: this process cannot import what the strategy needs.
        """
        modules, content = pickle.loads(self.code)  # noqa: S301  our own, from Sealed.of
        try:
            for name, path, text in modules:
                _import_text(name, path, text)
            run, engine = pickle.loads(content)  # noqa: S301
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"a worker cannot load the strategy: {error}: install its module where the "
                "workers run, or define it in one file"
            ) from error
        return Workload(run, {one.symbol: one.frame() for one in self.series}, engine)


@dataclass(frozen=True)
class OnDisk:
    """A workload in a folder of this machine; its bars are mapped into memory, not copied."""

    folder: Path = field(compare=False)
    token: str

    @classmethod
    def written(cls, sealed: Sealed, folder: Path) -> "OnDisk":
        """Put it into an empty folder."""
        names = [(one.symbol, one.passport) for one in sealed.series]
        (folder / CODE).write_bytes(pickle.dumps((sealed.code, names)))
        for number, one in enumerate(sealed.series):
            np.save(folder / f"{number}-times.npy", one.times)
            np.save(folder / f"{number}-values.npy", one.values)
        return cls(folder, sealed.token)

    def open(self) -> Workload:
        """The workload; errors as of `Sealed.open`."""
        code, names = pickle.loads((self.folder / CODE).read_bytes())  # noqa: S301  our own
        series = tuple(
            Series(symbol, self._array(f"{number}-times"), self._array(f"{number}-values"), known)
            for number, (symbol, known) in enumerate(names)
        )
        return Sealed(code, series, self.token).open()

    def _array(self, name: str) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r")
        return array


def _pickled(run: RunSpec, engine: Engine) -> bytes:
    cls = run.strategy_class
    modules = [_text_of(name) for name in dict.fromkeys(it.__module__ for it in cls.__mro__)]
    try:
        with by_value(cls):
            content = cloudpickle.dumps((_bare(run), engine))
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError) as error:
        culprit = _culprit(cls)
        raise ConfigError(
            f"{cls.__name__} cannot be sent to workers: {culprit or 'it'} cannot be pickled "
            f"({' '.join(str(error).split())}): make it inside __init__, or use "
            "backend='sequential'"
        ) from error
    return pickle.dumps(([module for module in modules if module], content))


def _bare(run: RunSpec) -> RunSpec:
    """The same run with its strategy as a class, which a worker need not look up by name."""
    return RunSpec(run.strategy_class, {}, run.cash, run.commission, run.slippage_bps, run.size)


def _culprit(cls: type[bt.Strategy]) -> str | None:
    """What of the strategy refuses to be pickled, among its attributes and what its code names."""
    members = [item for item in vars(cls).values() if hasattr(item, "__code__")]
    named = {
        f"the global {name}": item.__globals__[name]
        for item in members
        for name in item.__code__.co_names
        if name in item.__globals__
    }
    own = {f"{cls.__name__}.{name}": item for name, item in vars(cls).items() if name[:2] != "__"}
    for place, value in {**own, **named}.items():
        if not callable(value) and not _is_picklable(value):
            return f"{place} ({type(value).__name__})"
    return None


def _is_picklable(value: Any) -> bool:
    try:
        cloudpickle.dumps(value)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError, RecursionError):
        return False
    return True


def _text_of(name: str) -> tuple[str, str, str] | None:
    """Name, path and text of a module that was run from a file and that no import would find."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if name == "__main__" or "." in name or file is None or not file.endswith(".py"):
        return None
    if importlib.machinery.PathFinder.find_spec(name) is not None:
        return None
    return name, file, Path(file).read_text(encoding="utf-8")


def _import_text(name: str, path: str, text: str) -> None:
    if name in sys.modules:
        return
    spec = importlib.machinery.ModuleSpec(name, None, origin=path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    module.__file__ = path
    exec(compile(text, path, "exec"), vars(module))  # noqa: S102  the user's own strategy file
