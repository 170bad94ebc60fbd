"""Two exits tied by `oco=`, as a venue's profile looks at them."""

from types import SimpleNamespace

import backtrader as bt
import pytest

from brokers.events import Refusal
from brokers.profile import ALPACA
from brokers.situation import whole
from tests.brokers.stage import FLAT, perform

LIMIT, STOP = bt.Order.Limit, bt.Order.Stop


def pair(s, size=10, first=STOP):
    prices = {STOP: 5.0, LIMIT: 20.0}
    one = s.sell(size=size, exectype=first, price=prices.pop(first))
    ((kind, price),) = prices.items()
    other = s.sell(size=size, exectype=kind, price=price, oco=one)
    s.memory.update(one=one, other=other)


def played(script, feeds=(FLAT,), **guard):
    return perform(
        {0: lambda s: s.buy(size=10), **script}, *feeds, guard={"profile": ALPACA} | guard
    )


@pytest.mark.parametrize("first", [STOP, LIMIT])
def test_a_stop_and_a_target_of_a_position_leave_in_either_order(first):
    play = played({2: lambda s: pair(s, first=first)})
    assert play.refusals == []
    assert play.left == ["buy", "sell", "sell"]


def test_what_fills_of_two_ends_the_other():
    up = (*FLAT[:4], (19, 21, 19, 20), FLAT[0])
    play = played({2: pair}, (up,))
    assert play.statuses[-2:] == ["Completed", "Canceled"]
    assert play.account[-1][2] == 0


def test_the_second_names_an_order_of_this_turn_or_is_refused():
    def late(s):
        s.sell(size=10, exectype=LIMIT, price=20, oco=s.memory["one"])

    play = played(
        {2: lambda s: s.memory.update(one=s.sell(size=10, exectype=STOP, price=5)), 3: late}
    )
    (told,) = play.refusals
    assert told.startswith("oco: ")
    assert "place both in the same call of next()" in told


def test_a_third_order_is_refused():
    def three(s):
        pair(s)
        s.sell(size=10, exectype=LIMIT, price=21, oco=s.memory["one"])

    (told,) = played({2: three}).refusals
    assert "or has a partner" in told


def test_entries_are_not_tied_at_a_venue():
    def straddle(s):
        one = s.buy(size=1, exectype=LIMIT, price=8)
        s.buy(size=1, exectype=STOP, price=14, oco=one)

    (told,) = played({2: straddle}).refusals
    assert (
        told == "oco: venues tie exits of a position that is held: use a bracket to enter with both"
    )
    assert perform({2: straddle}, FLAT, guard={}).refusals == []


def test_two_exits_promise_the_units_of_one():
    seen = []

    def look(situation):
        seen.append((situation.working("sell"), situation.gross_exposure))

    script = {2: lambda s: pair(s, size=6), 3: lambda s: s.sell(size=4)}
    play = played(script, rules=[look])
    assert play.refusals == []
    assert seen[-2:] == [(0, 100), (-6, 100)]


def test_a_halted_guard_lets_two_exits_of_a_position_leave():
    def halted(s):
        s.broker.halt(Refusal("halt", "enough"))
        pair(s)

    assert played({2: halted}).refusals == []


def test_cancelling_one_frees_what_both_have_promised():
    def swap(s):
        s.cancel(s.memory["other"])
        s.sell(size=10)

    play = played({2: pair, 3: swap})
    assert play.refusals == []
    assert play.account[-1][2] == 0


def test_situation_without_a_partner_is_whole_by_itself():
    seen = []
    profile = SimpleNamespace(check=lambda situation: seen.append(whole(situation)))
    play = perform({0: lambda s: s.buy(size=10)}, FLAT, guard={"profile": profile})
    assert seen == [play.decisions[0].order]
