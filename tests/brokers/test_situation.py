"""Rules see the account as it is, and looking changes nothing."""

import backtrader as bt

from brokers.at_work import AtWork
from brokers.profile import Profile
from brokers.situation import BrokerSituation, units_held
from brokers.ties import Ties
from tests.brokers.stage import FLAT, perform

LIMIT, STOP = bt.Order.Limit, bt.Order.Stop


def looking(seen):
    def look(situation):
        seen.append(
            {
                "equity": situation.equity,
                "exposure": situation.gross_exposure,
                "position": situation.position,
                "buying": situation.working("buy"),
                "selling": situation.working("sell"),
                "price": situation.last_price,
            }
        )

    return {"rules": [look]}


def test_situation_counts_positions_and_resting_orders_but_no_legs():
    def first(s):
        s.buy_bracket(size=10, exectype=bt.Order.Market, stopprice=5, limitprice=20)
        s.buy(data=s.datas[1], size=3, exectype=LIMIT, price=2)

    def second(s):
        s.buy(size=2, exectype=LIMIT, price=3)
        s.sell(size=4, exectype=LIMIT, price=30)
        s.buy(size=1)

    seen = []
    perform({0: first, 2: second}, FLAT, FLAT, guard=looking(seen))
    assert seen[-1] == {
        "equity": 1e6,
        "exposure": 10 * 10 + 3 * 10 + 2 * 10,
        "position": 10.0,
        "buying": 2.0,
        "selling": -4.0,
        "price": 10.0,
    }


def test_cancelled_order_no_longer_works():
    def change(s):
        s.cancel(s.memory["order"])
        s.buy(size=1)

    seen = []
    script = {
        0: lambda s: s.memory.update(order=s.buy(size=5, exectype=LIMIT, price=1)),
        2: change,
    }
    perform(script, guard=looking(seen))
    assert seen[-1]["buying"] == 0.0


def test_asking_what_is_held_creates_no_position():
    broker = bt.brokers.BackBroker()
    assert units_held(broker, "nothing") == 0.0
    assert not broker.positions


def surroundings_at(turn, script):
    """What a venue would be told of the account by the last order of `turn`."""
    seen = []
    looking = Profile("looking", foresees=lambda situation: seen.append(situation.surroundings))
    script = {**script, turn: lambda s: s.buy(size=1)}
    perform(script, FLAT, FLAT, guard={"profile": looking})
    return seen[-1]


def test_surroundings_are_cash_value_positions_and_last_prices_of_all_symbols():
    account = surroundings_at(2, {0: lambda s: s.buy(data=s.datas[1], size=5)})
    assert (account.cash, account.value) == (1e6 - 50, 1e6)
    assert account.held == {"S0": 0.0, "S1": 5.0}
    assert account.closes == {"S0": 10.0, "S1": 10.0}


def test_orders_at_work_are_told_with_the_prices_that_a_venue_was_given():
    def place(s):
        words = {"data": s.datas[1], "size": 3}
        s.sell(exectype=LIMIT, price=30, **words)
        s.buy(exectype=STOP, price=20, **words)
        s.buy(exectype=bt.Order.StopLimit, price=20, plimit=21, **words)
        s.sell(exectype=bt.Order.StopTrail, trailamount=5, **words)

    told = surroundings_at(3, {0: place}).resting
    assert [(o.symbol, o.side, o.remaining, o.last) for o in told] == [
        ("S1", side, 3, 10) for side in ("sell", "buy", "buy", "sell")
    ]
    assert [(o.order_type, o.limit_price, o.stop_price) for o in told] == [
        ("limit", 30, None),
        ("stop", None, 20),
        ("stop_limit", 21, 20),
        ("trailing_stop", None, None),
    ]


def test_legs_are_at_work_from_the_fill_of_their_entry_and_promise_its_units_once():
    far = {"stopprice": 5, "limitprice": 20}
    asleep = surroundings_at(2, {0: lambda s: s.buy_bracket(size=7, price=6, **far)})
    awake = surroundings_at(
        1, {0: lambda s: s.buy_bracket(size=7, exectype=bt.Order.Market, **far)}
    )
    assert [(o.side, o.order_type) for o in asleep.resting] == [("buy", "limit")]
    assert [(o.side, o.order_type) for o in awake.resting] == [("sell", "stop"), ("sell", "limit")]
    assert awake.promised("S0", "sell") == 7
    assert awake.promised("S0", "buy") == awake.promised("S1", "sell") == 0


def test_what_is_being_cancelled_is_no_longer_at_work():
    found = []

    def look(s):
        order, leaving = s.buy(size=5, exectype=LIMIT, price=1), Ties()
        leaving.leave(order)
        at_work = AtWork()
        at_work.add(order)
        told = [
            BrokerSituation(s.broker.inner, s.data, None, at_work, float, ties)
            for ties in (Ties(), leaving)
        ]
        found.extend(len(situation.surroundings.resting) for situation in told)

    perform({0: look}, guard={})
    assert found == [1, 0]
