import gc
import weakref

from backtest.evaluation import Evaluation
from backtest.parcel import Workload
from backtest.spec import RunSpec
from backtest.sweep_spec import SweepSpec
from tests.backtest.test_compiled_evaluation import bars

RUN = RunSpec("sma_cross", cash=10_000, commission=0.001, size=10)
SETS = {7: {"fast": 3, "slow": 9}, 9: {"fast": 4, "slow": 9}}


def test_bars_of_a_compiled_sweep_go_with_it_without_a_search_for_garbage():
    spec = SweepSpec(RUN, {"fast": [3, 4], "slow": [9]}, jobs=1)
    gc.collect()
    gc.disable()
    try:
        with Evaluation(spec, Workload(RUN, {"X": bars()}, "compiled")) as evaluation:
            [(numbers, outcomes)] = evaluation.outcomes(SETS)
        seen = weakref.ref(evaluation)
        del evaluation
        assert seen() is None
    finally:
        gc.enable()
    assert (list(numbers), len(outcomes)) == ([7, 9], 2)
