"""The live half of a rehearsal in memory: a session's stack, without its process."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import backtrader as bt

from analyzers.chain import tail
from analyzers.decision_log import DecisionLog
from backtest.engine import assemble
from brokers.books import Pace
from brokers.errors import SeawallError
from brokers.inbox import Inbox
from brokers.remote import EndOfTurn, RemoteBroker
from brokers.store import Link, Store
from feeds.alpaca_client import AlpacaData
from feeds.barrier import Barrier
from feeds.stream import live_feeds
from feeds.turns import Turns
from live.facts_in import FactsIn
from live.loop import LiveCerebro
from live.market_clock import MarketClock
from live.past import Past
from live.rehearsal.crash import Crash, MortalFacts, MortalJournal
from live.rehearsal.memory import FarSide
from live.rehearsal.memory_gateway import GatewaySide
from live.rehearsal.play import SILENCE_S, Play
from live.rehearsal.still import StillLoop, VirtualClock
from live.session_log import SessionLog

BARRIER_S = 5.0
LANES = 64  # as a session has them, see `live/stack.py`
POLL_S = 30.0  # a mute stream of updates is noticed by a comparison alone


class Actor:
    """One life of a session: from its beginning, or from its log, to its end.

    Args:
        log: where its decision log is, or will be.
        idle: called by the feeds when nothing has arrived; brings what is next.
    """

    def __init__(
        self,
        play: Play,
        session_id: str,
        far: FarSide | GatewaySide,
        stage: tuple[StillLoop, VirtualClock],
        log: Path,
        crash: Crash,
        idle: Callable[["Actor"], bool],
    ) -> None:
        loop, clock = stage
        records = [record for record, _ in tail(log)] if log.exists() else []
        market_clock = MarketClock(clock, clock.now())
        self.inbox = Inbox()
        self._journal = MortalJournal(log, session_id, market_clock, crash)
        self.log = SessionLog(self._journal, Past(log, records), market_clock)
        self._crash = crash
        self.failure: SeawallError | None = None
        self._far = far
        self._idle = idle
        self._bars = self.inbox.lane("bars")
        self._wanted = AlpacaData(
            timeframe=play.timeframe,
            adjustment="none",
            sentinel=None,
            mute_s=SILENCE_S,
            since=_last_bar(records) or play.starts_at,
        )
        self._symbols: Sequence[str] = tuple(play.frames)
        self._span = play.timeframe.delta or timedelta(days=31)
        self._clock = clock
        self._barrier = Barrier(self._symbols, BARRIER_S, clock)
        broker = self._broker(play, loop)
        self.cerebro = self._wired(play, session_id, broker)

    def _broker(self, play: Play, loop: StillLoop) -> RemoteBroker:
        facts = self.inbox.lane("facts")
        self.store = Store(
            self._connected,
            facts,
            clock=self._clock,
            since=self._far.began_at,
            sync=self.log.sync,
            pace=Pace(lanes=LANES, poll_s=POLL_S if _mutes_updates(play) else None),
            host=loop,
        )
        facts_in = FactsIn(self.log, facts, self.store)
        broker = RemoteBroker(
            self.store,
            MortalFacts(facts_in, lambda: bool(self.inbox.waiting), self._crash),
            cash=float(play.spec.cash),
        )
        broker.setcommission(play.spec.commission)
        return broker

    def _wired(self, play: Play, session_id: str, broker: RemoteBroker) -> bt.Cerebro:
        self.turns = Turns(
            self,
            self._barrier,
            self.log.turn,
            timeframe=play.timeframe,
            calendar=play.calendar,
            recorded=self.log,
        )
        cerebro = assemble(
            play.spec,
            play.with_ticks(live_feeds(self.turns, play.stamped)),
            broker=broker,
            profile=play.profile,
            session_id=session_id,
            now=self.log.now,
            engine=LiveCerebro,
            quicknotify=True,
        )
        cerebro.addanalyzer(DecisionLog, journal=self.log, config=play.spec.as_dict())
        cerebro.addstore(EndOfTurn(broker))
        cerebro.addstore(self)
        return cerebro

    def run(self) -> None:
        """Play it to its end; the log is closed as complete."""
        self.store.start()
        self.store.attend(self._listen)
        self.cerebro.run()
        self.store.stop()
        self.log.close(complete=True)

    def awaits(self, at: datetime) -> bool:
        """Bars of its end at every instant of the market's."""
        del at
        return True

    def die(self) -> None:
        """Leave everything as it is; only what this process has open of it is closed."""
        self._journal.close(complete=False)

    # Backtrader's idea of a store, asked at the beginning of every turn.

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def get_notifications(self) -> tuple[()]:
        """Let the venue in once the log was repeated."""
        if self.turns.is_live and self.store.state == "connected":
            end_at = self.log.turn_end_at
            is_current = end_at is not None and self._clock.now() < end_at + self._span
            self.store.go_live(frozenset(self.log.current) if is_current else ())
        return ()

    # The bars' lane, for the feeds.

    def drain(self) -> list[Any]:
        """Bars that came."""
        return self._bars.drain()

    def wait(self, timeout_s: float) -> bool:
        """Bring what is next, instead of waiting for it."""
        del timeout_s
        return self._idle(self)

    async def _connected(self) -> Link:
        return self._far.connect(self._wanted, self._crash)

    async def _listen(self, link: Link) -> None:
        if link.bars is None:
            return
        try:
            async with aclosing(link.bars.bars(self._symbols)) as bars:  # type: ignore[type-var]
                async for item in bars:
                    self._bars.put(item)
        except SeawallError as error:
            self.failure = error


def _mutes_updates(play: Play) -> bool:
    """Whether the stream of order updates is to go mute."""
    return any(f.kind == "mute" and f.place == "trade_updates" for f in play.plan.faults)


def _last_bar(records: Sequence[Any]) -> datetime | None:
    """The start of the newest bar in a log."""
    starts = [
        datetime.fromisoformat(bar[0])
        for record in records[::-1]
        if record["kind"] == "bars"
        for bar in record["bars"].values()
    ]
    return max(starts, default=None)
