import sqlite3

import numpy as np
import pytest

from analyzers.overfit import BLOCKS
from backtest.entries import LOST
from backtest.ledger import Ledger, Study
from backtest.outcomes import METRICS, PRUNED, Outcomes, concat, failed
from brokers.errors import ConfigError, DataError

STUDY = Study("sma_cross", "source", "settings", "bars", "cerebro")


def outcome(mean=0.1, deviation=1.0, seed=0):
    """One row of odd numbers, with one metric that is not determined."""
    source = np.random.default_rng(seed)
    metrics = {name: source.normal(size=1) for name in METRICS}
    metrics["sortino"] = np.array([np.nan])
    moments = np.array([[mean, deviation, 1 / 3, 3.1]])
    return Outcomes(metrics, moments, np.array([250]), source.normal(size=(1, BLOCKS, 3)))


def assert_same(one, other):
    assert one.failures == other.failures
    for name in METRICS:
        np.testing.assert_array_equal(one.metrics[name], other.metrics[name])
    for name in ("moments", "periods", "blocks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def known(ledger, study, keys):
    found = list(ledger.known(study, keys))
    return [place for places, _ in found for place in places], concat([it for _, it in found])


def entries(path):
    """The sets of each entry, oldest first."""
    with sqlite3.connect(path) as file:
        rows = file.execute("SELECT keys FROM entries ORDER BY id").fetchall()
    file.close()
    return [keys.replace("\n", " ") for (keys,) in rows]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "ledger.sqlite"


def test_what_was_kept_is_known_to_the_last_bit(path):
    rows = concat([outcome(seed=1), failed("ValueError: no luck"), outcome(seed=2)])
    with Ledger(path) as ledger:
        ledger.keep(ledger.study(STUDY), ["a", "b", "c"], rows)
    with Ledger(path) as ledger:
        places, again = known(ledger, ledger.study(STUDY), ["a", "b", "c"])
    assert places == [0, 1, 2]
    assert_same(again, rows)


def test_only_the_sets_asked_for_are_told_with_their_place(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        for number in range(700):
            ledger.keep(study, [f"{number}"], outcome(seed=number))
        few = known(ledger, study, ["nothing", "699"])
        many = known(ledger, study, [f"{number}" for number in reversed(range(2000))])
    assert few[0] == [1]
    assert_same(few[1], outcome(seed=699))
    assert sorted(many[0]) == list(range(1300, 2000))


def test_of_a_set_that_was_entered_twice_the_later_entry_holds(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], concat([outcome(seed=1), outcome(seed=2)]))
        ledger.keep(study, ["b", "c"], concat([outcome(seed=3), outcome(seed=4)]))
        places, rows = known(ledger, study, ["a", "b", "c"])
        assert ledger.tried(STUDY).trials == 3
    assert places == [0, 1, 2]
    assert_same(rows, concat([outcome(seed=1), outcome(seed=3), outcome(seed=4)]))


def test_an_entry_of_which_later_ones_have_everything_is_let_go(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], concat([outcome(seed=1), outcome(seed=2)]))
        ledger.keep(study, ["b", "c"], concat([outcome(seed=3), outcome(seed=4)]))
        assert known(ledger, study, ["a"])[0] == [0]
        assert entries(path) == ["a b", "b c"]
        ledger.keep(study, ["a"], outcome(seed=5))
        assert_same(known(ledger, study, ["a"])[1], outcome(seed=5))
        assert entries(path) == ["b c", "a"]


def test_an_entry_with_pruned_sets_stays(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], concat([outcome(), failed(f"{PRUNED}250 of 1,000 bars")]))
        ledger.keep(study, ["a"], outcome(seed=1))
        assert known(ledger, study, ["a", "b"])[0] == [0]
        assert ledger.tried(STUDY).trials == 2


def test_the_very_same_outcomes_again_are_entered_once(path):
    rows = concat([outcome(seed=1), failed("ValueError: no luck")])
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], rows)
        ledger.keep(study, ["a", "b"], rows)
        ledger.keep(study, ["a", "c"], rows)
    assert entries(path) == ["a b", "a c"]


def test_what_another_process_enters_meanwhile_is_known(path):
    with Ledger(path) as ledger, Ledger(path) as other:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a"], outcome(seed=1))
        assert known(ledger, study, ["a", "b"])[0] == [0]
        other.keep(other.study(STUDY), ["a", "b"], concat([outcome(seed=2), outcome(seed=3)]))
        places, rows = known(ledger, study, ["a", "b"])
    assert places == [0, 1]
    assert_same(rows, concat([outcome(seed=2), outcome(seed=3)]))


