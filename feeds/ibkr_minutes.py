"""Minute bars out of IB's bars of five seconds, each given with its last five."""

from dataclasses import dataclass
from datetime import UTC, datetime

from brokers.wire.transport import VenueBar

MINUTE_S, SLICE_S = 60, 5
Prices = tuple[float, float, float, float]  # open, high, low, close


@dataclass(slots=True)
class _Open:
    """One minute that still gathers, by its start in seconds since 1970."""

    start_s: int
    is_whole: bool
    prices: Prices
    volume: float


class Minutes:
    """Gathers one symbol's bars of five seconds, which come in order.

    A minute is given with its last slice, or with the first of a later minute. One that was
    joined in its middle is never given: history has it.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._open: _Open | None = None

    def add(self, start_s: int, prices: Prices, volume: float) -> list[VenueBar]:
        """Take a slice in; the minutes that it closes, oldest first."""
        minute_s = start_s // MINUTE_S * MINUTE_S
        closed = []
        if self._open is not None and self._open.start_s != minute_s:
            closed += self._close()
        units = max(volume, 0.0)  # -1 where nothing was traded
        if self._open is None:
            is_whole = start_s == minute_s
            self._open = _Open(minute_s, is_whole, prices, units)
        else:
            opened, high, low, _ = self._open.prices
            self._open.prices = (opened, max(high, prices[1]), min(low, prices[2]), prices[3])
            self._open.volume += units
        if start_s - minute_s == MINUTE_S - SLICE_S:
            closed += self._close()
        return closed

    def _close(self) -> list[VenueBar]:
        """The minute at hand, if it was seen from its start."""
        minute, self._open = self._open, None
        if minute is None or not minute.is_whole:
            return []
        start_at = datetime.fromtimestamp(minute.start_s, UTC)
        return [VenueBar(self.symbol, start_at, *minute.prices, minute.volume)]
