"""When facts are handed over while orders are leaving."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from brokers.facts import Accepted
from brokers.relay import HOLD_S, Relay
from tests.fakes import HeldClock, quiet

A, B, C = (Accepted(name, f"v-{name}") for name in "abc")


def handed_over(scenario: Callable[[Relay, HeldClock], Awaitable[None]]) -> list[Any]:
    """What went over, as it went, while a scenario was played."""
    groups: list[Any] = []

    async def run() -> None:
        clock = HeldClock()
        await scenario(Relay(groups.append, clock), clock)

    asyncio.run(run())
    return groups


def test_a_fact_goes_over_at_once_while_nothing_is_held():
    async def scenario(relay: Relay, _: HeldClock) -> None:
        relay.tell(A)
        relay.tell(B)

    assert handed_over(scenario) == [[A], [B]]


def test_held_facts_go_over_together_and_in_order():
    async def scenario(relay: Relay, _: HeldClock) -> None:
        relay.hold(True)
        relay.tell(A)
        relay.tell(B)
        relay.hold(False)
        relay.tell(C)

    assert handed_over(scenario) == [[A, B], [C]]


def test_facts_are_held_no_longer_than_the_limit():
    async def scenario(relay: Relay, clock: HeldClock) -> None:
        relay.hold(True)
        for fact in (A, B):
            relay.tell(fact)
            await quiet()
            await clock.advance(HOLD_S)
        relay.tell(C)

    assert handed_over(scenario) == [[A], [B]]


def test_a_limit_that_is_not_needed_any_more_ends_no_later_holding():
    async def scenario(relay: Relay, clock: HeldClock) -> None:
        relay.hold(True)
        relay.tell(A)
        await quiet()
        relay.hold(False)
        relay.hold(True)
        relay.tell(B)
        await clock.advance(HOLD_S)
        relay.tell(C)

    assert handed_over(scenario) == [[A]]


def test_letting_go_of_nothing_hands_nothing_over():
    async def scenario(relay: Relay, _: HeldClock) -> None:
        relay.hold(True)
        relay.hold(False)

    assert handed_over(scenario) == []
