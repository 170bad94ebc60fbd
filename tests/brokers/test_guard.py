"""The guard lets through what it reviewed, and nothing else."""

import backtrader as bt
import pytest

from brokers.errors import RiskRefused
from brokers.events import Decision, Event, Refusal
from brokers.guard import GuardedBroker
from brokers.profile import ALPACA
from brokers.risk import MaxDrawdown, MaxOrderNotional, RestrictedSymbols
from tests.brokers.stage import FLAT, frame, perform

LIMIT, STOP = bt.Order.Limit, bt.Order.Stop


def deny(situation):
    raise RiskRefused("deny", 0, 1)


def bracket(strategy):
    return strategy.buy_bracket(size=1, price=10, stopprice=9, limitprice=11, reason="breakout")


def test_reviewed_order_reaches_the_inner_broker_and_fills():
    play = perform({0: lambda s: s.buy(size=5, reason="why not")}, guard={})
    assert play.left == ["buy"]
    assert play.statuses == ["Submitted", "Accepted", "Completed"]
    (decision,) = play.decisions
    assert (decision.reason, str(decision.order.quantity), decision.refusal) == (
        "why not",
        "5.0",
        None,
    )


def test_refused_order_never_reaches_the_inner_broker():
    play = perform({0: lambda s: s.buy(size=5)}, guard={"rules": [deny]})
    assert play.left == []
    assert play.statuses == ["Rejected"]
    assert play.decisions[0].refusal == Refusal("risk", "deny: limit 0, value 1", "deny", 0, 1)
    assert play.refusals == ["deny: limit 0, value 1"]


def test_listeners_are_told_before_the_inner_broker_is_called():
    order_of_events: list[str] = []

    def note(event: Event) -> None:
        order_of_events.append("told")

    class Noting(bt.brokers.BackBroker):
        def buy(self, *args, **how):
            order_of_events.append("called")
            return super().buy(*args, **how)

    perform({0: lambda s: s.buy(size=1)}, guard={}, listener=note, inner=Noting())
    assert order_of_events == ["told", "called"]


def test_refused_order_carries_its_reason_and_price():
    seen = []
    script = {0: lambda s: seen.append(s.buy(size=2, exectype=LIMIT, price=9.5, reason="dip"))}
    perform(script, guard={"rules": [deny]})
    (order,) = seen
    assert (order.status, order.created.price, order.info.reason) == (bt.Order.Rejected, 9.5, "dip")


def test_family_is_reviewed_once_and_its_legs_have_ids_of_their_own():
    legs: list = []
    play = perform({0: lambda s: legs.extend(bracket(s))}, guard={})
    (decision,) = play.decisions
    entry = decision.order_id
    assert decision.order.order_class == "bracket"
    assert [play.broker.order_id(leg.ref) for leg in legs] == [entry, f"{entry}-sl", f"{entry}-tp"]
    assert play.left == ["buy", "sell", "sell"]


def test_one_refusal_rejects_the_whole_family():
    play = perform({0: bracket}, guard={"rules": [deny]})
    assert play.statuses == ["Rejected"] * 3
    assert play.account[-1] == (1e6, 1e6, 0)


def test_contradictory_bracket_is_refused_with_its_numbers():
    script = {0: lambda s: s.buy_bracket(size=1, price=10, stopprice=12, limitprice=11)}
    play = perform(script, guard={})
    assert play.decisions[0].order is None
    assert play.decisions[0].asked["price"] == 10
    assert play.refusals[0] == "stop loss 12.0 must be below entry 10.0"


def test_oco_partner_of_a_refused_order_is_refused():
    def pair(s):
        first = s.sell(size=1, exectype=LIMIT, price=11)
        s.sell(size=1, exectype=STOP, price=9, oco=first)

    play = perform({0: pair}, guard={"rules": [MaxOrderNotional(10.5)]})
    assert [d.refusal.kind for d in play.decisions] == ["risk", "family"]


