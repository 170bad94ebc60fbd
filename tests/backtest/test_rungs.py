import sqlite3

import pytest

from backtest import run, sweep
from backtest.outcomes import METRICS, PRUNED
from backtest.rungs import parts
from brokers.errors import DataError
from tests.backtest.sweep_stage import Above, walk

BARS = walk(1000)
GRID = {"period": range(2, 22), "factor": [1.0, 1.005, 1.01]}
REASON = "pruned after 250 of 1,000 bars"


@pytest.fixture
def ledger(tmp_path):
    """A ledger of the test's own."""
    return tmp_path / "ledger.sqlite"


def swept(ledger, **how):
    usual = {"search": "tpe", "trials": 16, "engine": "cerebro", "backend": "sequential"}
    return sweep(Above, how.pop("bars", BARS), GRID, ledger=ledger, **{**usual, **how})


def is_pruned(table):
    return table["failed"].fillna("").str.startswith(PRUNED)


def test_a_part_ends_at_the_same_time_in_all_feeds():
    frames = {"A": BARS, "B": walk(1000, "B")[::2]}
    ((bars, cut),) = parts(frames).items()
    assert bars == len(cut["A"]) == 250
    assert len(cut["B"]) == 125
    assert max(frame.index[-1] for frame in cut.values()) < BARS.index[250]


@pytest.mark.parametrize("frames", [{"A": walk(999)}, {"A": BARS, "B": walk(1000, "B")[250:]}])
def test_too_few_bars_or_a_feed_that_begins_later_make_no_part(frames):
    assert parts(frames) == {}


def test_a_pruned_set_is_a_row_with_the_reason_and_without_numbers(ledger):
    result = swept(ledger)
    pruned = result.table[is_pruned(result.table)]
    assert len(result) == 16
    assert 4 < len(pruned) == result.outcomes.pruned < 16
    assert set(pruned["failed"]) == {REASON}
    assert pruned[list(METRICS)].isna().all(axis=None)
    assert result.failures == 0


def test_the_best_set_ran_on_all_bars(ledger):
    result = swept(ledger)
    whole = run(Above, BARS, params=result.best_params)
    assert result.best()["final_value"] == pytest.approx(whole.final_value, rel=1e-12)


def test_a_set_goes_on_when_it_is_among_the_best_quarter_of_those_before_it(ledger):
    result = swept(ledger)
    names = list(result.names)
    first = sweep(
        Above, BARS[:250], GRID, ledger=":memory:", engine="cerebro", backend="sequential"
    ).table.set_index(names)["sharpe"]
    scores, goes_on = [], []
    for key in result.table[names].itertuples(index=False):
        scores.append(first[tuple(key)])
        better = sorted(scores, reverse=True)[: max(len(scores) // 4, 1)]
        goes_on.append(scores[-1] >= better[-1])
    assert (~is_pruned(result.table)).tolist() == goes_on


def test_pruned_sets_count_as_trials_and_enter_no_other_statistic(ledger):
    result = swept(ledger)
    full = result.table[~is_pruned(result.table)]
    assert result.trials == 16
    moments = result.outcomes.moments[full.index]
    ratios = moments[:, 0] / moments[:, 1]
    assert result.tried.variance == pytest.approx(ratios.var(ddof=1))
    assert not result.outcomes.periods[is_pruned(result.table)].any()


def test_the_same_sweep_again_repeats_nothing_and_gives_the_same_table(ledger):
    first, again = swept(ledger), swept(ledger)
    assert (first.known, again.known) == (0, 16)
    assert again.table.equals(first.table)
    assert again.trials == 16


@pytest.mark.parametrize("kept", [1, 9, 17])
def test_a_sweep_that_lost_its_end_goes_on_to_the_same_table(ledger, kept):
    first = swept(ledger)
    with sqlite3.connect(ledger) as file:
        file.execute("DELETE FROM entries WHERE id > ?", (kept,))
    file.close()
    assert swept(ledger).table.equals(first.table)


def test_workers_elsewhere_give_the_same_table_again(ledger):
    first = swept(ledger, backend="loky", jobs=2)
    second = swept(":memory:", backend="loky", jobs=2)
    assert first.outcomes.pruned
    assert first.table.equals(second.table)


def test_a_pruned_set_is_evaluated_when_every_set_is_asked_for(ledger):
    first = swept(ledger)
    whole = swept(ledger, search="grid", trials=None)
    assert whole.known == 16 - first.outcomes.pruned
    assert whole.outcomes.pruned == 0
    assert whole.trials == len(whole) == 60


def test_pruning_leaves_what_is_known_of_a_set_as_it_is(ledger):
    whole = swept(ledger, search="grid", trials=None)
    pruned = swept(ledger)
    assert pruned.outcomes.pruned
    assert swept(ledger, search="grid", trials=None).known == 60
    assert pruned.tried == whole.tried


@pytest.mark.parametrize("how", [{"prune": False}, {"bars": walk(600)}, {"search": "random"}])
def test_every_set_is_evaluated_where_nothing_is_to_be_pruned(ledger, how):
    assert swept(ledger, **how).outcomes.pruned == 0


def test_a_set_without_an_objective_on_a_part_goes_on(ledger):
    late = BARS.copy()
    late.iloc[:260, :4] = 100.0  # no signal before the second quarter
    result = swept(ledger, bars=late)
    assert result.outcomes.pruned == 0
    assert result.table["sharpe"].notna().any()


def test_a_set_that_raises_on_a_part_is_not_pruned_but_has_failed(ledger):
    raising = {"raises": tuple(range(2, 12))}
    result = swept(ledger, params=raising)
    failed = result.table["period"] < 12
    assert result.failures == failed.sum() > 0
    assert result.table["failed"][failed].str.startswith("ValueError").all()
    assert result.outcomes.pruned > 0


def test_when_those_that_were_not_pruned_fail_the_sweep_says_so(ledger):
    with pytest.raises(
        DataError, match=r"sets failed, the first .*later.*; the others were pruned"
    ):
        sweep(RaisesLater, BARS, GRID, ledger=ledger, search="tpe", trials=8, backend="sequential")


def test_an_interrupted_sweep_keeps_its_pruned_sets_and_goes_on_later(ledger):
    whole = swept(":memory:")
    Interrupts.left = 12
    part = swept_by(Interrupts, ledger)
    assert part.partial
    assert 0 < len(part) < 16
    Interrupts.left = 10**6
    assert swept_by(Interrupts, ledger).table.equals(whole.table)


def swept_by(strategy, ledger):
    how = {"search": "tpe", "trials": 16, "engine": "cerebro", "backend": "sequential"}
    return sweep(strategy, BARS, GRID, ledger=ledger, **how)


class RaisesLater(Above):
    def next(self):
        if len(self) == 300:
            raise ValueError("later")
        super().next()


class Interrupts(Above):
    """Ctrl-C in the middle of some run."""

    left = 10**6

    def stop(self):
        Interrupts.left -= 1
        if not Interrupts.left:
            raise KeyboardInterrupt
