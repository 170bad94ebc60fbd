"""The remote broker gives the account and the notifications that BackBroker gives, bit for bit.

One order of things differs. BackBroker tells of a cancel when it is asked for, so a bar's Canceled
and Submitted notes come in the order of the calls; a remote broker hears of a cancel afterwards, so
the Submitted notes of a bar come first. All else comes in the same order.
"""

from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest
from hypothesis import example, settings

from tests.brokers.back_venue import BackVenue
from tests.brokers.stage import Play, perform
from tests.brokers.test_parity import KINDS, Act, random_runs


def remote(far: BackVenue, script: Any, *feeds: Any, commission: float = 0.0) -> Play:
    far.near.setcommission(commission)
    return perform(script, *feeds, inner=far.near, guard={})


def told(play: Play) -> list[tuple[Any, ...]]:
    """Notes without the stop price, which a venue moves unseen; each bar's Submitted first."""
    by_bar = [list(notes) for _, notes in groupby(play.notes, key=lambda note: note[0])]
    return [
        note[:-1] for notes in by_bar for note in sorted(notes, key=lambda n: n[2] != "Submitted")
    ]


def same(script: Any, feeds: Any, cash: float, commission: float, slip: float) -> None:
    def setup(broker: Any) -> None:
        broker.setcommission(commission)
        broker.set_slippage_perc(slip)

    played = {bar: lambda s, todo=todo: [act(s) for act in todo] for bar, todo in script.items()}
    bare = perform(played, *feeds, cash=cash, setup=setup)
    for tells_commission in (False, True):
        far = BackVenue(cash, tells_commission=tells_commission)
        setup(far.venue)
        away = remote(far, played, *feeds, commission=commission)
        assert told(away) == told(bare)
        assert away.trades == bare.trades
        assert away.account == bare.account


STEADY = [(5.0, 5.0, 5.0, 5.0)] * 4
FIRST_LEG_WITHOUT_CASH = [  # what is sold pays for the purchase to the last cent
    Act("market", False, 1, 0.1, 0.1, 0, None),
    Act("market", True, 41, 0.1, 0.1, 0, None),
    Act("bracket", False, 1, 0.1, 0.1, 0, None),
]


@settings(max_examples=60, deadline=None)
@random_runs
@example(script={0: FIRST_LEG_WITHOUT_CASH}, feeds=[STEADY], cash=200.0, commission=0.0, slip=0.0)
def test_random_strategies_are_the_same_here_and_far_away(script, feeds, cash, commission, slip):
    same(script, feeds, cash, commission, slip)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("buy", [True, False])
def test_each_order_type_is_the_same_here_and_far_away(kind, buy):
    act = Act(kind, buy, 7, 0.02, 0.03, 0, None)
    rising = [(10 + i, 11.5 + i, 9 + i, 10.6 + i) for i in range(8)]
    falling = [(20 - i, 21.5 - i, 18 - i, 19.4 - i) for i in range(8)]
    for feed in (rising, falling):
        same({1: [act], 4: [act]}, [feed], 1e5, 0.001, 0.0)


@pytest.mark.parametrize("cash", [1e5, 72.0])
@pytest.mark.parametrize("buy", [True, False])
@pytest.mark.parametrize(("near", "far"), [(0.02, 0.03), (0.09, 0.01), (0.5, 0.5)])
@pytest.mark.parametrize("valid", [None, timedelta(days=2)])
def test_brackets_end_alike_filled_cancelled_expired_or_without_cash(cash, buy, near, far, valid):
    act = Act("bracket", buy, 7, near, far, 0, valid)
    flat = [(10, 10.2, 9.9, 10)] * 3
    gap_up = [*flat, (14, 14.5, 13.5, 14), (15, 16, 14, 14.5), (9, 9.5, 8, 8.2)]
    for feed in (gap_up, [*flat, (7, 7.5, 6.5, 7), (6, 6.5, 5.5, 6)]):
        for number in (0, 2):
            cancel = Act("cancel", buy, number, near, far, 0, None)
            same({2: [act], 4: [cancel]}, [feed], cash, 0.001, 0.0)


def test_a_reversal_without_cash_closes_and_ends_alike():
    sell, buy = (
        Act("market", side, size, 0, 0, 0, None) for side, size in ((False, 5), (True, 30))
    )
    same({0: [sell], 2: [buy]}, [[(10, 11, 9, 10)] * 3 + [(16, 17, 9, 10)] * 3], 200.0, 0.001, 0.0)
