import pickle
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from backtest.parcel import OnDisk, Sealed, Workload
from backtest.spec import RunSpec
from brokers.errors import ConfigError
from feeds.passport import KEY
from strategies.registry import find
from tests.backtest.sweep_stage import Above, in_notebook, walk

LOCK = threading.Lock()


def sealed(strategy, **frames):
    return Sealed.of(Workload(RunSpec(strategy, cash=5.0), frames or {"A": walk()}, "cerebro"))


def test_the_workload_comes_out_as_it_went_in():
    frames = {"A": walk(), "B": walk(50, "B", 2)}
    load = sealed(Above, **frames).open()
    assert (load.run.strategy_class, load.run.cash, load.engine) == (Above, 5.0, "cerebro")
    assert list(load.frames) == ["A", "B"]
    for symbol, frame in frames.items():
        pd.testing.assert_frame_equal(load.frames[symbol], frame, check_freq=False)
        assert load.frames[symbol].attrs[KEY] == frame.attrs[KEY]


def test_bars_on_disk_are_mapped_and_never_copied(tmp_path):
    parcel = OnDisk.written(sealed(Above), tmp_path)
    close = parcel.open().frames["A"]["close"].to_numpy()
    assert len(pickle.dumps(parcel)) < 500
    assert not close.flags.owndata
    assert not close.flags.writeable
    np.testing.assert_array_equal(close, walk()["close"])


def test_parcels_of_one_workload_are_equal_and_of_two_are_not(tmp_path):
    one, other = sealed(Above), sealed(Above)
    assert pickle.loads(pickle.dumps(one)) == one != other
    assert len({one, pickle.loads(pickle.dumps(one)), other}) == 2


def test_a_strategy_of_a_file_takes_its_text_along(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import backtrader as bt\nclass Mine(bt.Strategy):\n    params = (('n', 4),)\n")
    cls = find(f"{path}:Mine")
    parcel = sealed(cls)
    del sys.modules[cls.__module__]
    path.unlink()
    again = parcel.open().run.strategy_class
    assert again is not cls
    assert (again.__name__, again.params.n) == ("Mine", 4)


def test_a_strategy_of_a_notebook_is_taken_along_whole():
    load = sealed(in_notebook(Above)).open()
    assert issubclass(load.run.strategy_class, Above)


def holds_a_lock(self):
    """What a cell's function does when it uses a global of the notebook."""
    return LOCK


def test_a_strategy_that_cannot_be_pickled_is_told_with_the_reason():
    with pytest.raises(ConfigError, match=r"Cell\.lock \(lock\) cannot be pickled") as caught:
        sealed(in_notebook(Above, lock=threading.Lock()))
    assert "cannot pickle" in str(caught.value)
    assert "backend='sequential'" in str(caught.value)


def test_the_global_that_cannot_be_pickled_is_named():
    function = type(holds_a_lock)(holds_a_lock.__code__, {"LOCK": LOCK, "__name__": "__main__"})
    with pytest.raises(ConfigError, match=r"the global LOCK \(lock\) cannot be pickled"):
        sealed(in_notebook(Above, next=function))


def test_a_worker_that_lacks_the_strategys_module_says_so():
    parcel = sealed(Above)
    broken = Sealed(parcel.code.replace(b"sweep_stage", b"sweep_stagE"), parcel.series)
    with pytest.raises(ConfigError, match="a worker cannot load the strategy: No module named"):
        broken.open()
