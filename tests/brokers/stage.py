"""A stage on which a scripted strategy plays against a bare or a guarded BackBroker."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import backtrader as bt
import pandas as pd

from brokers.events import Cancel, Decision, Event, Halt
from brokers.guard import GuardedBroker

Bar = tuple[float, float, float, float]
Script = Mapping[int, Callable[[Any], Any]]

FLAT: tuple[Bar, ...] = ((10, 11, 9, 10),) * 6


@dataclass(repr=False)
class Play:
    """What was seen: events told, order notifications, trades, cash, value and position by bar."""

    events: list[Event] = field(default_factory=list)
    notes: list[tuple[Any, ...]] = field(default_factory=list)
    trades: list[tuple[Any, ...]] = field(default_factory=list)
    account: list[tuple[float, ...]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    broker: Any = None

    def __repr__(self) -> str:
        return "Play"

    @property
    def decisions(self) -> list[Decision]:
        return [event for event in self.events if isinstance(event, Decision)]

    @property
    def cancels(self) -> list[Cancel]:
        return [event for event in self.events if isinstance(event, Cancel)]

    @property
    def halts(self) -> list[Halt]:
        return [event for event in self.events if isinstance(event, Halt)]

    @property
    def statuses(self) -> list[str]:
        return [note[2] for note in self.notes]


class Scripted(bt.Strategy):
    """Does on bar i (from 0) what the script says for i, and writes down all that it hears."""

    params = (("script", {}), ("play", None))

    def __init__(self) -> None:
        self.refs: dict[int, int] = {}
        self.memory: dict[str, Any] = {}

    def notify_order(self, order: Any) -> None:
        number = self.refs.setdefault(order.ref, len(self.refs))
        self.p.play.notes.append(
            (len(self), number, order.getstatusname(), order.executed.size, order.executed.price,
             order.executed.comm, order.executed.pnl, order.created.price)
        )  # fmt: skip
        if order.info.get("refusal"):
            self.p.play.refusals.append(order.info.refusal)

    def notify_trade(self, trade: Any) -> None:
        self.p.play.trades.append((len(self), trade.size, trade.price, trade.pnl, trade.pnlcomm))

    def prenext(self) -> None:
        self.next()

    def next(self) -> None:
        act = self.p.script.get(len(self) - 1)
        if act:
            act(self)
        sizes = [self.getposition(data).size for data in self.datas]
        self.p.play.account.append((self.broker.getcash(), self.broker.getvalue(), *sizes))


def frame(bars: Sequence[Bar], start: str = "2020-01-01", freq: str = "D") -> pd.DataFrame:
    index = pd.date_range(start, periods=len(bars), freq=freq)
    table = pd.DataFrame(bars, columns=["open", "high", "low", "close"], index=index, dtype=float)
    return table.assign(volume=1.0)


class Tapped(bt.brokers.BackBroker):
    """Writes down on the play what really reaches the inner broker."""

    play: Play

    def buy(self, *args: Any, **how: Any) -> Any:
        self.play.left.append("buy")
        return super().buy(*args, **how)

    def sell(self, *args: Any, **how: Any) -> Any:
        self.play.left.append("sell")
        return super().sell(*args, **how)


def perform(
    script: Script,
    *feeds: Sequence[Bar],
    guard: Mapping[str, Any] | None = None,
    listener: Callable[[Event], None] | None = None,
    cash: float = 1e6,
    setup: Callable[[Any], None] | None = None,
    inner: Any = None,
) -> Play:
    """Play the script; `guard=None` on a bare BackBroker, else behind a guard with these words."""
    play = Play()
    if inner is None:
        inner = Tapped(cash=cash)
        inner.play = play
    if setup:
        setup(inner)
    cerebro = bt.Cerebro(stdstats=False)
    for number, bars in enumerate(feeds or (FLAT,)):
        cerebro.adddata(bt.feeds.PandasData(dataname=frame(bars), name=f"S{number}"))
    if guard is None:
        cerebro.broker = inner
    else:
        cerebro.broker = GuardedBroker(inner, **guard)
        cerebro.broker.listen(play.events.append)
        if listener:
            cerebro.broker.listen(listener)
    play.broker = cerebro.broker
    cerebro.addstrategy(Scripted, script=script, play=play)
    cerebro.run()
    return play
