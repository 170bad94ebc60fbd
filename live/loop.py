"""Cerebro for a session: Backtrader's turns, with little between a bar and a decision."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import sub
from typing import Any

import backtrader as bt

from brokers.wire.transport import VenueBar
from feeds.stream import LiveFeed
from live.steps import Steps

_Bars = tuple[float, Mapping[str, VenueBar]]
_AllSteps = Sequence[tuple[Any, Steps]]
QUIET_S = 0.002  # without an arrival; a rest begins then
BREATH_S = 0.0001  # without an arrival; the next part of what is left for a rest is done then
_STOCK = (bt.Strategy._next, bt.Strategy._clk_update, bt.Strategy._getminperstatus)


class LiveCerebro(bt.Cerebro):
    """Cerebro over the feeds of one `Turns`, all of them served at once.

    Backtrader asks every feed several times a round, whether there is a bar or not. What strategies
    see is the same to the last bit, and so is the order of all calls. Its own loop runs instead
    where anything else is in play: other feeds, resampling or replay, timers, writers, exactbars,
    cheat-on-open.
    """

    def _runnext(self, runstrats: Sequence[Any]) -> None:
        if not self._is_ordinary():
            super()._runnext(runstrats)
            return
        feeds: list[LiveFeed] = self.datas
        turns = feeds[0].turns
        steps = [(strategy, Steps(strategy)) for strategy in runstrats]
        rest = _Rest(
            [*(feed.settle for feed in feeds), *chain(*(some.chores for _, some in steps))]
        )
        while not self._event_stop:
            self._storenotify()
            self._datanotify()
            if self._event_stop:
                return
            was_at_rest = turns.is_at_rest
            turn = turns.advance(min(rest.wait_s(was_at_rest), feeds[0].p.qcheck))
            if turns.has_ended:
                break
            rest.go_on(was_at_rest, turns.is_at_rest)
            self._round(feeds, turn, steps)
        self._datanotify()
        self._storenotify()

    def _round(self, feeds: Sequence[LiveFeed], turn: _Bars | None, steps: _AllSteps) -> None:
        """One turn; without bars, what else has arrived."""
        if turn is not None:
            when, bars = turn
            for feed in feeds:
                bar = bars.get(feed.symbol)
                if bar is not None:
                    feed.show(when, bar)
        self._datanotify()
        if not self._event_stop:
            self._brokernotify()
        if turn is None:
            return
        for strategy, indicators in steps:
            if not self._event_stop:
                _next(strategy, indicators, when)

    def _datanotify(self) -> None:
        if any(feed.notifs for feed in self.datas):
            super()._datanotify()

    def _is_ordinary(self) -> bool:
        """Whether nothing is in play that only Backtrader's own loop knows."""
        has_own = self._timers or self._timerscheat or self.runwriters
        is_plain = not (has_own or self._exactbars or self.p.cheat_on_open)
        shared = {id(feed.turns) for feed in self.datas if type(feed) is LiveFeed}
        return is_plain and len(shared) == 1 and all(map(_is_plain, self.datas))


class _Rest:
    """What is done while nothing arrives, in small parts: whatever arrives need not wait for all.

    Args:
        chores: the parts; after an interruption it goes on with the next one.
    """

    def __init__(self, chores: Iterable[Callable[[], object]]) -> None:
        self._chores = deque(chores)
        self._due = 0  # how many are to be done in this rest

    def wait_s(self, is_at_rest: bool) -> float:
        """The longest wait for an arrival."""
        if self._due:
            return BREATH_S
        return math.inf if is_at_rest else QUIET_S

    def go_on(self, was_at_rest: bool, is_at_rest: bool) -> None:
        """Do the next part, if there is one and nothing has arrived."""
        if not is_at_rest:
            self._due = 0
        elif not was_at_rest:
            self._due = len(self._chores)
        if self._due:
            self._due -= 1
            self._chores[0]()
            self._chores.rotate(-1)


def _is_plain(feed: Any) -> bool:
    return type(feed) is LiveFeed and feed.is_plain


def _next(strategy: Any, indicators: Steps, when: float) -> None:
    """`Strategy._next`, with the indicators in one list.

    Args:
        when: the end of the newest bars, as Backtrader's number.
    """
    kind = type(strategy)
    if (kind._next, kind._clk_update, kind._getminperstatus) != _STOCK:
        strategy._next()
        return
    lengths = [feed.lines[0].lencount for feed in strategy.datas]
    if lengths != strategy._dlens:
        strategy.forward()
    strategy.lines.datetime[0] = when
    strategy._dlens = lengths
    indicators.take()
    strategy._notify()
    missing = strategy._minperstatus = max(map(sub, strategy._minperiods, lengths))
    if missing < 0:
        strategy.next()
    elif missing == 0:
        strategy.nextstart()
    else:
        strategy.prenext()
    strategy._next_analyzers(missing)
    strategy._next_observers(missing)
    strategy.clear()
