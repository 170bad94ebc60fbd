"""What the guard foresees is what the venue would refuse, order by order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

import backtrader as bt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.errors import SchemaRefused, VenueRefused
from brokers.events import Cancel, Decision
from brokers.fills import Bar
from brokers.guard import GuardedBroker
from brokers.orders import OrderSchema
from brokers.situation import Surroundings
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.foresight import as_sent, profile_of
from live.paper.hours import Hours
from live.paper.matching import Matching
from tests.brokers.stage import Play, Scripted
from tests.live.paper.stage import Desk

START = datetime(2024, 1, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SYMBOLS = ("S0", "S1")


class Act(NamedTuple):
    """One thing a strategy does; prices are the last one and so many units."""

    kind: str
    is_buy: bool
    size: float
    near: int
    far: int
    feed: int

    def __call__(self, strategy: Any) -> None:
        orders = strategy.memory.setdefault("orders", [])
        if self.kind == "cancel":
            old = [order for order, turn in orders if turn < len(strategy)]
            if old:  # BackBroker does not cancel what came in the same turn
                strategy.cancel(old[int(self.size) % len(old)])
            return
        data = strategy.datas[self.feed]
        side, sign = (strategy.buy, 1) if self.is_buy else (strategy.sell, -1)
        low, high = data.close[0] - sign * self.near, data.close[0] + sign * self.far
        common = {"data": data, "size": self.size}
        kinds = bt.Order
        if self.kind in ("bracket", "market_bracket"):
            make = strategy.buy_bracket if self.is_buy else strategy.sell_bracket
            kind = kinds.Limit if self.kind == "bracket" else kinds.Market
            made = make(
                price=data.close[0], exectype=kind, stopprice=low, limitprice=high, **common
            )
            orders.extend((order, len(strategy)) for order in made)
            return
        how: dict[str, dict[str, Any]] = {
            "market": {},
            "limit": {"exectype": kinds.Limit, "price": low},
            "stop": {"exectype": kinds.Stop, "price": high},
            "stop_limit": {"exectype": kinds.StopLimit, "price": high, "plimit": high},
            "trail": {"exectype": kinds.StopTrail, "trailamount": float(self.near)},
        }
        orders.append((side(**common, **how[self.kind]), len(strategy)))


class Stage(NamedTuple):
    script: list[list[Act]]
    closes: list[tuple[int, int]]
    cash: float
    multiplier: int


class Told(NamedTuple):
    """A decision or a cancel, and the account as the guard saw it."""

    turn: int
    event: Decision | Cancel
    account: Surroundings | None


def bar(last: int, close: int) -> Bar:
    return Bar(float(last), max(last, close) + 1.0, min(last, close) - 1.0, float(close))


def tapes(stage: Stage) -> list[list[Bar]]:
    spans = list(pairwise([stage.closes[0], *stage.closes]))
    return [[bar(old[feed], new[feed]) for old, new in spans] for feed in range(len(SYMBOLS))]


def by_guard(stage: Stage) -> tuple[list[Told], list[tuple[float, ...]], int]:
    rules = AlpacaRules(multiplier=stage.multiplier)
    seen: list[Surroundings] = []
    profile = profile_of(rules)
    foresees = profile.foresees

    def looking(situation: Any) -> None:
        seen.append(situation.surroundings)
        foresees(situation)

    cerebro = bt.Cerebro(stdstats=False)
    inner = bt.brokers.BackBroker(cash=stage.cash)
    for name, tape in zip(SYMBOLS, tapes(stage), strict=True):
        index = pd.date_range(START.replace(tzinfo=None), periods=len(tape), freq="h")
        table = pd.DataFrame(tape, columns=["open", "high", "low", "close"], index=index)
        cerebro.adddata(bt.feeds.PandasData(dataname=table.assign(volume=1.0), name=name))
    cerebro.broker = GuardedBroker(inner, profile=replace(profile, foresees=looking))
    told: list[Told] = []
    play = Play()

    class Listening(Scripted):
        def start(self) -> None:
            self.broker.listen(self.hear)

        def hear(self, event: Any) -> None:
            account = seen[-1] if seen and isinstance(event, Decision) else None
            told.append(Told(len(self) - 1, event, account))

    script = {
        turn: lambda strategy, todo=todo: [act(strategy) for act in todo]
        for turn, todo in enumerate(stage.script)
    }
    cerebro.addstrategy(Listening, script=script, play=play)
    cerebro.run()
    margins = [turn - 1 for turn, _, status, *_ in play.notes if status == "Margin"]
    return told, play.account, min(margins, default=len(stage.closes))


def check(stage: Stage) -> int:
    """Compare verdicts until BackBroker's own cash check parts the two; how many were compared."""
    told, accounts, parted = by_guard(stage)
    venue = Matching(SYMBOLS, AlpacaRules(multiplier=stage.multiplier), cash=stage.cash)
    compared = 0
    for turn, bars in enumerate(zip(*tapes(stage), strict=True)):
        at = START + turn * HOUR
        venue.step(at, dict(zip(SYMBOLS, bars, strict=True)))
        sizes = {held.symbol: float(held.quantity) for held in venue.positions()}
        ours = (float(venue.account().cash), *(sizes.get(s, 0.0) for s in SYMBOLS))
        if turn >= parted:
            break
        assert ours == (accounts[turn][0], *accounts[turn][2:])
        for _, event, account in (one for one in told if one.turn == turn):
            if isinstance(event, Cancel):
                if (order := venue.find(event.order_id)) is not None:  # else it was refused
                    venue.cancel(order.venue_order_id, at)
            elif event.order is not None:
                compared += compare(venue, event, account, at)
    return compared


