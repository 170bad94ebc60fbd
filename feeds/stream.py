"""The live Backtrader feed: warm-up, recorded turns, then bars as they come."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import backtrader as bt
import pandas as pd

from brokers.wire.transport import VenueBar
from feeds.late import Ledger, make_room
from feeds.passport import Passport, passport_of
from feeds.timeframe import Timeframe
from feeds.turns import Turns

# Backtrader's resamplers close a bar by the host's clock as soon as a feed has nothing new; Cerebro
# then fails, and no run could be repeated. A clock of long ago closes nothing: the next bar does.
_LONG_AGO = timedelta(days=-36525)


def live_feeds(turns: Turns, frames: Mapping[str, pd.DataFrame]) -> dict[str, "LiveFeed"]:
    """Make the feeds of a session, by symbol.

    Args:
        turns: what they share, built over the same symbols.
        frames: the warm-up of each, whose passport becomes the feed's.
    """
    return {
        # Backtrader's metaclass takes the params before __init__ sees them.
        symbol: LiveFeed(dataname=symbol, turns=turns, passport=passport_of(frame, symbol))  # type: ignore[call-arg]
        for symbol, frame in frames.items()
    }


class LiveFeed(bt.feed.DataBase):
    """One symbol of a session; its datetime line is each bar's end, as in `feeds.frames`.

    All feeds of one Cerebro are of one `Turns`. An outage gives no bar, and a notification
    (CONNBROKEN, then LIVE); the feed ends only when `Turns.finish` was called. The strategy is
    told DELAYED during warm-up and recorded turns.
    """

    params = (
        ("turns", None),
        ("passport", None),
        ("tick", None),  # price step of the instrument, for rounding; None: no step
        ("qcheck", 0.25),  # seconds; the longest wait for an arrival, of all feeds together
    )

    passport: Passport

    def __init__(self) -> None:
        self._turns: Turns = self.p.turns
        self.passport = self.p.passport
        self.p.name = self.p.name or self.p.dataname
        # Backtrader copies these two to the feed when __init__ is done.
        self.p.timeframe, self.p.compression = Timeframe(self.passport.timeframe).backtrader
        self._is_asked = False
        self.symbol = str(self.p.dataname)  # the name of its bars in a turn

    def islive(self) -> bool:
        """Have Cerebro ask bar by bar."""
        return True

    def start(self) -> None:
        """Take part in the turns."""
        super().start()
        first, *others = self.lines  # first the close, whose length is the feed's
        self._first = vars(first)
        self._ledger = Ledger([(line, place) for place, line in enumerate(others)])
        self._turns.join(self)

    def haslivedata(self) -> bool:
        """Whether a bar is there, or a turn of which this feed has not been told."""
        return self._turns.has_bar(self)

    def do_qcheck(self, onoff: bool, qlapse: float) -> None:
        """Note that a new round of Cerebro's begins, and how long this feed may wait in it."""
        super().do_qcheck(onoff, qlapse)
        self._is_asked = True

    @property
    def turns(self) -> Turns:
        """What it shares with the other feeds of its session."""
        return self._turns

    @property
    def is_plain(self) -> bool:
        """Whether `show` may stand in for Backtrader's asking: every bar goes through as it is."""
        asks_more = self._filters or self.resampling or self.replaying or self.p.tzinput
        return not (asks_more or self.p.fromdate or self.p.todate)

    def show(self, when: float, bar: VenueBar) -> None:
        """Take a bar that a loop brings which moves all feeds at once, see `Turns.advance`.

        Args:
            when: its end, as Backtrader's number.
        """
        self.tick_open, self.tick_high, self.tick_low = bar.open, bar.high, bar.low
        self.tick_close = self.tick_last = bar.close
        self.tick_volume, self.tick_openinterest = bar.volume, 0.0
        first = self._first
        first["_idx"] += 1  # LineBuffer.forward, without its calls
        first["lencount"] += 1
        first["array"].append(bar.close)
        self._ledger.owe((bar.low, bar.high, bar.open, bar.volume, 0.0, when))

    def settle(self) -> None:
        """Let the lines grow that `show` has left behind, and have room for the next value."""
        make_room([self.lines[0]])
        self._ledger.settle()

    def clone(self, **kwargs: Any) -> "LiveClone":
        """Make the feed's copy that Cerebro resamples or replays."""
        return LiveClone(dataname=self, **kwargs)

    def _timeoffset(self) -> timedelta:
        return _LONG_AGO

    def _load(self) -> bool | None:
        if not self._is_asked:
            # Cerebro asks again in the same round whoever had no bar: the next turn can wait.
            return None
        self._is_asked = False
        served = self._turns.serve(self, self.p.dataname, self._qcheck)
        if served is None:
            return False if self._turns.has_ended else None
        lines = self.lines
        lines.datetime[0], bar = served
        lines.open[0] = bar.open
        lines.high[0] = bar.high
        lines.low[0] = bar.low
        lines.close[0] = bar.close
        lines.volume[0] = bar.volume
        lines.openinterest[0] = 0.0
        return True


class LiveClone(bt.feed.DataClone):
    """A live feed once more, resampled or replayed: its bars end when a later bar comes."""

    def _timeoffset(self) -> timedelta:
        return _LONG_AGO
