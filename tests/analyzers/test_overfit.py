import math
from itertools import combinations
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers import overfit
from analyzers.overfit import block_sums, deflated_sharpe, min_track_record, pbo, psr

# Bailey and Lopez de Prado, The Deflated Sharpe Ratio (2014): the worked example.
PAPER = {"periods": 1250, "skew": -3.0, "kurtosis": 10.0}
DAILY = 2.5 / sqrt(250)
# Two sets, four blocks of two rows: the logits can be found by hand.
A = [0.03, 0.01, 0.02, 0.03, -0.02, -0.01, -0.03, -0.01]
B = [0.01, 0.02, 0.01, 0.03, 0.01, 0.02, 0.02, 0.01]


def test_chance_gives_the_best_of_a_hundred_the_papers_sharpe():
    assert overfit.chance_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


def test_deflated_sharpe_of_the_paper():
    got = deflated_sharpe(DAILY, **PAPER, trials=100, variance=0.5 / 250)
    assert got == pytest.approx(0.90039683444939, abs=1e-12)


def test_excess_kurtosis_would_give_another_answer():
    excess = deflated_sharpe(DAILY, 1250, -3.0, 10.0 - 3.0, trials=100, variance=0.5 / 250)
    assert excess == pytest.approx(0.90178, abs=5e-6)
    assert psr(1.585 / sqrt(12), 24, -2.448, 10.164 - 3) == pytest.approx(0.9198, abs=5e-5)


def test_probabilistic_sharpe_of_the_paper():
    assert psr(1.585 / sqrt(12), 24, -2.448, 10.164) == pytest.approx(0.91323430688486, abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "expected"), [(1, 0.0), (10, 1.574598), (100, 2.5306028932016846)]
)
def test_expected_maximum_of_normal_values(trials, expected):
    assert overfit.expected_max(trials) == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(("periods_a_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_years_that_the_paper_asks_of_a_sharpe_of_two_against_one(periods_a_year, years):
    needed = min_track_record(2 / sqrt(periods_a_year), benchmark=1 / sqrt(periods_a_year))
    assert needed / periods_a_year == pytest.approx(years, abs=0.005)


def test_a_track_record_as_long_as_the_least_needed_is_just_convincing():
    needed = min_track_record(0.1, -0.5, 5.0, benchmark=0.02, confidence=0.9)
    assert (
        psr(0.1, math.floor(needed), -0.5, 5.0, 0.02)
        < 0.9
        <= psr(0.1, math.ceil(needed), -0.5, 5.0, 0.02)
    )


def test_no_track_record_is_long_enough_for_a_sharpe_below_the_benchmark():
    assert min_track_record(0.1, benchmark=0.1) == math.inf


@pytest.mark.parametrize("unknown", [psr(math.nan, 100), psr(0.1, 1), min_track_record(math.nan)])
def test_what_is_not_determined_is_nan(unknown):
    assert math.isnan(unknown)


def test_logits_of_the_toy_by_hand():
    found = overfit.pbo_of_returns(np.array([A, B]).T, blocks=4)
    two = log(2)
    assert found.logits == pytest.approx([-two, two, two, two, two, -two])
    assert found.value == pytest.approx(1 / 3)


def test_noise_is_overfitted_about_half_of_the_time():
    values = [
        overfit.pbo_of_returns(np.random.default_rng(seed).normal(size=(320, 40)), 8).value
        for seed in range(60)
    ]
    # Three standard errors of the published mean 0.476 with deviation 0.137.
    assert np.mean(values) == pytest.approx(0.476, abs=3 * 0.137 / sqrt(60))


def test_one_set_better_than_all_others_is_not_overfitted():
    returns = np.random.default_rng(1).normal(size=(320, 20))
    returns[:, 7] += 1.0
    assert overfit.pbo_of_returns(returns).value == 0.0


def test_a_set_that_never_traded_ranks_between_gain_and_loss():
    gain = np.tile([0.02, 0.01], 8)
    found = overfit.pbo_of_returns(np.stack([gain, 0 * gain, -gain], axis=1), blocks=4)
    assert found.logits == pytest.approx(np.full(6, log(3)))


def test_equal_sets_share_their_rank():
    returns = np.repeat(np.random.default_rng(2).normal(size=(32, 1)), 3, axis=1)
    assert overfit.pbo_of_returns(returns, blocks=4).logits == pytest.approx(np.zeros(6))


def test_sets_with_unknown_returns_are_left_out():
    returns = np.array([A, B, [math.nan] * 8]).T
    found = overfit.pbo_of_returns(returns, blocks=4)
    assert (found.sets, found.value) == (2, pytest.approx(1 / 3))


def test_one_set_has_no_probability_of_overfitting():
    assert math.isnan(overfit.pbo_of_returns(np.array([A]).T, blocks=4).value)


def test_many_sets_in_chunks_give_what_they_give_at_once():
    blocks = block_sums(np.random.default_rng(3).normal(size=(64, 30)), 8)
    assert pbo(blocks, held=100).logits == pytest.approx(pbo(blocks).logits)


def test_block_sums_leave_the_last_remainder_out():
    assert block_sums(np.array([1.0, 2.0, 3.0, 4.0, 9.0]), 2).tolist() == [[2, 3, 5], [2, 7, 25]]


def plain_logits(returns, blocks):
    """CSCV as the paper words it, from the return series, one split at a time."""
    cut, answer = np.array_split(returns, blocks), []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([cut[i] for i in chosen])
        outside = np.concatenate([cut[i] for i in range(blocks) if i not in chosen])
        one, other = (r.mean(axis=0) / r.std(axis=0, ddof=1) for r in (inside, outside))
        share = (1 + np.sum(other < other[np.argmax(one)])) / (returns.shape[1] + 1)
        answer.append(log(share / (1 - share)))
    return answer


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.sampled_from([2, 4, 6]), st.integers(2, 9), st.integers(0, 999))
def test_sums_of_blocks_give_the_logits_of_the_series(sets, blocks, length, seed):
    returns = np.random.default_rng(seed).normal(0.001, 0.02, size=(blocks * length, sets))
    assert pbo(block_sums(returns, blocks)).logits == pytest.approx(plain_logits(returns, blocks))
