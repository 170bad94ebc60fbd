import backtrader as bt
import pytest

from strategies.rsi_reversion import RsiReversion
from tests.strategies.stage import flat, play, walk


class Plain(bt.Strategy):
    """The same rule on Backtrader's own indicator."""

    def __init__(self):
        self.rsi = bt.ind.RSI(period=14)

    def next(self):
        if not self.position and self.rsi < 30:
            self.buy()
        elif self.position and self.rsi > 70:
            self.close()


@pytest.mark.parametrize("seed", range(4))
def test_it_trades_as_a_plain_script_on_backtraders_indicator(seed):
    frame = walk(600, seed)
    plain, ours = play(Plain, frame), play(RsiReversion, frame)
    assert len(plain.fills()) > 2
    assert ours.orders == plain.orders


def test_the_reason_names_the_index_and_its_bound():
    reasons = []

    class Says(RsiReversion):
        def notify_order(self, order):
            if order.status == order.Submitted:
                reasons.append(order.info.reason)

    play(Says, flat([10, 9, 8, 7, 20, 20, 20]), period=2)
    assert reasons[0] == "RSI(2) 0.00 is below oversold 30"
    assert reasons[1].endswith("is above overbought 70")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"period": 0}, r"period \(0\) must be at least 1 bar"),
        ({"oversold": 70, "overbought": 30}, r"oversold \(70\) must be below overbought \(30\)"),
        ({"overbought": 101}, "both within 0 and 100"),
    ],
)
def test_contradictory_parameters_are_refused(words, problem):
    with pytest.raises(ValueError, match=problem):
        RsiReversion.Config(**words)