def test_another_study_knows_nothing(path):
    with Ledger(path) as ledger:
        ledger.keep(ledger.study(STUDY), ["a"], outcome())
        for changed in ("strategy", "source", "settings", "bars", "engine"):
            other = ledger.study(Study(**{**STUDY.__dict__, changed: "other"}))
            assert known(ledger, other, ["a"])[0] == []


def test_a_set_whose_worker_died_is_tried_again(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], concat([failed(f"{LOST}killed"), failed("raised")]))
        assert known(ledger, study, ["a", "b"])[0] == [1]


def test_a_pruned_set_is_a_trial_of_which_nothing_is_known(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        ledger.keep(study, ["a", "b"], concat([outcome(0.1), outcome(0.3)]))
        before = ledger.tried(STUDY)
        pruned = concat([failed(f"{PRUNED}250 of 1,000 bars")] * 2)
        ledger.keep(study, ["b", "c"], pruned)
        assert known(ledger, study, ["a", "b", "c"])[0] == [0, 1]
        assert ledger.tried(STUDY) == (3, before.variance)
        ledger.keep(study, ["c"], outcome(0.2))
        assert known(ledger, study, ["a", "b", "c"])[0] == [0, 1, 2]
        assert ledger.tried(STUDY).trials == 3


def test_all_trials_on_the_same_bars_count_once_each(path):
    """Sharpe ratios 0.1, 0.2 and 0.4: mean 7/30, sample variance 7/300."""
    with Ledger(path) as ledger:
        first = ledger.study(STUDY)
        ledger.keep(first, ["a", "b", "x"], concat([outcome(0.1), outcome(0.2), failed("no")]))
        compiled = ledger.study(Study("sma_cross", "source", "settings", "bars", "compiled"))
        ledger.keep(compiled, ["a"], outcome(0.1))
        edited = ledger.study(Study("sma_cross", "edited", "settings", "bars", "cerebro"))
        ledger.keep(edited, ["a"], outcome(0.8, deviation=2.0))
        elsewhere = ledger.study(Study("sma_cross", "source", "settings", "others", "cerebro"))
        ledger.keep(elsewhere, ["a"], outcome(9.0))
        tried = ledger.tried(STUDY)
    assert tried.trials == 3
    assert tried.variance == pytest.approx(7 / 300)


def test_a_trial_without_variation_counts_but_has_no_sharpe_ratio(path):
    with Ledger(path) as ledger:
        ledger.keep(ledger.study(STUDY), ["a"], outcome(0.0, deviation=0.0))
        tried = ledger.tried(STUDY)
    assert tried.trials == 1
    assert np.isnan(tried.variance)


def test_sets_and_outcomes_that_differ_in_number_leave_nothing_behind(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        with pytest.raises(ValueError, match="3 keys for 1 outcomes"):
            ledger.keep(study, ["a", "b", "c"], outcome())
        assert known(ledger, study, ["a"])[0] == []


def test_a_locked_ledger_is_named(path):
    Ledger(path, wait_s=0.05).__exit__(None, None, None)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DataError, match=r"ledger.sqlite is locked by another process: wait"):
        Ledger(path, wait_s=0.05)
    holder.close()


@pytest.mark.parametrize(
    "content", [b"no database at all " * 100, b"SQLite format 3\0" + b"x" * 999]
)
def test_a_damaged_ledger_is_named_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged or no ledger"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_torn_ledger_is_named(path):
    with Ledger(path) as ledger:
        study = ledger.study(STUDY)
        for number in range(200):
            ledger.keep(study, [f"{number}"], outcome())
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DataError, match="damaged"), Ledger(path) as ledger:
        known(ledger, ledger.study(STUDY), [f"{number}" for number in range(600)])


def test_another_programs_database_is_no_ledger(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(DataError, match="is no ledger of format 2"):
        Ledger(path)


def test_a_place_where_no_file_can_be_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot make the folder"):
        Ledger(tmp_path / "file" / "ledger.sqlite")
    with pytest.raises(DataError, match="name a file that you may write to"):
        Ledger(tmp_path)


def test_a_ledger_in_memory_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Ledger(":memory:") as ledger:
        ledger.keep(ledger.study(STUDY), ["a"], outcome())
        assert ledger.tried(STUDY).trials == 1
    assert not list(tmp_path.iterdir())
