import backtrader as bt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import Strategy, Target
from tests.strategies.stage import LateCancel, flat, play, scripted, walk

QUIET = [100.0] * 12


def sizes(ran):
    return [(fill[0], fill[2]) for fill in ran.fills()]


BRACKET = {"size": 1, "take_profit": 110.0, "stop_loss": 95.0}


def test_a_limit_waits_for_its_price():
    prices = [100.0, 100.0, 99.0, 98.0, 97.0]
    ran = play(scripted({1: [{"size": 1, "limit": 98.5}]}), flat(prices))
    assert ran.fills() == [(4, "X", 1, 98.0)]


@pytest.mark.parametrize(
    ("prices", "exit_fill"),
    [([100, 100, 104, 111, 111], (4, "X", -1, 111)), ([100, 100, 97, 94, 94], (4, "X", -1, 94))],
)
def test_a_bracket_takes_its_profit_or_stops_its_loss_and_drops_the_other(prices, exit_fill):
    ran = play(scripted({1: [BRACKET]}), flat(prices))
    assert ran.fills() == [(2, "X", 1, 100), exit_fill]
    assert len(ran.statuses("Canceled")) == 1


@pytest.mark.parametrize("missing", ["take_profit", "stop_loss"])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_exit_alone_makes_an_order_that_triggers_another(missing, sign):
    words = {**BRACKET, missing: None, "size": sign}
    if sign < 0:
        words |= {name: 200.0 - words[name] for name in BRACKET if name != "size" and words[name]}
    rising = missing == "stop_loss"
    path = [100, 100, 100 + sign * 4, 100 + sign * 11] if rising else [100, 100, 97, 94]
    path = path if rising or sign > 0 else [100, 100, 103, 106]
    ran = play(scripted({1: [words]}), flat([*path, path[-1]]))
    assert sizes(ran) == [(2, sign), (4, -sign)]


def test_the_legs_say_whose_exit_they_are():
    reasons = {}

    class Says(scripted({1: [{**BRACKET, "reason": "breakout"}]})):
        def notify_order(self, order):
            reasons[order.exectype] = order.info.reason

    play(Says, flat(QUIET))
    assert reasons == {
        bt.Order.Market: "breakout",
        bt.Order.Stop: "stop loss of: breakout",
        bt.Order.Limit: "take profit of: breakout",
    }


def test_leaving_cancels_the_exits_first():
    ran = play(scripted({1: [BRACKET], 4: [{"size": 0}]}), flat([*QUIET, 90.0, 120.0, 120.0]))
    assert sizes(ran) == [(2, 1), (5, -1)]
    assert len(ran.statuses("Canceled")) == 2


def test_leaving_waits_until_the_exits_are_confirmed_cancelled():
    script = {1: [BRACKET], 4: [{"size": 0}]}
    ran = play(scripted(script), flat(QUIET), broker=LateCancel())
    assert sizes(ran) == [(2, 1), (6, -1)]


def test_exits_that_come_back_while_they_are_being_cancelled_are_laid_again():
    script = {1: [BRACKET], 4: [{**BRACKET, "stop_loss": 99.0}], 5: [BRACKET]}
    prices = [*[100.0] * 9, 94.0, 94.0]
    ran = play(scripted(script), flat(prices), broker=LateCancel(2))
    assert len(ran.statuses("Canceled")) == 3
    assert sizes(ran) == [(2, 1), (10, -1)]


def test_an_exit_that_fills_while_it_is_withdrawn_is_not_sold_twice():
    prices = [100.0, 100.0, 100.0, 100.0, 94.0, 94.0, 94.0, 94.0]
    ran = play(scripted({1: [BRACKET], 4: [{"size": 0}]}), flat(prices), broker=LateCancel())
    assert sizes(ran) == [(2, 1), (5, -1)]


def test_exits_stay_while_the_target_does():
    ran = play(scripted({bar: [BRACKET] for bar in range(1, 9)}), flat(QUIET))
    assert ran.statuses("Canceled") == []
    assert len(ran.statuses("Submitted")) == 3


def test_exits_stay_when_a_target_that_is_held_names_none():
    ran = play(scripted({1: [BRACKET], 4: [{"size": 1}]}), flat(QUIET))
    assert ran.statuses("Canceled") == []


def test_exits_move_with_the_target():
    moved = {**BRACKET, "stop_loss": 99.0}
    prices = [100.0, 100.0, 104.0, 104.0, 104.0, 98.0, 98.0]
    ran = play(scripted({1: [BRACKET], 4: [moved]}), flat(prices))
    assert ran.fills()[-1] == (6, "X", -1, 98.0)
    assert len(ran.statuses("Canceled")) == 3


def test_exits_can_be_laid_for_a_position_that_has_none():
    prices = [100.0, 100.0, 100.0, 100.0, 111.0, 94.0, 94.0]
    ran = play(scripted({1: [{"size": 1}], 3: [BRACKET]}), flat(prices))
    assert ran.fills()[-1] == (5, "X", -1, 111.0)
    assert ran.strategy.position.size == 0


