"""Rules see the account as it is, and looking changes nothing."""

import backtrader as bt

from brokers.situation import units_held
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
