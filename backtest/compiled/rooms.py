"""Memory that the kernel works in, one room a thread, reused from sweep to sweep."""

from math import nan
from queue import SimpleQueue

import numpy as np

from analyzers.overfit import BLOCKS
from backtest.compiled import columns as col
from backtest.compiled.desk import Desk
from backtest.compiled.simulate import Room, Rows
from backtest.compiled.spares import Spares
from backtest.compiled.tape import BLOCK, Registers
from backtest.outcomes import METRICS

ORDERS_AT_WORK = 256
REGISTERS = 64  # of a room; a longer tape gets its own

SPARES = Spares(1 << 28)  # most of it is never touched


class Rooms:
    """As many rooms as threads, each in one hand at a time.

    Args:
        feeds, steps: the course's.
        count: of rooms.
    """

    def __init__(self, feeds: int, steps: int, count: int) -> None:
        self._queue: SimpleQueue[Room] = SimpleQueue()
        self._count = count
        for _ in range(count):
            self._queue.put(_room(feeds, steps))

    def take(self) -> Room:
        """A room, once one is free."""
        return self._queue.get()

    def give(self, room: Room) -> None:
        """It is free again."""
        self._queue.put(room)

    def close(self) -> None:
        """Keep the memory for the next evaluation; waits until all rooms are free."""
        for _ in range(self._count):
            room = self.take()
            registers = room.registers
            SPARES.give(registers.wishes, registers.events, room.equity, room.desk.held_changes)


def _room(feeds: int, steps: int) -> Room:
    desk = Desk(
        np.zeros((ORDERS_AT_WORK, col.ORDER_COLUMNS)),
        np.zeros((feeds, col.FEED_COLUMNS)),
        np.zeros((col.QUEUES, feeds), np.int64),
        np.zeros(col.COUNTS, np.int64),
        np.zeros(2),
        SPARES.take((steps + 1,), np.int64),
        np.zeros((0, col.FILL_COLUMNS)),
    )
    wishes = SPARES.take((steps + 1, col.OUTPUTS, feeds))
    wishes[-1] = nan
    events = SPARES.take((steps,), np.int64)
    return Room(desk, registers_for(REGISTERS, wishes, events), SPARES.take((steps + 1,)))


def registers_for(count: int, wishes: np.ndarray, events: np.ndarray) -> Registers:
    """Registers for tapes of at most `count` numbers and operations together."""
    values, marks = np.empty((count, BLOCK)), np.zeros(BLOCK, np.int64)
    return Registers(values, np.empty((count, 2)), wishes, events, marks)


def rows_for(count: int) -> Rows:
    """Rows of so many sets, nothing determined yet."""
    return Rows(
        np.full((count, len(METRICS)), nan),
        np.full((count, 4), nan),
        np.zeros((count, BLOCKS, 3)),
        np.zeros(count, np.int64),
    )


def part_of(rows: Rows, first: int, last: int) -> Rows:
    """Some of the rows, in the same memory; `last` is exclusive."""
    part = slice(first, last)
    return Rows(rows.metrics[part], rows.moments[part], rows.blocks[part], rows.faults[part])
