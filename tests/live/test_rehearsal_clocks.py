import asyncio
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from live.rehearsal.driven import DrivenClock, later
from live.rehearsal.still import Stalled, StillLoop, VirtualClock

AT = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)


async def sleeper(clock, waits, woken):
    for wait_s in waits:
        await clock.wait(wait_s)
        woken.append(clock.monotonic())


def test_a_still_loop_runs_until_all_in_it_wait():
    clock, woken = VirtualClock(AT), []
    loop = StillLoop(clock)
    loop.start(lambda: sleeper(clock, (1.0, 2.0), woken))
    loop.settle()
    assert (woken, clock.due_s) == ([], 1.0)
    clock.jump(1.0)
    loop.settle()
    assert (woken, clock.due_s) == ([1.0], 3.0)
    loop.join()
    assert woken == [1.0, 3.0]
    loop.close()


def test_a_jump_wakes_everybody_once_at_its_end():
    clock, woken = VirtualClock(AT), []
    loop = StillLoop(clock)
    loop.start(lambda: sleeper(clock, (1.0,) * 100, woken))
    loop.settle()
    clock.jump_to(AT + timedelta(hours=1))
    loop.settle()
    assert woken == [3600.0]
    loop.close()


def test_the_instant_stays_below_its_ceiling_however_long_somebody_waits():
    clock = VirtualClock(AT)
    clock.ceiling = AT + timedelta(minutes=1)
    clock.sleep(180.0)
    assert (clock.now(), clock.monotonic()) == (clock.ceiling, 180.0)


def test_a_loop_that_waits_for_nothing_that_could_come_has_stalled():
    loop = StillLoop(VirtualClock(AT))
    with pytest.raises(Stalled):
        loop.do(asyncio.Event().wait())
    loop.close()


def test_a_driven_clock_wakes_loops_of_other_threads():
    clock, woken = DrivenClock(AT), []
    thread = Thread(target=lambda: asyncio.run(sleeper(clock, (0.0, 5.0, 5.0), woken)))
    thread.start()
    while len(woken) < 3:
        if clock.due_s:
            clock.move(clock.due_s, clock.now() + timedelta(seconds=clock.due_s))
    thread.join()
    assert woken == [0.0, 5.0, 10.0]
    assert clock.now() == AT + timedelta(seconds=10)


def test_a_driven_clock_lets_a_thread_sleep_until_it_was_moved():
    clock = DrivenClock(AT)
    thread = Thread(target=lambda: clock.sleep(3.0))
    thread.start()
    clock.move(1.0, AT)
    assert thread.is_alive()
    clock.move(2.0, AT)
    thread.join()
    assert clock.now() == AT


def test_a_driven_clock_forgets_those_who_wait_no_more():
    clock = DrivenClock(AT)

    async def give_up():
        waiting = asyncio.ensure_future(clock.wait(5.0))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(give_up())
    assert clock.due_s is None
    clock.move(10.0, AT)


def test_the_next_instant_stays_within_its_bar():
    ceiling = AT + timedelta(seconds=60)
    assert later(AT, 10.0, ceiling) == AT + timedelta(seconds=10)
    assert later(AT, 90.0, ceiling) == ceiling
    assert later(AT, 90.0, None) == AT + timedelta(seconds=90)
