"""Everything a session is made of, wired: the one place where live objects meet."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial

import backtrader as bt

from analyzers.journal import Journal
from backtest.engine import assemble
from backtest.inputs import Feeds
from backtest.spec import RunSpec
from brokers.blotter import Blotter
from brokers.books import Pace
from brokers.clock import Clock
from brokers.errors import DataMute, SeawallError
from brokers.facts import Split
from brokers.guard import GuardedBroker
from brokers.inbox import Inbox, Lane
from brokers.remote import EndOfTurn, RemoteBroker
from brokers.risk import MaxBarAge, Rule
from brokers.store import Link, Store
from brokers.thread import Host
from brokers.wire.transport import Reconnected, VenueBar
from feeds.barrier import Barrier
from feeds.stream import live_feeds
from feeds.timeframe import Timeframe
from feeds.turns import Outage, Turns, warm_up
from live.connection import Connection, connect
from live.corporate_actions import CorporateActions, SplitHalt, told_in
from live.facts_in import FactsIn
from live.folder import Folder
from live.loop import LiveCerebro
from live.paper.hours import Hours
from live.past import Past
from live.recorder import StrategyLog, TapeRecorder
from live.rules import QUIET_BARS, NoOrders, QuietSymbol
from live.session_log import SessionLog
from live.settings import LiveSettings
from live.start import Start
from live.tape import Tape
from live.venues import Access
from strategies.sizing import PercentOfEquity

OLDEST_BARS, OLDEST_DAYS = 3, 5  # age of the bar that an order may be decided on
OLDEST_REAL_S = 5.0  # however fast the venue's market runs
LANES = 64  # orders that stand apart on their way at once, with a connection each
CONNECTED, DOWN = "connected", "down"


@dataclass(slots=True)
class Wires:
    """The connection, once the store's loop has made it, and what its loop told of it.

    Its fields are written by the loop's thread, each by one assignment, and read by Cerebro's.
    """

    made: Connection | None = None
    data: str = "connecting"
    data_failure: str = ""
    data_is_mute: bool = False  # written before data_failure

    @property
    def breaker(self) -> str:
        """The breaker's state."""
        return self.made.breaker.state if self.made else "closed"


@dataclass(frozen=True)
class Stack:
    """One session's objects; blotter and wires belong to the store's loop, the rest to Cerebro."""

    cerebro: bt.Cerebro
    guard: GuardedBroker
    broker: RemoteBroker
    store: Store
    blotter: Blotter
    turns: Turns
    inbox: Inbox
    log: SessionLog
    tape: Tape
    labels: tuple[str, ...]
    actions: CorporateActions
    wires: Wires = field(default_factory=Wires)


def build(
    settings: LiveSettings,
    specs: Sequence[RunSpec],
    access: Access,
    start: Start,
    folder: Folder,
    rng: random.Random,
    *,
    inbox: Inbox | None = None,
    host: Host | None = None,
) -> Stack:
    """Wire a session; nothing runs yet, but its log is open.

    Args:
        inbox: for all that reaches Cerebro's thread.
        host: runs the store's loop; by default a thread does.

    Raises:
        ConfigError: the log cannot be written, or another session writes it.
    """
    inbox, wires = inbox or Inbox(), Wires()
    journal = Journal(folder.log, start.session_id, start.clock, fresh=not start.is_restart)
    log = SessionLog(journal, Past(folder.log, start.records), start.clock)
    tape = Tape(lambda: log.is_warming_up)
    blotter = Blotter({position.symbol: position.quantity for position in start.holdings})
    facts = inbox.lane("facts")
    store = Store(
        _connector(settings, access, start, rng, wires, inbox.lane("bars")),
        facts,
        clock=start.clock,
        since=start.began_at,
        blotter=blotter,
        sync=log.sync,
        pace=Pace(lanes=LANES, poll_s=settings.wire.compare_s),
        host=host,
    )
    incoming = FactsIn(log, facts, store)
    broker = RemoteBroker(store, incoming, cash=start.cash, holdings=start.holdings)
    broker.setcommission(settings.paper.commission if access.is_embedded else 0.0)
    turns, labels = _turns(settings, start, inbox, log, store), _labels(specs)
    feeds = _feeds(turns, start, access)
    actions = _actions(start)
    own: tuple[Rule, ...] = (*_rules(settings, access.speed, log), SplitHalt(actions.known))
    cerebro = _cerebro(own, specs, access, start, feeds, broker, log)
    _observe(cerebro, specs, start, log, tape)
    guard = cerebro.broker
    return Stack(
        cerebro, guard, broker, store, blotter, turns, inbox, log, tape, labels, actions, wires
    )


def _observe(
    cerebro: bt.Cerebro, specs: Sequence[RunSpec], start: Start, log: SessionLog, tape: Tape
) -> None:
    labels = _labels(specs)
    configs = [spec.as_dict() | {"account": start.account_record()} for spec in specs]
    cerebro.addanalyzer(StrategyLog, journal=log, labels=labels, configs=configs)
    cerebro.addanalyzer(TapeRecorder, tape=tape, labels=labels)