@pytest.mark.parametrize("words", [{"stop_loss": 95.0}, {"take_profit": 106.0}])
def test_one_exit_can_be_laid_alone(words):
    prices = [100.0, 100.0, 100.0, 100.0, *([107.0] * 2 if "take_profit" in words else [94.0] * 2)]
    ran = play(scripted({1: [{"size": 1}], 3: [{"size": 1, **words}]}), flat(prices))
    assert sizes(ran) == [(2, 1), (5, -1)]


@pytest.mark.parametrize("after", [1, 3])
def test_after_a_change_of_size_the_whole_position_has_its_exits(after):
    script = {1: [{**BRACKET, "size": 2}], 4: [{**BRACKET, "size": after}]}
    ran = play(scripted(script), flat([*QUIET, 90.0, 90.0, 90.0]))
    assert sizes(ran)[:2] == [(2, 2), (5, after - 2)]
    assert sum(size for _, size in sizes(ran)) == 0


def test_a_smaller_target_without_exits_drops_those_that_would_sell_too_much():
    script = {1: [{**BRACKET, "size": 2}], 4: [{"size": 1}]}
    ran = play(scripted(script), flat([*QUIET, 90.0, 90.0]))
    assert ran.strategy.position.size == 1


def test_a_larger_target_without_exits_keeps_those_of_what_is_held():
    script = {1: [{**BRACKET, "size": 1}], 4: [{"size": 3}]}
    ran = play(scripted(script), flat([*QUIET, 90.0, 90.0]))
    assert ran.strategy.position.size == 2


def test_a_reversal_with_exits_closes_first_so_that_they_fit_the_new_position():
    short = {"size": -1, "take_profit": 90.0, "stop_loss": 105.0}
    ran = play(scripted({1: [BRACKET], 4: [short]}), flat([*QUIET, 89.0, 89.0]))
    assert sizes(ran) == [(2, 1), (5, -1), (6, -1), (13, 1)]


@pytest.mark.parametrize(
    ("sign", "asked"), [(1, [100.0, 95.25, 110.25]), (-1, [100.25, 109.75, 95.0])]
)
def test_prices_go_to_the_tick_that_is_no_worse_than_asked(sign, asked):
    stop, profit = (95.1, 110.1) if sign > 0 else (109.9, 95.1)
    words = {"size": sign, "limit": 100.1, "stop_loss": stop, "take_profit": profit}
    ran = play(scripted({1: [words]}), flat(QUIET), tick=0.25)
    assert [row[3] for row in ran.statuses("Submitted")] == asked


def test_exits_that_are_laid_later_go_to_the_tick_as_well():
    words = {"size": 1, "stop_loss": 95.1, "take_profit": 110.1}
    ran = play(scripted({1: [{"size": 1}], 3: [words]}), flat(QUIET), tick=0.25)
    assert [row[3] for row in ran.statuses("Submitted")][1:] == [95.25, 110.25]


wishes = st.one_of(
    st.none(),
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([None, 0.99, 1.0]),
        st.sampled_from([None, 1.02]),
        st.sampled_from([None, 0.97]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(wishes, max_size=40), st.integers(1, 3), st.integers(0, 9))
def test_whatever_happens_to_its_exits_a_long_position_never_turns_short(wants, delay, seed):
    held = []

    def decide(self):
        held.append(self.position.size)
        want = wants[len(self) - 1] if len(self) <= len(wants) else None
        if want is not None:
            size, *prices = want
            limit, profit, loss = (p and p * self.data.close[0] for p in prices)
            yield Target(self.data, size=size, limit=limit, take_profit=profit, stop_loss=loss)

    cls = type("Long", (Strategy,), {"decide": decide})
    play(cls, walk(60, seed), broker=LateCancel(delay))
    assert min(held) >= 0
    assert max(held) <= 3


class AnsweredLater(bt.brokers.BackBroker):
    """A venue: it answers a cancel after the strategy is done with the bar, before the next."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bt.Order] = []

    def cancel(self, order: bt.Order, bracket: bool = False) -> bool:
        if bracket:
            return bool(super().cancel(order, bracket=True))
        self.asked.append(order)
        return True

    def answer(self, strategy: bt.Strategy) -> None:
        asked, self.asked = self.asked, []
        for order in asked:
            super().cancel(order)
            strategy.notify_order(order)


def test_a_cancel_answered_before_the_next_bar_gives_the_orders_of_one_answered_at_once():
    exits = {"take_profit": 130.0, "stop_loss": 70.0}
    script = {
        1: [{"feed": "X", "size": 1, **exits}, {"feed": "Y", "size": -1}],
        4: [{"feed": "Y", "size": 2}, {"feed": "X", "size": 0}],
        6: [{"feed": "X", "size": 2, **exits}],
    }
    frames = {"X": flat([100.0] * 9), "Y": flat([50.0] * 9)}

    class Answering(scripted(script)):
        def next(self):
            super().next()
            self.broker.answer(self)

    at_once = play(scripted(script), frames)
    later = play(Answering, frames, broker=AnsweredLater())
    assert len(at_once.fills()) == 5
    assert later.fills() == at_once.fills()
