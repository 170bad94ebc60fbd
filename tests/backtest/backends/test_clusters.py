"""A local Ray and a local Dask with two workers each: the same table as anywhere else."""

import pytest

from backtest import sweep
from strategies.sma_cross import SmaCross
from tests.backtest.sweep_stage import Above, in_notebook, walk

BARS = walk(1_000)
GRID = {"period": range(2, 20)}


@pytest.fixture(params=["ray", "dask"])
def cluster(request):
    """A cluster that this process is connected to, for several sweeps."""
    if request.param == "ray":
        ray = pytest.importorskip("ray")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        yield request.param
        ray.shutdown()
        return
    distributed = pytest.importorskip("distributed")
    with distributed.Client(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ):
        yield request.param


def swept(backend, strategy=Above, grid=GRID, **how):
    return sweep(strategy, BARS, grid, backend=backend, jobs=2, ledger=":memory:", **how)


def test_a_cluster_gives_the_tables_of_this_machine(cluster):
    """One test for all, because a cluster takes seconds to start."""
    sets = {"fast": range(2, 6), "slow": range(8, 12)}
    kinds = {
        "a notebook's strategy, one set of which fails": (
            in_notebook(Above), GRID, {"params": {"raises": (5,)}, "commission": 0.001},
        ),
        "compiled": (SmaCross, sets, {"confirm": 0, "engine": "compiled"}),
        "a search that learns": (Above, GRID, {"search": "tpe", "trials": 6, "seed": 1}),
    }  # fmt: skip
    for kind, (strategy, grid, how) in kinds.items():
        one, other = (swept(backend, strategy, grid, **how) for backend in (cluster, "loky"))
        assert one.table.equals(other.table), kind


def check_deaths(backend):
    """For `python -m tests.prove cluster`: a worker that dies takes its own set alone."""
    grid, params = {"period": range(2, 12)}, {"dies": (4, 9)}
    table = swept(backend, grid=grid, params=params).table
    lost = table["period"].isin(params["dies"])
    assert table["failed"].notna().tolist() == lost.tolist()
    assert all("its worker process died" in reason for reason in table["failed"][lost])


def deaths(chunk):
    """Of each backend in turn, started and stopped by the sweep itself."""
    check_deaths(["ray", "dask", "loky"][chunk])
    return 2