def _actions(start: Start) -> CorporateActions:
    hours, told = Hours(start.calendar), told_in(start.records)
    return CorporateActions(tuple(start.frames), hours, start.began_at, told)


def tell_of_split(stack: Stack, split: Split) -> None:
    """Let blotter and broker know; on the store's loop, or before it goes live."""
    stack.blotter.recall(split)
    stack.inbox.lane("facts").put(split)


async def watch_splits(stack: Stack, clock: Clock, link: Link) -> None:
    """Ask for splits before each day, on the store's loop, until it stops."""
    made = stack.wires.made
    if link.bars is not None and made is not None:
        await stack.actions.watch(made.bars.splits, partial(tell_of_split, stack), clock)


async def listen(stack: Stack, symbols: Sequence[str], link: Link) -> None:
    """Carry bars from the wire to the inbox, on the store's loop, until it stops.

    Those of one frame wake Cerebro's thread once: it would only be in the way of the others.
    """
    lane, arrived = stack.inbox.lane("bars"), list[VenueBar | Reconnected]()
    if link.bars is None:
        return

    def hand_over() -> None:
        lane.put_all(arrived)
        arrived.clear()

    try:
        async with aclosing(link.bars.bars(symbols)) as bars:  # type: ignore[type-var]
            async for item in bars:
                stack.wires.data = CONNECTED
                if not arrived:
                    asyncio.get_running_loop().call_soon(hand_over)
                arrived.append(item)
    except SeawallError as error:
        stack.wires.data_is_mute = isinstance(error, DataMute)
        stack.wires.data_failure = str(error)


def _connector(
    settings: LiveSettings,
    access: Access,
    start: Start,
    rng: random.Random,
    wires: Wires,
    bars: Lane,
) -> Callable[[], Awaitable[Link]]:
    """What the store calls, on its loop, to get its connection."""
    clock = start.clock

    def told(text: str) -> None:
        _down(wires, bars, Outage(clock.now(), text))

    async def connected() -> Link:
        wires.made = connect(access, settings.wire, start.data, clock, rng, on_outage=told)
        return Link(wires.made.account, wires.made.bars)

    return connected


def _feeds(turns: Turns, start: Start, access: Access) -> Feeds:
    """The feeds by symbol, each with the venue's tick at its price."""
    feeds = live_feeds(turns, start.frames)
    for name, feed in feeds.items():
        last = Decimal(repr(float(start.frames[name]["close"].iloc[-1])))
        tick = access.profile.tick(last)
        feed.p.tick = None if tick is None else float(tick)
    return dict(feeds)


def _down(wires: Wires, lane: Lane, outage: Outage) -> None:
    wires.data = DOWN
    lane.put(outage)


def _turns(
    settings: LiveSettings, start: Start, inbox: Inbox, log: SessionLog, store: Store
) -> Turns:
    barrier = Barrier(settings.data.symbols, settings.data.barrier_s, start.clock)
    turns = Turns(
        inbox.lane("bars"),
        barrier,
        log.turn,
        timeframe=Timeframe(settings.data.timeframe),
        calendar=settings.data.calendar,
        past=warm_up(start.frames),
        recorded=log,
    )
    turns.heed(lambda: not store.is_idle)
    return turns


def _cerebro(
    own: Sequence[Rule],
    specs: Sequence[RunSpec],
    access: Access,
    start: Start,
    feeds: Feeds,
    broker: RemoteBroker,
    log: SessionLog,
) -> bt.Cerebro:
    first, *others = specs
    cerebro = assemble(
        first,
        feeds,
        broker=broker,
        profile=access.profile,
        rules=own,
        session_id=start.session_id,
        now=log.now,
        engine=LiveCerebro,
        quicknotify=True,
    )
    for number, spec in enumerate(others, 1):
        if spec.equity_percent is not None:
            cerebro.addsizer_byidx(number, PercentOfEquity, percent=spec.equity_percent)
        else:
            cerebro.addsizer_byidx(number, bt.sizers.FixedSize, stake=spec.size or 1)
        cerebro.addstrategy(spec.strategy_class, **spec.params)
    cerebro.addstore(EndOfTurn(broker))
    return cerebro


def _rules(settings: LiveSettings, speed: float, log: SessionLog) -> tuple[Rule, ...]:
    """No orders in the warm-up, on a bar that is long past, or in a symbol that fell silent."""
    span = Timeframe(settings.data.timeframe).delta or timedelta(days=31)
    bars = OLDEST_BARS if span < timedelta(days=1) else OLDEST_DAYS
    oldest_s = max(bars * span.total_seconds(), OLDEST_REAL_S * speed)
    quiet_s = QUIET_BARS * span.total_seconds()
    return (
        NoOrders(lambda: log.is_warming_up),
        MaxBarAge(oldest_s),
        QuietSymbol(quiet_s, log.newest_at),
    )


def _labels(specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """The strategies' names; one that comes twice is numbered from its second on."""
    seen: dict[str, int] = {}
    labels = []
    for spec in specs:
        name = spec.strategy_name
        seen[name] = seen.get(name, 0) + 1
        labels.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(labels)
