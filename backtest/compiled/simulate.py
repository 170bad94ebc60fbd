"""Whole runs, one parameter set after another, for numba."""

from typing import NamedTuple

from backtest.compiled import columns as col
from backtest.compiled.broker import add_value, broker_turn, mark_value
from backtest.compiled.desk import Desk, Floats, Ints, Market, Terms, clear
from backtest.compiled.pursuit import strategy_turn
from backtest.compiled.score import score
from backtest.compiled.tape import Registers, Sets, Tape, play_tape


class Setting(NamedTuple):
    """What all parameter sets are evaluated on; `year` is the periods of a year, perhaps NaN."""

    market: Market
    terms: Terms
    year: float


class Room(NamedTuple):
    """What one thread works in; `equity` is (S + 1,)."""

    desk: Desk
    registers: Registers
    equity: Floats


class Rows(NamedTuple):
    """Rows of `Outcomes`, and what went wrong with them (`columns.FAULT`; 0: nothing)."""

    metrics: Floats
    moments: Floats
    blocks: Floats
    faults: Ints


def run_sets(
    setting: Setting, tape: Tape, sets: Sets, first: int, last: int, room: Room, rows: Rows
) -> None:
    """Evaluate the sets `first` to `last` (exclusive) of a tape into their rows."""
    desk, equity = room.desk, room.equity
    for row in range(first, last):
        run_set(setting, tape, sets, row, room)
        rows.faults[row] = desk.counts[col.FAULT]
        if rows.faults[row] == 0:
            metrics, moments, blocks = rows.metrics[row], rows.moments[row], rows.blocks[row]
            score(desk, equity, setting.year, metrics, moments, blocks)


def run_set(setting: Setting, tape: Tape, sets: Sets, row: int, room: Room) -> None:
    """One run; the desk's FAULT says whether it came to its end."""
    clear(room.desk, setting.terms.cash)
    count = play_tape(tape, sets, row, room.registers)
    run_one(room.desk, setting.market, setting.terms, room.registers, count, room.equity)


def run_one(
    desk: Desk, market: Market, terms: Terms, wishes: Registers, count: int, equity: Floats
) -> None:
    """One run from its wishes to its equity; `equity` begins with the starting cash."""
    steps = market.close.shape[1]
    equity[0] = terms.cash
    step, event = 0, 0
    while step < steps and desk.counts[col.FAULT] == 0:
        if desk.counts[col.ORDERS] == 0 and desk.counts[col.WAITING] == 0:
            until = wishes.events[event] if event < count else steps
            hold(desk, market, equity, step, until)
            step = until
            if step == steps:
                break
        else:
            broker_turn(desk, market, terms, step)
        mark_value(desk, market, step)
        equity[step + 1] = desk.money[col.VALUE]
        if event < count and wishes.events[event] == step:
            strategy_turn(desk, market, terms, wishes.wishes[event], step)
            event += 1
        elif desk.counts[col.WAITING] > 0:
            strategy_turn(desk, market, terms, wishes.wishes[steps], step)
        step += 1


def hold(desk: Desk, market: Market, equity: Floats, start: int, stop: int) -> None:
    """Equity of steps at which nothing can happen: `mark_value` for each."""
    cash, count = desk.money[col.CASH], desk.counts[col.HELD]
    if count == 1:
        feed = desk.queues[col.HELD_FEEDS, 0]
        size, cost = desk.feeds[feed, col.UNITS], desk.feeds[feed, col.COST]
        for step in range(start, stop):
            equity[step + 1] = cash + add_value(0.0, size, cost, market.close[feed, step])
        return
    equity[start + 1 : stop + 1] = 0.0
    for place in range(count):
        feed = desk.queues[col.HELD_FEEDS, place]
        size, cost = desk.feeds[feed, col.UNITS], desk.feeds[feed, col.COST]
        if size != 0.0:
            for step in range(start, stop):
                close = market.close[feed, step]
                equity[step + 1] = add_value(equity[step + 1], size, cost, close)
    for step in range(start, stop):
        equity[step + 1] = cash + equity[step + 1]
