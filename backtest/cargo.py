"""A workload on every worker of a Dask cluster, those that join or restart later too."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

from distributed import WorkerPlugin, get_worker
from joblib._dask import DaskDistributedBackend

from backtest.parcel import Sealed, Workload


class Cargo(WorkerPlugin):
    """The sealed workload as a plugin, which Dask brings to each worker once."""

    def __init__(self, sealed: Sealed) -> None:
        self.name, self.sealed = sealed.token, sealed


@dataclass(frozen=True)
class OnWorkers:
    """Where a worker finds it."""

    token: str

    def open(self) -> Workload:
        """The workload; errors as of `Sealed.open`."""
        return cast("Cargo", get_worker().plugins[self.token]).sealed.open()


class Elsewhere(DaskDistributedBackend):
    """joblib's backend for Dask, mended in two places (joblib 1.6).

    It waits for ever for a task whose worker has died, and it evaluates in this process, which a
    strategy may end, when the cluster has one core.
    """

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Cores of the cluster, at least two."""
        return max(2, int(super().effective_n_jobs(n_jobs)))

    def submit(self, func: Any, callback: Callable[[Any], None]) -> Future[Any]:
        """Send a task; a death is an answer, too."""
        future: Future[Any] = super().submit(func, callback)

        def tell(done: Future[Any]) -> None:
            if (death := done.exception()) is not None:
                callback(death)

        future.add_done_callback(tell)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        """What a task has answered; a death is raised."""
        if isinstance(out, BaseException):
            raise out
        return super().retrieve_result_callback(out)
