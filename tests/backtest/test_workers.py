import pytest

from backtest.parcel import Sealed, Workload
from backtest.spec import RunSpec
from backtest.workers import work
from strategies.sma_cross import SmaCross
from tests.backtest.sweep_stage import Prints, walk

SETS = [{"fast": 3, "slow": slow} for slow in (8, 12, 300)]


@pytest.mark.parametrize("engine", ["cerebro", "compiled"])
def test_a_batch_is_done_in_order_by_either_engine(engine):
    parcel = Sealed.of(Workload(RunSpec(SmaCross), {"ACME": walk()}, engine))
    done = work(7, parcel, SETS)
    assert (done.number, len(done.outcomes)) == (7, 3)
    assert done.wall_s > 0
    assert list(done.outcomes.failures) == [2]
    alone = [work(0, parcel, [params]).outcomes.metrics["final_value"][0] for params in SETS[:2]]
    assert done.outcomes.metrics["final_value"][:2].tolist() == alone


def test_what_a_strategy_prints_goes_to_stderr(capsys):
    parcel = Sealed.of(Workload(RunSpec(Prints), {"ACME": walk()}, "cerebro"))
    work(0, parcel, [{"period": 1}])
    assert capsys.readouterr() == ("", "strategy says 1\n")
