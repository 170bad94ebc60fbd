from strategies.buy_and_hold import BuyAndHold
from tests.strategies.stage import flat, play


def test_it_buys_once_and_keeps():
    ran = play(BuyAndHold, flat([100.0, 101.0, 102.0, 103.0]))
    assert ran.fills() == [(2, "X", 1, 101.0)]


def test_each_feed_is_bought_at_its_first_bar():
    frames = {"X": flat([5.0] * 6), "Y": flat([7.0] * 3, start="2020-01-03")}
    ran = play(BuyAndHold, frames)
    assert ran.fills() == [(2, "X", 1, 5.0), (4, "Y", 1, 7.0)]


def test_an_entry_that_was_refused_is_tried_again():
    ran = play(BuyAndHold, flat([100.0, 120.0, 100.0, 90.0, 90.0]), cash=105.0)
    assert len(ran.statuses("Margin")) == 2
    assert ran.fills() == [(4, "X", 1, 90.0)]
