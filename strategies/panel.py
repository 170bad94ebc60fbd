"""The bars that a strategy may know, as arrays, and the row at which it stands."""

from collections.abc import Sequence
from typing import NamedTuple

import backtrader as bt
import numpy as np

FIELDS = ("open", "high", "low", "close", "volume")


class Bars(NamedTuple):
    """Bars in order of time, float64: (T,) for one feed, (T, N) for several, in feed order.

    With several feeds there is a row for every time at which one of them has a bar; a feed without
    a bar at that time shows its last one, as Cerebro does, and NaN before its first.
    """

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


class Panel:
    """Some feeds of a running Cerebro as `Bars`.

    Preloaded feeds are read whole, once: `bars` then holds later rows than `row`, which a causal
    function does not look at. Feeds that grow (live, replayed, or with preload off) are taken down
    bar by bar, which works in each of Backtrader's modes.
    """

    def __init__(self, feeds: Sequence[bt.DataBase]) -> None:
        self.feeds = tuple(feeds)
        self.row = -1
        self.bars = Bars(*[np.empty(0)] * len(FIELDS))
        self._times: np.ndarray | None = None
        self._lengths: tuple[int, ...] = ()
        self._shown: list[list[float]] = []
        self._store = np.empty((len(FIELDS), 0, len(self.feeds)))

    @property
    def is_growing(self) -> bool:
        """Whether it is taken down bar by bar, so that `row` is the last one."""
        return self._times is None

    @property
    def past(self) -> np.ndarray:
        """What was taken down so far, (fields, T, feeds)."""
        return self._store[:, : self.row + 1]

    def advance(self) -> bool:
        """Take in what Cerebro shows now; False when none of the feeds has moved."""
        lengths = tuple(len(feed) for feed in self.feeds)
        if not any(lengths):
            return False
        if not self._lengths:
            self._read_whole()
        if self._times is None:
            return self._take_down(lengths)
        if lengths == self._lengths:
            return False
        self._lengths = lengths
        if len(lengths) == 1:
            self.row = lengths[0] - 1
        else:
            now = max(feed.datetime[0] for feed in self.feeds if len(feed))
            self.row = int(np.searchsorted(self._times, now, side="right")) - 1
        return True

    def _read_whole(self) -> None:
        """Read all bars, if Cerebro has preloaded them and their times strictly increase."""
        # A feed that is not preloaded holds at most one bar that is not shown yet.
        if not any(feed.buflen() > len(feed) + 1 for feed in self.feeds):
            return
        times = [_line(feed, "datetime") for feed in self.feeds]
        if not all((np.diff(stamps) > 0).all() for stamps in times):
            return
        self._times = np.unique(np.concatenate(times))
        places = [np.searchsorted(stamps, self._times, side="right") for stamps in times]
        columns = {
            name: [
                np.concatenate(([np.nan], _line(feed, name)))[place]
                for feed, place in zip(self.feeds, places, strict=True)
            ]
            for name in FIELDS
        }
        self.bars = self._shaped([np.stack(columns[name], axis=1) for name in FIELDS])

    def _take_down(self, lengths: tuple[int, ...]) -> bool:
        """Append what is shown as a row, or put it over the last one while that bar still grows."""
        shown = [
            [getattr(feed, name)[0] if len(feed) else np.nan for feed in self.feeds]
            for name in FIELDS
        ]
        if lengths == self._lengths and shown == self._shown:
            return False
        self.row += lengths != self._lengths
        self._lengths, self._shown = lengths, shown
        if self.row == self._store.shape[1]:
            more = np.empty((len(FIELDS), max(self.row, 256), len(self.feeds)))
            self._store = np.concatenate((self._store, more), axis=1)
        self._store[:, self.row] = shown
        self.bars = self._shaped(list(self.past))
        return True

    def _shaped(self, columns: list[np.ndarray]) -> Bars:
        return Bars(*(column[:, 0] if len(self.feeds) == 1 else column for column in columns))


def _line(feed: bt.DataBase, name: str) -> np.ndarray:
    return np.array(getattr(feed.lines, name).getzero(size=feed.buflen()))


def abreast(panels: Sequence[Panel]) -> Bars:
    """The pasts of growing panels of one feed each, as columns of one table: (T, N).

    Each ends in the last row, whatever its times; above a shorter one is NaN.
    """
    pasts = [panel.past[:, :, 0] for panel in panels]
    rows = max(past.shape[1] for past in pasts)
    table = np.full((len(FIELDS), rows, len(pasts)), np.nan)
    for column, past in enumerate(pasts):
        table[:, rows - past.shape[1] :, column] = past
    return Bars(*table)
