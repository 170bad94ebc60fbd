"""Client order ids come from the decision alone."""

from types import SimpleNamespace

import backtrader as bt

from brokers.identity import OrderIds, strategy_text
from brokers.translate import Request
from tests.brokers.stage import perform


def owner(**params):
    values = SimpleNamespace(_getkwargs=lambda: params)
    return type("Crossing", (), {"p": values})()


def feed(name="AAPL", at=1.0):
    return SimpleNamespace(_name=name, lines=SimpleNamespace(datetime=[at]))


def test_id_depends_on_session_strategy_params_symbol_bar_and_ordinal():
    first = OrderIds("s")
    base = first.new(Request("buy", owner(fast=1), feed(), 1, {}))
    others = [
        OrderIds("t").new(Request("buy", owner(fast=1), feed(), 1, {})),
        OrderIds("s").new(Request("buy", owner(fast=2), feed(), 1, {})),
        OrderIds("s").new(Request("buy", owner(fast=1), feed("MSFT"), 1, {})),
        OrderIds("s").new(Request("buy", owner(fast=1), feed(at=2.0), 1, {})),
        first.new(Request("buy", owner(fast=1), feed(), 1, {})),
    ]
    assert len({base, *others}) == 6


def test_ordinal_starts_anew_on_each_bar():
    def ids(*times):
        made, strategy = OrderIds("s"), owner()
        return [made.new(Request("buy", strategy, feed(at=at), 1, {})) for at in times]

    assert ids(1.0, 1.0, 2.0)[2] == ids(2.0)[0]


def test_an_order_born_of_a_notification_bears_its_order_and_shifts_no_other():
    def ids(*told_of):
        made, strategy = OrderIds("s"), owner()
        orders = [SimpleNamespace(ref=number) for number in (0, 1)]
        made.known = {order.ref: f"a{order.ref}" for order in orders}
        found = []
        for number in told_of:
            made.tell_of(None if number is None else orders[number])
            found.append(made.new(Request("buy", strategy, feed(), 1, {})))
        return found

    fill_first, fill_last = ids(0, None, None), ids(None, None, 0)
    assert fill_first[1:] == fill_last[:2]
    assert fill_first[0] == fill_last[2]
    assert len(set(ids(0, 0, 1, 1, None))) == 5


def test_two_strategies_alike_on_one_symbol_get_ids_of_their_own():
    made = OrderIds("s")
    assert made.new(Request("buy", owner(), feed(), 1, {})) != made.new(
        Request("buy", owner(), feed(), 1, {})
    )


def test_parameters_that_are_objects_leave_no_address_in_the_text():
    assert strategy_text(owner(f=object())) == "Crossingf=<object object>"


def test_order_that_never_passed_the_guard_has_no_id():
    assert OrderIds("s").of(None) is None
    play = perform({0: lambda s: s.buy(size=1)}, guard={})
    stranger = bt.BuyOrder(data=play.broker.cerebro.datas[0], size=1, simulated=True)
    assert play.broker.order_id(stranger.ref) is None
