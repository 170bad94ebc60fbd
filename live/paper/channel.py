"""One stream of messages to the one client that listens, with what the plan does to them."""

from typing import Generic, Protocol, TypeVar

from brokers.clock import Clock
from live.paper.faults import Fault
from live.paper.trouble import Trouble

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Listener(Protocol[T_contra]):
    """One connected client."""

    @property
    def is_listening(self) -> bool:
        """Whether it has asked for anything yet."""

    async def deliver(self, message: T_contra) -> bool:
        """Send the message; False when it is not for this client, or it has gone."""

    async def break_off(self) -> None:
        """Break the connection without a word."""


class Channel(Generic[T]):
    """Messages in the order in which they were made, unless a fault says otherwise.

    Args:
        name: "trade_updates" or "data", as the plan has it.
        clock: in which delays and refusals are measured.
    """

    def __init__(self, name: str, trouble: Trouble, clock: Clock) -> None:
        self._name = name
        self._trouble = trouble
        self._clock = clock
        self._listener: Listener[T] | None = None
        self._mutes_left = 0  # connections, this one among them, that hear nothing
        self._behind: list[T] = []
        self._late: list[tuple[float, T]] = []
        self._refused_until = 0.0
        self._refusals_left = 0
        self.sent = 0
        self.withheld = 0
        self.refused = 0

    @property
    def late(self) -> int:
        """Messages held back that will still be sent."""
        return len(self._behind) + len(self._late)

    @property
    def is_connected(self) -> bool:
        """Whether somebody listens."""
        return self._listener is not None

    @property
    def is_listened_to(self) -> bool:
        """Whether somebody has connected and asked for messages."""
        return self._listener is not None and self._listener.is_listening

    @property
    def is_mute(self) -> bool:
        """Whether the one who listens hears nothing."""
        return self._mutes_left > 0

    @property
    def is_held(self) -> bool:
        """Whether a fault holds a dead connection, so that nobody may connect."""
        return self._refusals_left > 0 and self._clock.monotonic() < self._refused_until

    def refuse(self) -> None:
        """Note that a client was sent away."""
        self.refused += 1
        self._refusals_left = max(self._refusals_left - 1, 0)

    def attach(self, listener: Listener[T]) -> None:
        """Send to this client from now on; what went before is not repeated."""
        self._listener, self._mutes_left = listener, max(self._mutes_left - 1, 0)

    def detach(self, listener: Listener[T]) -> None:
        """Forget this client, if it is the one who listens."""
        if self._listener is listener:
            self._listener = None

    async def send(self, message: T, *, is_last: bool = True) -> None:
        """Send a message, or do to it what the plan wants.

        Args:
            is_last: False when another message follows at once.
        """
        fault = self._trouble.message(self._name, is_last=is_last)
        kind = fault.kind if fault else ""
        if kind == "reorder":
            self._behind.append(message)
            return
        if fault is not None and kind == "delay":
            self._late.append((self._clock.monotonic() + fault.wait_s, message))
            return
        if kind == "lose":
            self.withheld += 1
        else:
            if fault is not None and kind == "mute":
                self._mutes_left = max(self._mutes_left, fault.count)
            await self.tell(message)
        if kind == "duplicate":
            await self.tell(message)
        await self.flush()
        if fault is not None and kind in ("lose", "drop", "refuse"):
            await self._drop(fault)

    async def tell(self, message: T) -> None:
        """Send a message that no fault strikes."""
        listener = None if self.is_mute else self._listener
        if listener is not None and await listener.deliver(message):
            self.sent += 1
        else:
            self.withheld += 1

    async def flush(self) -> None:
        """Send what was put behind another message."""
        while self._behind:
            await self.tell(self._behind.pop(0))

    async def release(self) -> None:
        """Send what was delayed and is due."""
        now = self._clock.monotonic()
        due = [message for at, message in self._late if at <= now]
        self._late = [(at, message) for at, message in self._late if at > now]
        for message in due:
            await self.tell(message)

    async def drop(self) -> None:
        """Break the connection, if there is one."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.break_off()

    async def _drop(self, fault: Fault) -> None:
        if fault.kind == "refuse":
            self._refused_until = self._clock.monotonic() + fault.wait_s
            self._refusals_left = fault.count
        await self.drop()