def compare(venue: Matching, event: Decision, account: Surroundings | None, at: datetime) -> int:
    refused = ""
    try:
        venue.submit(as_sent(event.order), at)
    except VenueRefused as no:
        refused = no.text
    foreseen = event.refusal.text if event.refusal else ""
    assert bool(foreseen) == bool(refused), (foreseen, refused, event.order, account)
    if foreseen.startswith("alpaca would refuse it: "):
        assert foreseen.removeprefix("alpaca would refuse it: ") == refused
    return 1


kinds = ["market", "limit", "stop", "stop_limit", "trail", "bracket", "market_bracket", "cancel"]
acts = st.builds(
    Act,
    kind=st.sampled_from([*kinds, "market", "cancel"]),
    is_buy=st.booleans(),
    size=st.sampled_from([5, 5, 10, 10, 20, 40, 0.5]),
    near=st.integers(1, 8),
    far=st.integers(1, 8),
    feed=st.sampled_from([0, 0, 0, 1]),
)
stages = st.integers(5, 12).flatmap(
    lambda count: st.builds(
        Stage,
        script=st.lists(st.lists(acts, max_size=3), min_size=count, max_size=count),
        closes=st.lists(
            st.tuples(st.integers(40, 60), st.integers(90, 110)), min_size=count, max_size=count
        ),
        cash=st.sampled_from([1e5, 5000.0, 2100.0]),
        multiplier=st.sampled_from([1, 2]),
    )
)


@settings(max_examples=75)
@given(stages)
def test_guard_and_venue_refuse_the_same_orders_for_the_same_reason(stage):
    check(stage)


# -- What no random strategy meets

EVENING = datetime(2024, 1, 2, 20, 50, 0, 3, tzinfo=UTC)  # 15:50 in New York, as a float has it


def seeing(order: OrderSchema, now: datetime) -> Any:
    flat = Surroundings(1e5, 1e5, {}, {"AAA": 100.0})
    return SimpleNamespace(order=order, partner=None, surroundings=flat, position=0.0, quantity=1.0,
                           now=now.timestamp())  # fmt: skip


@pytest.mark.parametrize("late_s", [0, 60])
def test_orders_for_the_close_come_in_time_in_a_backtest_too(late_s):
    profile = profile_of(AlpacaRules(hours=Hours("XNYS")))
    asked = seeing(Desk().ask(order_type="market_on_close"), EVENING + timedelta(seconds=late_s))
    if late_s:
        with pytest.raises(SchemaRefused, match="alpaca would refuse it: cls orders are accepted"):
            profile.check(asked)
    else:
        profile.check(asked)


@pytest.mark.parametrize("rules", [AlpacaRules(), BacktraderRules()], ids=lambda x: str(x)[:9])
def test_what_the_wire_has_no_words_for_is_refused_under_any_rules(rules):
    profile = profile_of(rules)
    tomorrow = {"time_in_force": "gtd", "expires_at": EVENING}
    with pytest.raises(SchemaRefused, match="Alpaca has no good-till-date orders"):
        profile.check(seeing(Desk().ask(limit_price=90, **tomorrow), EVENING))
    with pytest.raises(SchemaRefused, match="orders for the close have no other expiry"):
        profile.check(
            seeing(Desk().ask(order_type="market_on_close", time_in_force="day"), EVENING)
        )


def test_under_backtraders_rules_positions_flip_and_pennies_are_split():
    asked = seeing(Desk().ask("sell", "0.5", limit_price="90.00001"), EVENING)
    profile_of(BacktraderRules()).check(asked)
