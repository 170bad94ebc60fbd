import pickle
from dataclasses import dataclass, field

import backtrader as bt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import Strategy, Target
from strategies.sma_cross import SmaCross
from tests.strategies.stage import LateCancel, flat, play, scripted

QUIET = [100.0] * 12


def sizes(ran):
    return [(fill[0], fill[2]) for fill in ran.fills()]


class Lagging(SmaCross):
    @dataclass(frozen=True)
    class Config(SmaCross.Config):
        lag: int = 2


class Narrow(SmaCross):
    pass


def test_parameters_come_from_the_config_and_may_be_set_in_cerebro():
    ran = play(SmaCross, flat(QUIET), fast=5)
    assert (ran.strategy.p.fast, ran.strategy.p.slow) == (5, 30)
    assert ran.strategy.config == SmaCross.Config(fast=5, slow=30)


@pytest.mark.parametrize(("cls", "names"), [(Lagging, "fast slow lag"), (Narrow, "fast slow")])
def test_parameters_are_inherited(cls, names):
    ran = play(cls, flat(QUIET), slow=20)
    assert list(vars(ran.strategy.p)) == names.split()
    assert ran.strategy.config == cls.Config(slow=20)


def test_a_parameter_that_contradicts_another_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"fast \(30\) must be below slow \(10\)"):
        play(SmaCross, flat(QUIET), fast=30, slow=10)


def test_a_parameter_needs_a_default():
    with pytest.raises(TypeError, match=r"Config.bars needs a default value"):

        class Broken(Strategy):
            @dataclass(frozen=True)
            class Config:
                bars: int


def test_a_default_may_be_made_by_a_factory():
    class Listed(Strategy):
        @dataclass(frozen=True)
        class Config:
            names: tuple[str, ...] = field(default_factory=tuple)

    assert Listed.params().names == ()


def test_a_strategy_class_is_pickled_by_its_name():
    assert pickle.loads(pickle.dumps(Lagging)) is Lagging


def test_a_strategy_without_decide_says_so():
    with pytest.raises(NotImplementedError):
        play(Strategy, flat(QUIET))


def test_a_target_is_reached_at_the_next_open_and_the_reason_is_on_the_order():
    reasons = []

    class Says(scripted({1: [{"size": 2, "reason": "two it is"}]})):
        def notify_order(self, order):
            reasons.append(order.info.reason)

    ran = play(Says, flat(QUIET))
    assert sizes(ran) == [(2, 2)]
    assert set(reasons) == {"two it is"}


def test_without_a_reason_the_order_carries_none():
    infos = []

    class Mute(scripted({1: [{"size": 2}]})):
        def notify_order(self, order):
            infos.append(dict(order.info))

    play(Mute, flat(QUIET))
    assert infos == [{}, {}, {}]


def test_a_target_that_is_held_sends_nothing():
    ran = play(scripted({bar: [{"size": 1}] for bar in range(1, 9)}), flat(QUIET))
    assert sizes(ran) == [(2, 1)]


def test_the_last_target_for_a_feed_counts():
    ran = play(scripted({1: [{"size": 1}, {"size": 3}]}), flat(QUIET))
    assert sizes(ran) == [(2, 3)]


def test_a_reversal_is_one_order_through_zero():
    ran = play(scripted({1: [{"size": 1}], 4: [{"size": -2}]}), flat(QUIET))
    assert sizes(ran) == [(2, 1), (5, -3)]


def test_a_venue_that_allows_no_flip_gets_a_close_first_and_the_entry_once_it_has_filled():
    script = {1: [{"size": 1}], 4: [{"size": -2}]}
    ran = play(scripted(script, through_zero=False), flat(QUIET))
    assert sizes(ran) == [(2, 1), (5, -1), (6, -2)]


def test_a_fraction_of_a_stake_is_reached_without_leftovers():
    script = {bar: [{"size": 0.1 * bar}] for bar in range(1, 5)} | {6: [{"size": 0}]}
    ran = play(scripted(script), flat(QUIET))
    assert ran.strategy.position.size == 0
    assert len(ran.fills()) == 5


def test_a_weight_in_parts_of_a_share_is_bought_and_sold_for_the_day():
    kinds = []

    class Says(scripted({1: [{"weight": 0.5, "lot": 0.001}], 3: [{"size": 0}]})):
        def notify_order(self, order):
            kinds.append((order.exectype, order.valid))

    ran = play(Says, flat([30_000.0] * 6), cash=100_000.0)
    assert sizes(ran) == [(2, 1.666), (4, -1.666)]
    assert {kind for kind, _ in kinds} == {bt.Order.Market}
    assert all(valid is not None for _, valid in kinds)


