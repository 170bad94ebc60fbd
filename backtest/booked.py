"""A run's account as its fills tell it, for runs in which nothing watched bar by bar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose, nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analyzers import metrics
from analyzers.trades import RoundTrip
from backtest.outcomes import METRICS, Outcomes, statistics_of

Floats = npt.NDArray[np.float64]

SAME_FRAC = 1e-9  # of the starting cash


class Fill(NamedTuple):
    """One execution; `size` and what it `closed` and `opened` are signed units."""

    feed: Any
    order: Any
    bit: Any


@dataclass(frozen=True)
class Tape:
    """The bars that an account is valued on.

    Args:
        times: ends of the bars, the same for all feeds, as Backtrader's date numbers, (T,).
        closes: by feed, (T,).
        a_year: periods in a year.
    """

    times: Floats
    closes: Mapping[Any, Floats]
    a_year: float


@dataclass(frozen=True)
class BookedAccount:
    """The account at the end of each period, and its round trips.

    It holds for shares paid in full, as Backtrader's broker books them with a commission that is a
    fraction of the notional; `agrees_with` tells whether that is what happened.
    """

    tape: Tape
    starting_cash: float
    cash: Floats
    values: Floats
    trips: tuple[RoundTrip, ...]

    @classmethod
    def of(cls, broker: Any, tape: Tape, starting_cash: float) -> "BookedAccount":
        """The account of a broker whose run has ended."""
        fills = sorted(_fills(broker), key=lambda fill: fill.bit.dt)
        rows = np.searchsorted(tape.times, [fill.bit.dt for fill in fills])
        spent = np.zeros(len(tape.times) + 1)
        held = {feed: np.zeros(len(tape.times) + 1) for feed in {fill.feed for fill in fills}}
        for row, fill in zip(rows.tolist(), fills, strict=True):
            spent[row] += fill.bit.size * fill.bit.price + fill.bit.comm
            held[fill.feed][row] += fill.bit.size
        cash = starting_cash - np.cumsum(spent[:-1])
        values = cash.copy()
        for feed, changes in held.items():
            sizes = np.cumsum(changes[:-1])
            values += sizes * tape.closes[feed]
        return cls(tape, starting_cash, cash, values, tuple(_trips(fills)))

    def agrees_with(self, broker: Any) -> bool:
        """Tell whether the broker ended with the same cash and the same value."""
        pairs = ((self.cash, broker.getcash()), (self.values, broker.getvalue()))
        return all(
            isclose(series[-1], said, rel_tol=SAME_FRAC, abs_tol=SAME_FRAC * self.starting_cash)
            for series, said in pairs
        )

    def outcomes(self) -> Outcomes:
        """The row of this run, as `backtest.outcomes.of_run` gives it."""
        values, cash, a_year = self.values, self.starting_cash, self.tape.a_year
        each = metrics.returns(values, cash)
        closed = [trip.pnl - trip.commission for trip in self.trips if not trip.size]
        measured = {
            "final_value": values[-1],
            "total_return": values[-1] / cash - 1.0,
            "sharpe": metrics.sharpe(each, a_year),
            "sortino": metrics.sortino(each, a_year),
            "max_drawdown": metrics.max_drawdown(values, cash),
            "calmar": metrics.calmar(values, cash, a_year),
            "trades": len(self.trips),
            "win_rate": metrics.win_rate(np.array(closed)),
            "exposure": self._exposure(),
        }
        row = {name: np.array([measured[name]], dtype=np.float64) for name in METRICS}
        for numbers in row.values():
            numbers[~np.isfinite(numbers)] = nan
        known = statistics_of(each)
        return Outcomes(row, known.moments[None], np.array([known.periods]), known.blocks[None])

    def _exposure(self) -> float:
        times = self.tape.times
        entries = [trip.entry_at for trip in self.trips]
        exits = [trip.exit_at for trip in self.trips if not trip.size]
        steps = np.zeros(len(times) + 1)
        np.add.at(steps, np.searchsorted(times, entries), 1.0)
        np.add.at(steps, np.searchsorted(times, exits), -1.0)
        return float(np.mean(np.cumsum(steps[:-1]) > 0.0))


def _fills(broker: Any) -> Iterator[Fill]:
    for order in broker.orders:
        data = order.p.data
        instead = data._compensate  # noqa: SLF001  set by Backtrader's public compensate()
        feed = data if instead is None else instead
        for bit in order.executed.exbits:
            yield Fill(feed, order, bit)


def _trips(fills: list[Fill]) -> Iterator[RoundTrip]:
    """Round trips in the order of their entries, booked as `analyzers.trades.Ledger` does."""
    held: dict[tuple[Any, int], RoundTrip] = {}
    for feed, order, bit in fills:
        key = (feed, order.p.tradeid)
        for size, commission in ((bit.closed, bit.closedcomm), (bit.opened, bit.openedcomm)):
            if not size:
                continue
            trip = held.pop(key, None)
            if trip is None:
                trip = RoundTrip(feed, order.comminfo, size > 0, bit.dt, 0)
                yield trip
            trip.update(size, bit.price, commission, bit.dt)
            if trip.size:
                held[key] = trip
