"""A strategy's elementwise operations as numbers, run block by block, for numba.

A tape is a table of operations, each into a register of its own; a block of rows goes through all
of them before the next, so that everything stays in the processor's cache.
"""

import math
from typing import Final, NamedTuple

from backtest.compiled import columns as col
from backtest.compiled import operations as op
from backtest.compiled.desk import Floats, Ints
from backtest.compiled.operations import (
    calculate,
    choose,
    combine,
    compare,
    fill,
    find_changes,
    find_crosses,
    hold_latch,
    mark_wishes,
    note_marked,
)

BLOCK: Final = 512
TAPE_COLUMNS: Final = 4  # operation and three operands

NO_OUTPUT: Final = -(2**31)


class Tape(NamedTuple):
    """What one strategy does with shared arrays and numbers.

    Args:
        code: (K, TAPE_COLUMNS); an operand >= 0 is a register, one < 0 the shared array -1 - it.
        outputs: (N feeds, OUTPUTS) operands; NO_OUTPUT where there is none.
        numbers: how many registers hold numbers; operation k writes register numbers + k.
    """

    code: Ints
    outputs: Ints
    numbers: int


class Sets(NamedTuple):
    """Parameter sets that share a tape, a row each.

    Args:
        shared: (B, L) rows of `table` that the tape's shared arrays are.
        numbers: (B, C) values of the registers with numbers.
        table: (rows, S) shared arrays.
    """

    shared: Ints
    numbers: Floats
    table: Floats


class Registers(NamedTuple):
    """Room for one run of a tape.

    Args:
        values: (registers, BLOCK), as many as any tape needs, or more.
        memory: (K, 2) what an operation keeps from block to block; or more.
        wishes: (S + 1, OUTPUTS, N) by event; the last row is never written and says nothing.
        events: (S,) steps that have a wish.
        marks: (BLOCK,) 1 for rows of a block that have one.
    """

    values: Floats
    memory: Floats
    wishes: Floats
    events: Ints
    marks: Ints


def play_tape(tape: Tape, sets: Sets, row: int, room: Registers) -> int:
    """Run a tape for one parameter set; returns the number of steps with a wish."""
    steps, count = sets.table.shape[1], 0
    for number in range(tape.numbers):
        fill(room.values[number], sets.numbers[row, number])
    for k in range(tape.code.shape[0]):
        fill(room.memory[k], math.nan)
    for start in range(0, steps, BLOCK):
        stop = min(start + BLOCK, steps)
        play_block(tape, sets, row, room, start, stop)
        count = collect_wishes(tape, sets, row, room, start, stop, count)
    return count


def operand(sets: Sets, row: int, room: Registers, which: int, start: int, stop: int) -> Floats:
    """One block of a shared array or a register."""
    if which >= 0:
        return room.values[which, : stop - start]
    return sets.table[sets.shared[row, -1 - which], start:stop]


def play_block(tape: Tape, sets: Sets, row: int, room: Registers, start: int, stop: int) -> None:
    """All operations on one block."""
    for k in range(tape.code.shape[0]):
        a = operand(sets, row, room, tape.code[k, 1], start, stop)
        b = operand(sets, row, room, tape.code[k, 2], start, stop)
        c = operand(sets, row, room, tape.code[k, 3], start, stop)
        out = room.values[tape.numbers + k]
        code = tape.code[k, 0]
        if code <= op.DIVIDE:
            calculate(code, a, b, out)
        elif code <= op.NOT_EQUAL:
            compare(code, a, b, out)
        elif code <= op.IS_NAN:
            combine(code, a, b, out)
        elif code == op.WHERE:
            choose(a, b, c, out)
        elif code == op.CROSSOVER:
            find_crosses(a, b, out, room.memory[k])
        elif code == op.LATCH:
            hold_latch(a, b, out, room.memory[k])
        else:
            find_changes(a, out, room.memory[k])


def collect_wishes(
    tape: Tape, sets: Sets, row: int, room: Registers, start: int, stop: int, count: int
) -> int:
    """Take down the steps of one block at which a feed has a target."""
    feeds = tape.outputs.shape[0]
    room.marks[:] = 0
    for feed in range(feeds):
        which = tape.outputs[feed, col.TARGET]
        mark_wishes(operand(sets, row, room, which, start, stop), room.marks)
    after = note_marked(room.marks, start, stop, room.events, count)
    for event in range(count, after):
        step = room.events[event] - start
        for feed in range(feeds):
            for output in range(col.OUTPUTS):
                which = tape.outputs[feed, output]
                room.wishes[event, output, feed] = at(sets, row, room, which, start, step)
    return after


def at(sets: Sets, row: int, room: Registers, which: int, start: int, i: int) -> float:
    """One value of an operand; NaN where a strategy has no such output."""
    if which == NO_OUTPUT:
        return math.nan
    if which >= 0:
        return float(room.values[which, i])
    return float(sets.table[sets.shared[row, -1 - which], start + i])