@pytest.mark.parametrize(
    "terms",
    [{"weight": -0.5}, {"weight": 0.5, "limit": 30_000.0}, {"weight": 0.5, "stop_loss": 1.0}],
)
def test_short_with_a_limit_or_with_exits_a_weight_comes_to_whole_units(terms):
    ran = play(scripted({1: [{"lot": 0.001, **terms}]}), flat([30_000.0] * 6), cash=100_000.0)
    assert [abs(size) for _, size in sizes(ran)] == [1]


def test_float_noise_is_no_difference():
    script = {1: [{"size": 0.1 + 0.2}], 3: [{"size": 0.3}]}
    assert len(play(scripted(script), flat(QUIET)).fills()) == 1


def test_a_stake_is_what_the_sizer_answers():
    sizer = (bt.sizers.FixedSize, {"stake": 100})
    ran = play(scripted({1: [{"size": -2}], 3: [{"size": 1}]}), flat(QUIET), sizer=sizer)
    assert sizes(ran) == [(2, -200), (4, 300)]


def test_a_position_that_somebody_else_opened_is_one_stake():
    class Taken(scripted({3: [{"size": 2}]})):
        def next(self):
            if len(self) == 1:
                self.buy(size=7)
            super().next()

    assert sizes(play(Taken, flat(QUIET))) == [(2, 7), (4, 7)]


@pytest.mark.parametrize(("weight", "units"), [(0.5, 714), (-0.5, -714), (0.00001, 0), (0.0, 0)])
def test_a_weight_is_a_share_of_equity_in_whole_units_towards_zero(weight, units):
    ran = play(scripted({1: [{"weight": weight}]}), flat([70.0] * 5))
    assert ran.strategy.position.size == units


def test_a_feed_without_a_price_keeps_what_it_has():
    script = {1: [{"weight": 0.5}], 3: [{"weight": 0.1}]}
    ran = play(scripted(script), flat([70.0, 70.0, 0.0, 70.0, 70.0]))
    assert sizes(ran) == [(2, 714)]


def test_sells_go_before_buys_so_that_their_cash_is_there():
    frames = {"X": flat(QUIET), "Y": flat(QUIET)}
    script = {
        1: [{"feed": "Y", "weight": 1.0}],
        4: [{"feed": "X", "weight": 1.0}, {"feed": "Y", "weight": 0.0}],
    }
    ran = play(scripted(script), frames)
    assert [fill[:3] for fill in ran.fills()] == [(2, "Y", 1000), (5, "Y", -1000), (5, "X", 1000)]


def test_a_short_that_is_covered_goes_before_a_new_long():
    frames = {"X": flat(QUIET), "Y": flat(QUIET)}
    script = {
        1: [{"feed": "Y", "size": -1}],
        4: [{"feed": "X", "size": 1}, {"feed": "Y", "size": 0}],
    }
    ran = play(scripted(script), frames)
    assert [fill[:3] for fill in ran.fills()] == [(2, "Y", -1), (5, "Y", 1), (5, "X", 1)]


def sparse(script, **how):
    """X has a bar a day, Y one in four: what is sent to Y works until its next bar."""
    frames = {"X": flat(QUIET), "Y": flat(QUIET[:3], freq="4D")}
    words = {bar: [{"feed": "Y", **target} for target in row] for bar, row in script.items()}
    return play(scripted(words, **how.pop("attributes", {})), frames, **how)


def test_an_entry_on_its_way_is_not_sent_twice():
    ran = sparse({bar: [{"size": 1}] for bar in range(1, 9)})
    assert sizes(ran) == [(5, 1)]


def test_an_entry_on_its_way_is_cancelled_when_its_target_goes():
    ran = sparse({1: [{"size": 1}], 2: [{"size": 0}]})
    assert ran.fills() == []
    assert len(ran.statuses("Canceled")) == 1


def test_an_entry_on_its_way_is_replaced_when_its_target_changes():
    ran = sparse({1: [{"size": 1}], 2: [{"size": -3}]})
    assert sizes(ran) == [(5, -3)]


def test_a_cancel_that_comes_too_late_does_not_double_the_order():
    # asked at bar 4 to hold 3 instead of 1, too late: the 1 fills at bar 5, so 2 more are sent
    ran = sparse({1: [{"size": 1}], 4: [{"size": 3}]}, broker=LateCancel())
    assert sizes(ran) == [(5, 1), (9, 2)]


def test_a_cancel_is_asked_for_once_and_its_successor_waits_for_it():
    broker = LateCancel()
    ran = sparse({1: [{"size": 1}], 2: [{"size": 3}], 3: [{"size": 3}]}, broker=broker)
    assert sizes(ran) == [(5, 3)]
    assert broker.requests == 1


def test_a_target_that_comes_back_while_its_order_is_being_cancelled_is_sent_again():
    script = {1: [{"size": 1}], 2: [{"size": 3}], 3: [{"size": 1}]}
    ran = sparse(script, broker=LateCancel(2))
    assert len(ran.statuses("Canceled")) == 1
    assert sizes(ran) == [(5, 1)]


