"""Orders go to an outbox and facts come back; nothing waits for the venue."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import backtrader as bt
import pytest

from brokers.facts import Accepted, Broken, Ended, Fact, Filled, Mismatch, Replaced
from brokers.guard import GuardedBroker
from brokers.orders import OrderSchema
from brokers.remote import LATE_LEG, NOT_REVIEWED, EndOfTurn, RemoteBroker
from brokers.wire.transport import VenuePosition
from tests.brokers.stage import FLAT, Play, frame, perform

AT = datetime(2020, 1, 2, tzinfo=UTC)
Replies = dict[int, list[Any]]


class Post:
    """An outbox that keeps what it got; `replies` are given on bar n, n counted from 0.

    A reply is a fact, or a function of the ids of the orders sent so far that makes one.
    """

    def __init__(self, replies: Replies | None = None, cash: float = 1000.0, **more: Any) -> None:
        self.sent: list[OrderSchema] = []
        self.cancelled: list[str] = []
        self.releases = 0
        self.apart: dict[int, bool] = {}  # by the number of orders sent
        self.noted: list[Fact] = []
        self._replies = replies or {}
        self._turn = -1
        self.broker = RemoteBroker(self, self._facts, cash=cash, note=self.noted.append, **more)

    def send(self, order: OrderSchema) -> None:
        self.sent.append(order)

    def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)

    def release(self, *, apart: bool = False) -> None:
        self.releases += 1
        self.apart.setdefault(len(self.sent), apart)

    def _facts(self) -> list[Fact]:
        self._turn += 1
        ids = [order.client_order_id for order in self.sent]
        return [r(ids) if callable(r) else r for r in self._replies.get(self._turn, ())]

    def play(self, script: Any, *feeds: Any) -> Play:
        return perform(script, *feeds, inner=self.broker, guard={})


def filled(quantity: str, price: str = "10", leg: str = "", name: str = "", paid: Any = None):
    def fact(ids: list[str]) -> Filled:
        x = name or f"{quantity}@{price}{leg}"
        return Filled(ids[0] + leg, x, Decimal(quantity), Decimal(price), AT, paid)

    return fact


def accepted(ids: list[str]) -> Accepted:
    return Accepted(ids[0], "v1")


def awake(leg: str):
    return lambda ids: Accepted(ids[0] + leg, "v" + leg)


def ended(status: Any, reason: str = "", leg: str = ""):
    return lambda ids: Ended(ids[0] + leg, status, reason)


def buy(size: float = 5, **how: Any):
    return lambda s: s.memory.update(order=s.buy(size=size, **how))


def bracket(s: Any) -> None:
    s.memory["family"] = s.buy_bracket(size=5, price=10, stopprice=9, limitprice=11)


def test_an_order_goes_out_as_the_schema_that_was_reviewed():
    post = Post()
    play = post.play({0: buy(reason="dip")})
    assert post.sent == [play.decisions[0].order]
    assert play.statuses == ["Submitted"]


def test_accepted_and_filled_reach_the_strategy_and_the_account():
    play = Post({1: [accepted], 2: [filled("5", "10.5")]}).play({0: buy()})
    assert [note[:3] for note in play.notes] == [
        (2, 0, "Submitted"),
        (2, 0, "Accepted"),
        (3, 0, "Completed"),
    ]
    assert play.account[-1] == (947.5, 997.5, 5)


def test_parts_of_a_unit_add_up_exactly():
    parts = [filled("0.1", name=f"x{n}") for n in range(3)]
    play = Post({1: parts, 3: [filled("-0.3")]}).play({0: buy(0.3)})
    assert play.statuses == ["Submitted", "Partial", "Partial", "Completed", "Completed"]
    assert [row[2] for row in play.account[1:3]] == [0.3, 0.3]
    assert play.account[-1] == (1000.0, 1000.0, 0)


def test_a_reversal_opens_what_is_left_exactly():
    play = Post({1: [filled("0.1")], 2: [filled("-0.3")]}).play({0: buy(0.3)})
    assert play.account[-1][2] == -0.2


@pytest.mark.parametrize(
    ("paid", "cash"), [(None, 949.95), (Decimal("0.05"), 949.95), (Decimal(2), 948.0)]
)
def test_the_venues_commission_counts_before_the_feeds_scheme(paid, cash):
    post = Post({1: [filled("5", paid=paid)]})
    post.broker.setcommission(0.001)
    assert post.play({0: buy()}).account[-1][0] == pytest.approx(cash, abs=1e-9)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("canceled", "", "Canceled"),
        ("expired", "", "Expired"),
        ("rejected", "halted", "Rejected"),
        ("rejected", "Margin: no cash", "Margin"),
    ],
)
def test_each_end_has_its_status_and_its_reason(status, reason, expected):
    play = Post({2: [accepted, ended(status, reason)]}).play({0: buy()})
    assert play.statuses == ["Submitted", "Accepted", expected]
    assert set(play.refusals) == ({reason} if reason else set())


def test_facts_about_what_has_ended_change_nothing_but_a_fill():
    replies = {1: [ended("canceled"), accepted, ended("expired")], 2: [filled("5")]}
    play = Post(replies).play({0: buy()})
    assert play.statuses == ["Submitted", "Canceled", "Completed"]
    assert play.account[-1][2] == 5


def test_a_replacement_is_no_news_to_a_strategy():
    play = Post({1: [accepted, lambda ids: Replaced(ids[0], "v2")]}).play({0: buy()})
    assert play.statuses == ["Submitted", "Accepted"]


def test_legs_of_an_entry_that_never_worked_are_rejected_with_it():
    play = Post({1: [ended("rejected", "no")], 2: [ended("canceled", leg="-sl")]}).play(
        {0: bracket}
    )
    assert play.statuses == ["Submitted"] * 3 + ["Rejected"] * 3


def test_legs_of_an_entry_that_worked_are_cancelled_with_it_once():
    early, legs = ended("canceled", leg="-sl"), [awake("-sl"), awake("-tp")]
    play = Post({1: [accepted, *legs, early, ended("canceled")]}).play({0: bracket})
    assert sorted(play.statuses[-3:]) == ["Canceled"] * 3
    assert len(play.notes) == 9


def test_after_the_entry_its_legs_live_by_their_own_facts():
    replies = {1: [filled("5")], 3: [filled("-5", "11", "-tp"), ended("canceled", leg="-sl")]}
    play = Post(replies).play({0: bracket})
    assert play.statuses[3:] == ["Completed", "Completed", "Canceled"]
    assert play.account[-1][0] == 1005.0


def test_legs_of_an_entry_that_filled_in_part_wait_for_the_venues_word():
    play = Post({1: [filled("2")], 2: [ended("canceled")]}).play({0: bracket})
    assert play.statuses[3:] == ["Partial", "Canceled"]


def test_a_cancel_is_asked_for_and_takes_effect_when_the_venue_says_so():
    post = Post({1: [accepted], 3: [ended("canceled")]})
    asked: list[Any] = []
    play = post.play({0: buy(), 1: lambda s: asked.append(s.cancel(s.memory["order"]))})
    assert post.cancelled == [post.sent[0].client_order_id]
    assert [(note[0], note[2]) for note in play.notes][-1] == (4, "Canceled")


def test_a_fill_may_overtake_a_cancel():
    post = Post({1: [accepted], 3: [filled("5")]})
    play = post.play({0: buy(), 1: lambda s: s.cancel(s.memory["order"])})
    assert len(post.cancelled) == 1
    assert play.statuses[-1] == "Completed"
    assert play.account[-1][2] == 5


def test_what_was_never_sent_or_has_ended_cannot_be_cancelled():
    post = Post({1: [ended("canceled")]})

    def again(s: Any) -> None:
        s.cancel(s.memory["order"])
        s.cancel(s.buy(size=1, transmit=False))

    post.play({0: buy(), 2: again})
    assert post.cancelled == []


def test_an_order_past_the_guard_is_rejected():
    post = Post()
    play = perform({0: lambda s: s.broker.inner.buy(s, s.data, 5, transmit=True)},
                   inner=post.broker, guard={})  # fmt: skip
    assert (play.refusals, post.sent) == ([NOT_REVIEWED], [])


def test_a_leg_that_comes_after_its_entry_is_rejected():
    late = {1: lambda s: s.sell(size=5, price=9, exectype=bt.Order.Stop, parent=s.memory["order"])}
    post = Post()
    play = post.play({0: buy(), **late})
    assert (play.refusals, len(post.sent)) == ([LATE_LEG], 1)


def test_an_order_that_cannot_be_logged_is_never_sent():
    def full(_: Any) -> None:
        raise OSError("No space left on device")

    post = Post()
    perform({0: buy(), 1: bracket}, inner=post.broker, guard={}, listener=full)
    assert post.sent == []


def test_each_fact_is_noted_before_it_takes_effect():
    post = Post({1: [accepted], 2: [filled("5")]})
    post.play({0: buy()})
    assert [type(fact) for fact in post.noted] == [Accepted, Filled]


@pytest.mark.parametrize(("held", "pnl"), [("5", 5.0), ("-5", -5.0)])
def test_what_was_held_before_is_closed_from_its_own_price(held, pnl):
    holdings = [
        VenuePosition("S0", Decimal(held), Decimal(9)),
        VenuePosition("X", *[Decimal(1)] * 2),
    ]
    sign = -1 if held == "5" else 1
    post = Post({2: [filled(str(5 * sign))]}, holdings=holdings)
    act = {0: (lambda s: s.sell(size=5)) if sign < 0 else buy()}
    play = post.play(act)
    assert play.account[0] == (1000.0, 1000.0 + 10 * float(held), float(held))
    assert play.trades[-1][3] == pnl
    assert "Created" not in play.statuses


def test_value_is_that_of_the_last_close_and_of_single_feeds():
    post = Post({1: [filled("5")]})
    seen: list[Any] = []

    def look(s: Any) -> None:
        broker = s.broker
        both = broker.getvalue([s.data0, s.data1])
        seen.extend([broker.get_value([s.data0]), both, broker.getvalue(mkt=True)])
        seen.extend([broker.get_cash(), broker.get_fundvalue(), broker.fundmode])

    post.play({0: buy(), 4: look}, FLAT, FLAT)
    assert seen == [50.0, 1000.0, 50.0, 950.0, 1000.0, False]


def test_before_the_first_bar_a_holding_is_worth_what_was_paid():
    broker = Post(holdings=[VenuePosition("late", Decimal(2), Decimal(50))]).broker
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT), name="late"))
    cerebro.broker = broker
    broker.start()
    assert broker.getvalue() == 1100.0


def test_open_orders_are_those_that_may_still_fill():
    post = Post({1: [filled("5")]})
    seen: list[Any] = []

    def look(s: Any) -> None:
        safe, own = s.broker.get_orders_open(safe=True), s.broker.get_orders_open()
        seen.extend([[order.size for order in own], safe[0] is own[0]])

    post.play({0: lambda s: [s.buy(size=5), s.buy(size=6)], 3: look})
    assert seen == [[6], False]


def test_the_turns_orders_are_released_before_the_next_bar_and_at_the_end():
    post = Post()
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT)))
    cerebro.broker = GuardedBroker(post.broker)
    cerebro.addstore(EndOfTurn(post.broker))
    released: list[int] = []

    class Buys(bt.Strategy):
        def next(self) -> None:
            released.append(post.releases)
            self.buy()

    cerebro.addstrategy(Buys)
    cerebro.run()
    assert released == [2, 4, 6, 8, 10, 12]  # at the turn's beginning, and with the broker's next
    assert post.releases > 12


EXITS = {"price": 10, "stopprice": 9, "limitprice": 11}


def two(first: float, second: float, **how: Any):
    return lambda s: [s.buy(size=first, **how), s.buy(size=second, **how)]


@pytest.mark.parametrize(
    ("orders", "is_apart"),
    [
        (two(25, 25), True),  # 500 of 1000: half the cash
        (two(25, 26), False),
        (two(20, 20, exectype=bt.Order.Limit, price=12.5), True),
        (two(20, 20, exectype=bt.Order.Limit, price=12.6), False),
        (lambda s: [s.sell(size=25), s.sell(size=25)], True),  # a short needs as much
        (lambda s: [s.sell(size=25), s.sell(size=26)], False),
        (lambda s: [s.buy(size=1), s.buy_bracket(size=49, **EXITS)], True),
        (lambda s: [s.buy(size=1), s.buy_bracket(size=50, **EXITS)], False),
    ],
)
def test_orders_stand_apart_while_cash_would_pay_for_all_of_them_twice(orders, is_apart):
    post = Post()
    post.play({0: orders})
    assert post.apart[len(post.sent)] is is_apart


def test_what_works_already_counts_and_what_closes_does_not():
    post = Post({1: [filled("60")]})
    post.play({0: buy(60), 2: buy(10), 3: two(5, 5), 4: lambda s: [s.sell(size=59), s.buy(size=1)]})
    # bar 3: cash of 400, 20 units at work; bar 4: 21 units, the sale only closes
    assert post.apart == {0: False, 1: False, 2: False, 4: True, 6: False}


def test_what_cannot_be_explained_reaches_the_session():
    mismatch = Mismatch("S0", Decimal(1), Decimal(2))
    post = Post({1: [mismatch, Broken("the stream ended")]})
    cerebro = bt.Cerebro(stdstats=False, runonce=False)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT)))
    cerebro.broker = post.broker
    told: list[Any] = []
    cerebro.addstore(EndOfTurn(post.broker))
    cerebro.addstorecb(lambda notice, *_, **__: told.append(notice))
    cerebro.addstrategy(bt.Strategy)
    cerebro.run()
    assert told == [mismatch, Broken("the stream ended")]


def test_backtraders_own_analyzers_and_observers_run_on_it():
    post = Post(holdings=[VenuePosition("S0", Decimal(5), Decimal(9))])
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT), name="S0"))
    cerebro.broker = post.broker
    for name in ("PositionsValue", "TimeReturn", "GrossLeverage", "PyFolio", "DrawDown"):
        cerebro.addanalyzer(getattr(bt.analyzers, name))
    cerebro.addstrategy(bt.Strategy)
    assert len(cerebro.run()) == 1
