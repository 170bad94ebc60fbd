"""Workers for a sweep: processes of this machine, a Ray cluster or a Dask cluster, by joblib."""

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from logging import CRITICAL
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
from joblib.externals.loky.process_executor import BrokenProcessPool

from backtest.parcel import OnDisk, Parcel, Sealed, Workload
from backtest.workers import Done, Params, work
from brokers.errors import ConfigError

Batch = tuple[int, list[Params]]
WAVE = 2  # batches on their way for each worker


class Crew:
    """Workers that hold a workload.

    Args:
        parcel: the workload as they get it.
        workers: how many work at once.
        deaths: what is raised when a worker dies; the other batches on their way may be lost too.
        in_waves: the backend answers only when a whole wave of batches is done.
    """

    def __init__(
        self,
        parcel: Parcel,
        workers: int,
        deaths: tuple[type[BaseException], ...],
        in_waves: bool = False,
    ) -> None:
        self.workers, self.deaths = workers, deaths
        self._parcel, self._in_waves = parcel, in_waves
        # joblib would evaluate a lone worker's batches in this process, which may not survive it.
        self._how = {"n_jobs": max(workers, 2), "batch_size": 1}
        self._pool = ExitStack()
        self._parallel: Any = None

    def run(self, batches: Iterable[Batch], at_once: int | None = None) -> Iterator[Done]:
        """Evaluate batches, at most `at_once` at a time; answers come as they are done."""
        tasks = (joblib.delayed(work)(number, self._parcel, sets) for number, sets in batches)
        on_their_way = WAVE * self.workers if at_once is None else at_once
        if self._in_waves:
            yield from self._waves(tasks, on_their_way)
            return
        how = {**self._how, "pre_dispatch": on_their_way, "return_as": "generator_unordered"}
        yield from joblib.Parallel(**how)(tasks)

    def close(self) -> None:
        """Let go of what is kept from one call to the next."""
        self._pool.close()
        self._parallel = None

    def _waves(self, tasks: Iterator[Any], size: int) -> Iterator[Done]:
        """Workers of such a backend start slowly: they stay until one of them dies."""
        if self._parallel is None:
            pool = joblib.Parallel(**self._how, pre_dispatch="all")
            self._parallel = self._pool.enter_context(pool)
        try:
            while wave := list(islice(tasks, size)):
                yield from self._parallel(wave)
        except self.deaths:
            self.close()
            raise


def crew(backend: str, workers: int, load: Workload) -> AbstractContextManager[Crew]:
    """Workers for a workload, let go when the block ends.

    A Ray or Dask cluster that this process is connected to, or that the environment names, is used
    and left as it is; without one, one is started on this machine and stopped at the end.

    Raises:
        ConfigError: the strategy cannot be pickled, or the backend is not installed.
    """
    return {"loky": _loky, "ray": _ray, "dask": _dask}[backend](workers, Sealed.of(load))


@contextmanager
def _loky(workers: int, sealed: Sealed) -> Iterator[Crew]:
    with TemporaryDirectory(prefix="seawall-sweep-") as folder:
        parcel = OnDisk.written(sealed, Path(folder))
        with joblib.parallel_config("loky", max_nbytes=None):
            yield Crew(parcel, workers, (BrokenProcessPool,))


@dataclass(frozen=True)
class InRay:
    """A workload in Ray's object store, from which processes of one machine share it."""

    reference: list[Any] = field(compare=False)
    token: str

    def open(self) -> Workload:
        """The workload; errors as of `Sealed.open`."""
        sealed: Sealed = _extra("ray", "ray").get(self.reference[0])
        return sealed.open()


@contextmanager
def _ray(workers: int, sealed: Sealed) -> Iterator[Crew]:
    ray = _extra("ray", "ray")
    is_ours = not ray.is_initialized()
    if is_ours:
        size = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers}
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR", **size)
    deaths = (ray.exceptions.RayActorError, ray.exceptions.WorkerCrashedError)
    try:
        parcel = InRay([ray.put(sealed)], sealed.token)
        _extra("ray.util.joblib", "ray").register_ray()
        with joblib.parallel_config("ray"):
            hands = Crew(parcel, workers, deaths, in_waves=True)
            yield hands
            hands.close()
    finally:
        if is_ours:
            ray.shutdown()


@contextmanager
def _dask(workers: int, sealed: Sealed) -> Iterator[Crew]:
    distributed, dask = _extra("distributed", "dask"), _extra("dask", "dask")
    cargo = _extra("backtest.cargo", "dask")
    try:
        client, is_ours = distributed.get_client(), False
    except ValueError:
        size = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        is_named = dask.config.get("scheduler-address", None)
        # A set that ends its worker is not to be tried on the next one.
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
            client = distributed.Client(**({} if is_named else {**size, "silence_logs": CRITICAL}))
        is_ours = True
    deaths = (distributed.KilledWorker, distributed.comm.CommClosedError)
    try:
        client.register_plugin(cargo.Cargo(sealed))
        with joblib.parallel_config(cargo.Elsewhere(client=client)):
            yield Crew(cargo.OnWorkers(sealed.token), workers, deaths)
        client.unregister_worker_plugin(sealed.token)
    finally:
        if is_ours:
            client.close()


def _extra(module: str, backend: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"backend={backend!r} is not installed: pip install 'seawall[{backend}]', or use loky"
        ) from error
