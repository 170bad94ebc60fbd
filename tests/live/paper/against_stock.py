"""The same random strategy through stock Cerebro and, order by order, through the paper venue."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import backtrader as bt
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from brokers.errors import VenueRefused
from brokers.events import Cancel, Decision
from brokers.fills import Bar, Commission, Slippage
from brokers.guard import GuardedBroker
from brokers.orders import OrderSchema
from brokers.wire.transport import OrderUpdate, VenueOrder
from live.paper.account import BacktraderRules
from live.paper.matching import Matching
from tests.brokers.stage import Play, Scripted
from tests.brokers.test_parity import Act, acts, bars

STEP = timedelta(hours=6)
START = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
STATUSES = {
    "new": "Accepted",
    "held": "Accepted",
    "partially_filled": "Partial",
    "filled": "Completed",
    "canceled": "Canceled",
    "expired": "Expired",
}


class Tape(NamedTuple):
    """Bars of one symbol and the steps at which they end, rising."""

    steps: tuple[int, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Stage:
    """What both sides are given; `halves` fills no more than half an order at a step."""

    script: dict[int, list[Any]]
    tapes: list[Tape]
    cash: float
    commission: Commission
    slippage: Slippage
    halves: bool

    @property
    def steps(self) -> list[int]:
        return sorted({step for tape in self.tapes for step in tape.steps})


class Note(NamedTuple):
    """What a strategy hears of an order; numbers as Backtrader has them in order.executed."""

    turn: int
    order: str
    status: str
    size: float
    price: float
    commission: float
    asked_price: float


Account = tuple[float, ...]


# -- Stock


class Listening(Scripted):
    """Writes down what the guard tells, with the turn in which it was told."""

    def start(self) -> None:
        self.told: list[tuple[int, Decision | Cancel]] = []
        self.broker.listen(lambda event: self.told.append((len(self) - 1, event)))


def by_stock(stage: Stage) -> tuple[list[Note], list[Account], Listening]:
    inner = bt.brokers.BackBroker(cash=stage.cash)
    frac, fixed, at_open, match, match_limit, beyond = stage.slippage
    for name, value in (("perc", frac), ("fixed", fixed), ("open", at_open), ("match", match),
                        ("limit", match_limit), ("out", beyond)):  # fmt: skip
        setattr(inner.p, f"slip_{name}", value)
    kind = bt.CommInfoBase.COMM_FIXED if stage.commission.is_fixed else bt.CommInfoBase.COMM_PERC
    inner.setcommission(stage.commission.rate, commtype=kind, stocklike=True)
    if stage.halves:
        inner.set_filler(lambda order, price, ago: (abs(order.executed.remsize) + 1) // 2)
    cerebro = bt.Cerebro(stdstats=False)
    for number, tape in enumerate(stage.tapes):
        table = pd.DataFrame(tape.bars, columns=["open", "high", "low", "close"], dtype=float)
        table.index = pd.DatetimeIndex([START + step * STEP for step in tape.steps]).tz_localize(
            None
        )
        feed = bt.feeds.PandasData(dataname=table.assign(volume=1.0), name=f"S{number}")
        cerebro.adddata(feed)
    cerebro.broker = GuardedBroker(inner)
    play = Play()
    script = {
        turn: lambda strategy, todo=todo: [act(strategy) for act in todo]
        for turn, todo in stage.script.items()
    }
    cerebro.addstrategy(Listening, script=script, play=play)
    (strategy,) = cerebro.run()
    names = {number: cerebro.broker.order_id(ref) for ref, number in strategy.refs.items()}
    notes = [
        Note(turn - 1, names[number], status, size, price, paid, asked)
        for turn, number, status, size, price, paid, _, asked in play.notes
    ]
    positions = [inner.positions[data] for data in strategy.datas]
    last = tuple(x for held in positions for x in (held.size, held.price))
    return notes, [*play.account, last], strategy


# -- Ours


def as_the_wire_says(order: OrderSchema) -> OrderSchema:
    """Alpaca's word for Close is a time in force; one that may lapse has no word there."""
    if (order.order_type, order.time_in_force) != ("market_on_close", "gtc"):
        return order
    return order.model_copy(update={"order_type": "market", "time_in_force": "cls"})


def half(order: VenueOrder) -> Decimal:
    return (order.quantity - order.filled_quantity + 1) // 2


