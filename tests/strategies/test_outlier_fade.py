import numpy as np
import pytest

from strategies.arrays import modified_zscore, momentum
from strategies.outlier_fade import OutlierFade
from tests.strategies.stage import flat, play, walk

CALM = [100.0, 101.0, 100.0, 101.0, 100.0, 101.0, 100.0, 101.0]
QUICK = {"window": 6, "hold": 2}


@pytest.mark.parametrize(("jump", "size"), [(80.0, 1), (120.0, -1)])
@pytest.mark.parametrize("freq", ["D", "min"])
def test_an_outlier_is_faded_for_a_time(jump, size, freq):
    ran = play(OutlierFade, flat([*CALM, jump, *[jump] * 6], freq=freq), **QUICK)
    assert ran.fills() == [(10, "X", size, jump), (12, "X", -size, jump)]


def test_a_rise_is_left_alone_when_shorts_are_not_wanted():
    ran = play(OutlierFade, flat([*CALM, 120.0, 120.0, 120.0]), short=False, **QUICK)
    assert ran.fills() == []


def test_each_feed_has_its_own_time():
    frames = {"A": flat([*CALM, *[80.0] * 7]), "B": flat([*CALM, *[101.0] * 3, *[80.0] * 4])}
    ran = play(OutlierFade, frames, **QUICK)
    entries = [fill[:2] for fill in ran.fills() if fill[2] > 0]
    assert entries == [(10, "A"), (13, "B")]


def test_the_context_is_the_score_of_the_last_return():
    frame = walk(100)
    strategy = play(OutlierFade, frame).strategy
    scores = modified_zscore(momentum(frame["close"].to_numpy(), 1), 60)
    assert strategy.context() == {"modified_z": scores[-1]}
    assert np.isfinite(scores[-1])


def test_the_reason_carries_the_score():
    reasons = []

    class Says(OutlierFade):
        def notify_order(self, order):
            if order.status == order.Submitted:
                reasons.append(order.info.reason)

    play(Says, flat([*CALM, 120.0, *[120.0] * 6]), **QUICK)
    assert "of the last return over 6 bars is beyond 3.5" in reasons[0]
    assert reasons[1] == "held for 2 bars"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"window": 2}, r"window \(2\) must be at least 3 bars"),
        ({"threshold": 0}, r"threshold \(0\) must be positive"),
        ({"hold": 0}, r"hold \(0\) must be at least 1 bar"),
    ],
)
def test_contradictory_parameters_are_refused(words, problem):
    with pytest.raises(ValueError, match=problem):
        OutlierFade.Config(**words)
