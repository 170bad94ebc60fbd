"""The compiled kernel: plain functions of arrays, built by numba when they are first needed.

The functions live in `backtest.compiled` and `brokers.fills`; there they are ordinary Python. Here
all of them are built in one namespace, so that each calls the compiled others, and the fill rules
have one home.

numba keeps what it compiled in ``~/.cache/seawall/kernel`` (or ``$XDG_CACHE_HOME/seawall/kernel``,
or below ``$NUMBA_CACHE_DIR`` where that is set), in a folder named by the content of these modules;
an install may be read-only. The first process that needs it has another one compile, which takes
some twenty seconds and the memory for it; where no such folder can be written, every process
compiles for itself.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

from analyzers import metrics
from backtest import outcomes
from backtest.compiled import (
    broker,
    columns,
    desk,
    indicators,
    operations,
    pursuit,
    score,
    simulate,
    tape,
)
from brokers import fills

MODULES: tuple[ModuleType, ...] = (
    fills, desk, indicators, operations, tape, broker, pursuit, score, simulate,
)  # fmt: skip
RESUMMED = (score,)
"""Modules whose sums numba may reorder; nothing that decides or pays is among them."""

CONSTANTS = (columns, metrics, outcomes)
"""Modules that the functions read numbers from."""

ENTRIES = ("run_sets", "run_set", "window_means", "smooth")
"""What Python calls; the rest is called from within."""

COMPLETE = "complete"
"""A file of this name says that all of `ENTRIES` lie in a folder."""

_building = threading.Lock()


@cache
def kernel() -> SimpleNamespace:
    """The compiled functions by name; built once a process, compiled once a version."""
    folder = cache_folder()
    if folder is not None:
        _compile_once(folder)
    return built(folder)


def _compile_once(folder: Path) -> None:
    """Have another process compile, whose memory ends with it; whoever comes meanwhile waits.

    Where that fails, this process compiles when it calls.
    """
    done = folder / COMPLETE
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            paths = os.pathsep.join(filter(None, sys.path))
            words = [sys.executable, "-c", "from backtest.compiled.warming import warm; warm()"]
            subprocess.run(
                words, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False
            )


def built(folder: Path | None) -> SimpleNamespace:
    """The functions by name, each compiled at its first call or loaded from `folder`."""
    from numba import njit  # noqa: PLC0415  it takes long to import

    names: dict[str, Any] = {}
    with _building, _cached_in(folder) as is_cached:
        for module in MODULES:
            for name, item in vars(module).items():
                if isinstance(item, FunctionType) and item.__module__ == module.__name__:
                    options = _options(item, module)
                    names[name] = njit(cache=is_cached and name in ENTRIES, **options)(
                        rebuilt(item, names)
                    )
                elif not name.startswith("__"):
                    names.setdefault(name, item)
    return SimpleNamespace(**names)


def _options(function: FunctionType, module: ModuleType) -> dict[str, Any]:
    """How numba is to build a function.

    Nothing in the kernel allocates or keeps an array, so that counting references to arrays, which
    would take most of the time, is off; what returns an array is made part of its caller instead.
    """
    returns_array = function.__annotations__.get("return") == desk.Floats
    return {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"reassoc"} if module in RESUMMED else False,
        "inline": "always" if returns_array else "never",
        "forceinline": True,
        "_nrt": False,
        "no_cpython_wrapper": function.__name__ not in ENTRIES,
        "no_cfunc_wrapper": True,
    }


def rebuilt(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """The same function, but for the names that it finds."""
    copy = FunctionType(
        function.__code__,
        names,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return copy


def cache_folder() -> Path | None:
    """Where this version of the kernel is kept; None where nothing can be written."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    content = hashlib.sha256(Path(__file__).read_bytes())
    for module in (*MODULES, *CONSTANTS):
        content.update(Path(str(module.__file__)).read_bytes())
    root = Path(given) if given else Path(home) / "seawall" / "kernel"
    folder = root / content.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def _cached_in(folder: Path | None) -> Iterator[bool]:
    """Have numba keep what is decorated meanwhile in `folder`; yields whether it does.

    numba itself notices changes in a function's own file alone, hence the folder by content.
    """
    if folder is None:
        yield False
        return
    from numba import config  # noqa: PLC0415  it takes long to import

    before = config.CACHE_DIR  # type: ignore[attr-defined]  # it sets its attributes by name
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    try:
        yield True
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