def test_oco_names_its_partner_by_client_order_id():
    def pair(s):
        first = s.sell(size=1, exectype=LIMIT, price=11)
        s.sell(size=1, exectype=STOP, price=9, oco=first)

    first, second = perform({0: pair}, guard={}).decisions
    assert second.order.order_class == "oco"
    assert second.order.oco_client_order_id == first.order_id


def test_late_child_of_a_refused_entry_is_refused_even_untransmitted():
    def late(s):
        entry = s.buy(size=1)
        s.sell(size=1, exectype=STOP, price=9, parent=entry, transmit=False)

    play = perform({0: late}, guard={"rules": [deny]})
    assert play.left == []
    assert play.statuses == ["Rejected", "Rejected"]


def test_late_child_of_a_sent_entry_goes_through_like_stock():
    def entry(s):
        s.memory["entry"] = s.buy(size=1)

    def child(s):
        s.sell(size=1, exectype=STOP, price=9.5, parent=s.memory["entry"])

    script = {0: entry, 2: child}
    assert perform(script, guard={}).notes == perform(script).notes


def test_log_that_cannot_be_written_refuses_the_order():
    def full(event: Event) -> None:
        raise OSError(28, "No space left on device")

    play = perform({0: lambda s: s.buy(size=1)}, guard={}, listener=full)
    assert play.left == []
    assert "No space left on device" in play.refusals[0]


def test_cancel_is_logged_with_its_id_and_reason():
    def change_of_mind(s):
        s.broker.cancel(s.memory["order"], reason="no longer wanted")

    script = {
        0: lambda s: s.memory.update(order=s.buy(size=1, exectype=LIMIT, price=5)),
        2: change_of_mind,
    }
    play = perform(script, guard={})
    assert [(c.order_id, c.reason) for c in play.cancels] == [
        (play.decisions[0].order_id, "no longer wanted")
    ]
    assert play.statuses[-1] == "Canceled"


def test_reason_of_a_cancel_may_travel_with_the_order():
    def change_of_mind(s):
        s.memory["order"].addinfo(cancel_reason="the target moved")
        s.cancel(s.memory["order"])

    script = {
        0: lambda s: s.memory.update(order=s.buy(size=1, exectype=LIMIT, price=5)),
        2: change_of_mind,
    }
    assert [c.reason for c in perform(script, guard={}).cancels] == ["the target moved"]


def test_cancel_goes_on_when_the_log_cannot_be_written():
    def full(event: Event) -> None:
        if not isinstance(event, Decision):
            raise OSError(28, "No space left on device")

    script = {
        0: lambda s: s.memory.update(order=s.buy(size=1, exectype=LIMIT, price=5)),
        2: lambda s: s.cancel(s.memory["order"]),
    }
    assert perform(script, guard={}, listener=full).statuses[-1] == "Canceled"


FALLING = ((10, 10, 10, 10),) * 2 + ((8, 8, 8, 8),) * 4


def test_breached_account_limit_halts_and_leaves_only_the_way_out():
    script = {
        0: lambda s: s.buy(size=10_000),
        3: lambda s: s.buy(size=1),
        4: lambda s: s.close(),
    }
    play = perform(script, FALLING, guard={"limits": [MaxDrawdown(0.01)]})
    assert play.broker.halted.rule == "max_drawdown_frac"
    assert [d.refusal and d.refusal.rule for d in play.decisions] == [None, "reduce_only", None]
    assert play.account[-1][2] == 0


def test_halt_cancels_resting_entries_and_keeps_protective_orders():
    def enter(s):
        s.buy(size=10_000)
        s.sell(size=10_000, exectype=STOP, price=1)
        s.buy(size=1, exectype=LIMIT, price=2)

    play = perform({0: enter}, FALLING, guard={"limits": [MaxDrawdown(0.01)]})
    _, _, resting = (d.order_id for d in play.decisions)
    assert play.halts[0].cancelled == (resting,)
    assert [c.order_id for c in play.cancels] == [resting]
    assert [o.isbuy() for o in play.broker.get_orders_open()] == [False]


