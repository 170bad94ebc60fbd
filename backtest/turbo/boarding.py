"""Who rides on which cursor: feeds on their own, indicators with the feed that clocks them."""

from array import array
from typing import Any

from backtrader.linebuffer import LineBuffer
from backtrader.lineseries import LineSeriesStub

from backtest.turbo.cursor import Behind, Cursor, Ride
from backtest.turbo.schedule import Schedule

Clocked = list[tuple[Any, Cursor | Behind]]


def clocked(strategy: Any, schedule: Schedule) -> Clocked | str:
    """The cursor of each of a strategy's indicators, or the reason why one has none.

    What is clocked by the strategy itself, a constant given as data for one, moves a bar late:
    stock moves the indicators before the strategy.
    """
    known: dict[int, Cursor | Behind] = {id(strategy): Behind(schedule.turn)}
    for data, cursor in zip(strategy.datas, schedule.followers, strict=True):
        known |= dict.fromkeys([id(data), *map(id, data.lines)], cursor)
    riders: Clocked = []
    for indicator in strategy.getindicators():
        clock = indicator._clock
        if isinstance(clock, LineSeriesStub):
            clock = clock.lines[0]
        place = known.get(id(clock))
        if place is None:
            return f"a part of another indicator clocks {type(indicator).__name__}"
        riders.append((indicator, place))
        known |= dict.fromkeys([id(indicator), *map(id, _lines(indicator))], place)
    return riders


def board(strategy: Any, schedule: Schedule, riders: Clocked) -> Ride:
    """Put everything on its cursor."""
    ride = Ride()
    for data, cursor in zip(strategy.datas, schedule.feeds, strict=True):
        ride.take_feed(data, cursor)
    for indicator, place in riders:
        for line in _lines(indicator):
            ride.take(line, place)
        if not isinstance(indicator, LineBuffer):
            ride.take_series(indicator)
    ride.take_times(strategy.lines.datetime, schedule.turn, array("d", schedule.times.tobytes()))
    return ride


def _lines(indicator: Any) -> list[Any]:
    """The lines that move when the indicator does."""
    return [indicator] if isinstance(indicator, LineBuffer) else list(indicator.lines)