class Replay:
    """Does to the venue what the strategy did, and hears what it would have heard."""

    def __init__(self, stage: Stage) -> None:
        self.symbols = [f"S{number}" for number in range(len(stage.tapes))]
        self.venue = Matching(
            self.symbols,
            BacktraderRules(),
            cash=stage.cash,
            commission=stage.commission,
            slippage=stage.slippage,
            **({"portion": half} if stage.halves else {}),
        )
        self.notes: list[Note] = []
        self.accounts: list[Account] = []
        self.accepted: set[str] = set()
        self.paid: dict[str, float] = {}

    def step(self, turn: int, at: datetime, met: dict[str, Bar]) -> None:
        said = [note for update in self.venue.step(at, met) for note in self.heard(turn, update)]
        self.notes += [note._replace(asked_price=self.asked(note.order)) for note in said]
        account = self.venue.account()
        sizes = {held.symbol: float(held.quantity) for held in self.venue.positions()}
        self.accounts.append(
            (float(account.cash), float(account.equity), *(sizes.get(s, 0.0) for s in self.symbols))
        )

    def heard(self, turn: int, update: OrderUpdate) -> list[Note]:
        order, name = update.order, update.order.client_order_id
        if update.fill:
            self.paid[name] = self.paid.get(name, 0.0) + float(update.fill.commission)
        status = STATUSES.get(order.status)
        if order.status == "rejected":
            status = "Margin" if order.reason == "margin" else "Rejected"
        if status == "Accepted" and name in self.accepted:
            return []  # a leg woke
        self.accepted |= {name} if status == "Accepted" else set()
        sign = 1 if order.side == "buy" else -1
        size = sign * float(order.filled_quantity)
        price = float(order.filled_average_price or 0)
        return [Note(turn, name, status, size, price, self.paid.get(name, 0.0), 0.0)]

    def asked(self, name: str) -> float:
        return self.venue.desk.by_client_order_id[name].asked_price

    def act(self, turn: int, at: datetime, event: Decision | Cancel) -> None:
        if isinstance(event, Decision) and event.refusal is None:
            self.venue.submit(as_the_wire_says(event.order), at)
        elif isinstance(event, Cancel):
            order = self.venue.find(event.order_id)
            if order is not None:
                with suppress(VenueRefused):  # not accepted yet: BackBroker does nothing then
                    self.venue.cancel(order.venue_order_id, at)


def by_ours(
    stage: Stage, told: Sequence[tuple[int, Decision | Cancel]]
) -> tuple[list[Note], list[Account]]:
    replay = Replay(stage)
    for turn, step in enumerate(stage.steps):
        at = START + step * STEP
        met = {
            symbol: tape.bars[tape.steps.index(step)]
            for symbol, tape in zip(replay.symbols, stage.tapes, strict=True)
            if step in tape.steps
        }
        replay.step(turn, at, met)
        for when, event in told:
            if when == turn:
                replay.act(turn, at, event)
    held = [replay.venue.desk.ledger.position(symbol) for symbol in replay.symbols]
    return replay.notes, [*replay.accounts, tuple(x for p in held for x in (p.size, p.price))]


# -- The comparison


def check(stage: Stage) -> None:
    """Notes but for Submitted (a POST's answer at a venue), accounts and positions are equal."""
    notes, accounts, strategy = by_stock(stage)
    ours, our_accounts = by_ours(stage, strategy.told)
    assert ours == [note for note in notes if note.status != "Submitted"]
    assert our_accounts == accounts


@st.composite
def tapes(draw: st.DrawFn) -> Tape:
    steps, step = [], draw(st.integers(0, 3))
    for gap in draw(st.lists(st.sampled_from([1, 1, 1, 2, 3, 4]), min_size=4, max_size=16)):
        steps.append(step)
        step += gap
    count = len(steps)
    return Tape(
        tuple(steps),
        tuple(Bar(*bar) for bar in draw(st.lists(bars(), min_size=count, max_size=count))),
    )


class Knotty(Act):
    """Kinds that test_parity has no need of: three that cancel each other, a limit hard to get."""

    def place(self, strategy: Any, data: Any) -> list[Any]:
        side = strategy.buy if self.buy else strategy.sell
        sign, last, order = (1 if self.buy else -1), data.close[0], bt.Order
        common = {"data": data, "size": self.size, "valid": self.valid}
        if self.kind == "trail_limit":
            words = {"trailamount": last * self.near, "plimit": last * (1 - sign * self.near / 2)}
            return [side(exectype=order.StopTrailLimit, price=last, **words, **common)]
        if self.kind == "oco":
            far, near = last * (1 - sign * self.far), last * (1 - sign * self.near)
            first = side(exectype=order.Limit, price=far, **common)
            second = side(exectype=order.Limit, price=near, oco=first, **common)
            high = last * (1 + sign * self.far)
            return [first, second, side(exectype=order.Stop, price=high, oco=second, **common)]
        return super().place(strategy, data)


def knotty(act: Act) -> Act:
    # Backtrader never ends an order with valid=0: what is meant is its Order.DAY.
    words = asdict(act) | {"valid": timedelta() if act.valid == 0 else act.valid}
    return Knotty(**words) if act.size % 2 else Act(**words)


turns = st.lists(st.lists(acts.map(knotty), max_size=3), min_size=4, max_size=20)
stages = st.builds(
    Stage,
    script=turns.map(lambda turns: dict(enumerate(turns))),
    tapes=st.lists(tapes(), min_size=1, max_size=3),
    cash=st.sampled_from([1e6, 3000.0, 200.0]),
    commission=st.builds(Commission, st.sampled_from([0.0, 0.001, 0.37]), st.booleans()),
    slippage=st.builds(
        Slippage,
        st.sampled_from([0.0, 0.0, 0.0005, 0.01]),
        st.sampled_from([0.0, 0.05]),
        *[st.booleans()] * 4,
    ),
    halves=st.sampled_from([False, False, True]),
)
drawing = given(stages)