def test_halt_holds_when_it_cannot_be_logged():
    def full(event: Event) -> None:
        if not isinstance(event, Decision):
            raise OSError(28, "No space left on device")

    script = {0: lambda s: s.buy(size=10_000), 3: lambda s: s.buy(size=1)}
    play = perform(script, FALLING, guard={"limits": [MaxDrawdown(0.01)]}, listener=full)
    assert [d.refusal is None for d in play.decisions] == [True, False]


def test_first_halt_stands():
    guard = GuardedBroker(bt.brokers.BackBroker())
    guard.halt(Refusal("halt", "first"))
    guard.halt(Refusal("halt", "second"))
    assert guard.halted.text == "first"


def test_reduce_only_counts_exits_already_at_work():
    script = {
        0: lambda s: s.buy(size=10),
        2: lambda s: (
            s.broker.halt(Refusal("halt", "stop now")),
            s.sell(size=10, exectype=LIMIT, price=20),
            s.sell(size=10),
        ),
    }
    play = perform(script, guard={})
    assert [d.refusal and d.refusal.rule for d in play.decisions] == [None, None, "reduce_only"]


def test_profile_of_a_venue_holds_in_a_backtest():
    script = {0: lambda s: s.buy(size=1, exectype=LIMIT, price=9.123)}
    play = perform(script, guard={"profile": ALPACA})
    assert play.refusals == ["limit_price 9.123 is not a multiple of alpaca's tick 0.01"]


def test_same_run_gives_the_same_ids_and_another_does_not():
    script = {0: bracket, 1: lambda s: s.buy(size=1), 3: lambda s: (s.buy(size=1), s.buy(size=1))}
    ids = [
        [d.order_id for d in perform(script, guard={"session_id": name}).decisions]
        for name in ("a", "a", "b")
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0] + ids[2])) == 8


@pytest.mark.parametrize("analyzer", [bt.analyzers.PositionsValue, bt.analyzers.TimeReturn])
def test_stock_analyzers_and_observers_work_on_a_guarded_broker(analyzer):
    def watched(broker):
        cerebro = bt.Cerebro()
        cerebro.adddata(bt.feeds.PandasData(dataname=frame(FLAT), name="S0"))
        cerebro.broker = broker
        cerebro.addanalyzer(analyzer, _name="it")
        return cerebro.run()[0].analyzers.it.get_analysis()

    assert watched(GuardedBroker(bt.brokers.BackBroker())) == watched(bt.brokers.BackBroker())


def test_restricted_symbol_is_refused_and_others_pass():
    rules = [RestrictedSymbols(frozenset({"S1"}))]
    script = {0: lambda s: (s.buy(data=s.datas[0], size=1), s.buy(data=s.datas[1], size=1))}
    play = perform(script, FLAT, FLAT, guard={"rules": rules})
    assert [d.refusal is None for d in play.decisions] == [True, False]


def test_now_defaults_to_the_newest_bar_and_may_be_given():
    seen = []

    def look(situation):
        seen.append(situation.now - situation.bar_at)

    perform({0: lambda s: s.buy(size=1)}, guard={"rules": [look]})
    perform({0: lambda s: s.buy(size=1)}, guard={"rules": [look], "now": lambda: 1577836800 + 30.0})
    assert seen == [0.0, 30.0]


def test_order_whose_cancel_a_venue_has_yet_to_confirm_promises_nothing():
    class Slow(bt.brokers.BackBroker):
        def cancel(self, order, bracket=False):
            return True

    def out(s):
        s.cancel(s.memory["stop"])
        s.sell(size=10)

    script = {
        0: lambda s: s.buy(size=10),
        2: lambda s: s.memory.update(stop=s.sell(size=10, exectype=STOP, price=5)),
        4: out,
    }
    play = perform(script, guard={"profile": ALPACA}, inner=Slow(cash=1e6))
    assert [decision.refusal for decision in play.decisions] == [None, None, None]