def test_a_close_on_its_way_to_a_reversal_is_waited_for():
    attributes = {"through_zero": False}
    script = {1: [{"size": 1}], 5: [{"size": -1}], 6: [{"size": -1}]}
    ran = sparse(script, attributes=attributes)
    assert sizes(ran) == [(5, 1), (9, -1)]
    assert ran.orders[-1][2:4] == ("Accepted", -1)


def test_a_reversal_that_was_called_off_can_be_called_again():
    script = {1: [{"size": 1}], 6: [{"size": -1}], 7: [{"size": 0}], 8: [{"size": -1}]}
    frames = {"X": flat(QUIET * 2), "Y": flat(QUIET[:6], freq="4D")}
    words = {bar: [{"feed": "Y", **target} for target in row] for bar, row in script.items()}
    ran = play(scripted(words, through_zero=False), frames)
    assert sizes(ran) == [(5, 1), (9, -1), (13, -1)]


def test_a_close_that_is_refused_ends_the_reversal():
    class NoSelling(bt.brokers.BackBroker):
        def sell(self, owner, data, size, **how):
            order = bt.SellOrder(owner=owner, data=data, size=size, exectype=how["exectype"])
            order.reject(self)
            self.notify(order)
            return order

    script = {1: [{"size": 1}], 3: [{"size": -1}]}
    ran = play(scripted(script, through_zero=False), flat(QUIET), broker=NoSelling())
    assert len(ran.statuses("Rejected")) == 1
    assert ran.strategy.position.size == 1


def test_a_partly_filled_entry_goes_on_while_its_target_stays():
    broker = bt.brokers.BackBroker(filler=bt.broker.fillers.FixedSize(size=2))
    ran = play(scripted({bar: [{"size": 6}] for bar in range(1, 6)}), flat(QUIET), broker=broker)
    assert ran.strategy.position.size == 6
    assert [row[2] for row in ran.orders].count("Submitted") == 1


def test_what_a_cancelled_entry_has_filled_is_sold_again():
    broker = bt.brokers.BackBroker(filler=bt.broker.fillers.FixedSize(size=2))
    ran = play(scripted({1: [{"size": 6}], 3: [{"size": 0}]}), flat(QUIET), broker=broker)
    assert ran.strategy.position.size == 0
    assert ran.statuses("Submitted")[-1][2] == -4


def test_a_cancel_carries_its_reason_on_the_order():
    reasons = []

    class Says(scripted({1: [{"size": 1, "limit": 50}], 3: [{"size": 0, "reason": "enough"}]})):
        def notify_order(self, order):
            if order.status == order.Canceled:
                reasons.append(order.info["cancel_reason"])

    play(Says, flat(QUIET))
    assert reasons == ["gives way to: enough"]


def test_a_cancel_needs_no_reason():
    class Asks(scripted({1: [{"size": 1, "limit": 50}]})):
        def next(self):
            super().next()
            if len(self) == 3:
                self.cancel(self.broker.get_orders_open()[0])

    assert len(play(Asks, flat(QUIET)).statuses("Canceled")) == 1


targets = st.one_of(st.none(), st.integers(-3, 3))


random_wishes = given(
    st.lists(targets, min_size=1, max_size=20),
    st.sampled_from([1, 2, 3]),
    st.booleans(),
)


def last_wish_is_held(wishes, delay, through_zero):
    script = {bar: [{"feed": "Y", "size": w}] for bar, w in enumerate(wishes, 1) if w is not None}
    frames = {"X": flat([100.0] * 60), "Y": flat([100.0] * 20, freq="3D")}
    cls = scripted(script, through_zero=through_zero)
    ran = play(cls, frames, broker=LateCancel(delay))
    last = next((wish for wish in reversed(wishes) if wish is not None), 0)
    assert ran.strategy.getpositionbyname("Y").size == last


@settings(max_examples=40, deadline=None)
@random_wishes
def test_whatever_the_targets_the_last_one_is_held_in_the_end(wishes, delay, through_zero):
    last_wish_is_held(wishes, delay, through_zero)


@settings(max_examples=40, deadline=None)
@given(st.lists(targets, min_size=1, max_size=20), st.integers(1, 3), st.integers(1, 3))
def test_held_and_working_never_exceed_the_largest_wish(wishes, largest_fill, delay):
    worst = []

    def decide(self):
        working = sum(order.executed.remsize for order in self.broker.get_orders_open())
        worst.append(abs(self.position.size + working))
        wish = wishes[len(self) - 1] if len(self) <= len(wishes) else None
        if wish is not None:
            yield Target(self.data, size=wish)

    broker = LateCancel(delay)
    broker.set_filler(bt.broker.fillers.FixedSize(size=largest_fill))
    play(type("Watched", (Strategy,), {"decide": decide}), flat([100.0] * 40), broker=broker)
    assert max(worst) <= max((abs(wish) for wish in wishes if wish is not None), default=0)
