"""What an explanation says."""

from backtest.turbo.explain import BROKER, FEED, LOOP, Explanation


def test_explanation_lists_every_path_once_with_its_reason():
    explanation = Explanation()
    explanation.note(FEED, "A")
    explanation.note(FEED, "A")
    explanation.note(BROKER, reason="it is another broker")
    assert str(explanation) == "feed A: fast\nbroker: stock, it is another broker"


def test_run_is_fast_when_its_loop_is():
    explanation = Explanation()
    assert not explanation.is_fast
    assert str(explanation) == "nothing was run yet"
    explanation.note(LOOP, reason="there are timers")
    assert not explanation.is_fast
    explanation.note(LOOP)
    assert explanation.is_fast
