"""What a fault plan does to a gateway: its calls, its link to IB, its nightly restart."""

from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol

from brokers.clock import Clock
from live.paper.agenda import Agenda
from live.paper.faults import Fault, Kind
from live.paper.trouble import Passage, Trouble
from live.paper.venue import Told

LINK_LOST, LINK_NEW, LINK_KEPT = 1100, 1101, 1102
ON_BARS: tuple[Kind, ...] = ("link_lost", "restart", "session_lost", "competing")
TEXTS = {
    LINK_LOST: "Connectivity between IBKR and Trader Workstation has been lost.",
    LINK_NEW: "Connectivity between IBKR and Trader Workstation has been restored - data lost.",
    LINK_KEPT: "Connectivity between IBKR and Trader Workstation has been restored - data "
    "maintained.",
}
HISTORY, TOO_FAST, DATA_REFUSED = 20, 100, 162
PACING = "Historical Market Data Service error message:Historical data request pacing violation"
MESSAGES = {
    1: "reqMktData",
    3: "placeOrder",
    4: "cancelOrder",
    5: "reqOpenOrders",
    7: "reqExecutions",
    9: "reqContractDetails",
    16: "reqAllOpenOrders",
    HISTORY: "reqHistoricalData",
    49: "reqCurrentTime",
    50: "reqRealTimeBars",
    61: "reqPositions",
    62: "reqAccountSummary",
    99: "reqCompletedOrders",
}
OF_DATA = (1, HISTORY, 50)
Fate = Literal["serve", "refuse", "hear no more", "say no more", "break", "serve and break"]


class Caller(Protocol):
    """A client that calls."""

    def error(self, request_id: int | str, code: int, text: str) -> None:
        """Send an error."""


class Gateway(Protocol):
    """What can befall it."""

    def announce(self, code: int, text: str) -> None:
        """Tell every client what belongs to no request."""

    def break_off(self) -> None:
        """Break every connection without a word."""

    def begin_anew(self) -> None:
        """Give order ids from the beginning."""

    def forget_bars(self) -> None:
        """Drop what clients asked for of live bars."""

    def withhold_bars(self, *, until_told: bool) -> None:
        """Give no live bars, and say why; or give them again to whoever asks."""

    def pass_on(self, message: Told) -> bool:
        """Tell whose order it is."""


class TwsFaults:
    """The plan at work; the venue's front.

    Args:
        clock: of the wires: how long something lasts.
    """

    def __init__(self, gateway: Gateway, trouble: Trouble, clock: Clock) -> None:
        self._gateway = gateway
        self._trouble = trouble
        self._agenda: Agenda[object] = Agenda(clock)
        self._kept: list[Told] = []
        self._back_with = 0  # the code that will end an outage of the link
        self.is_away = self.is_logged_out = False

    @property
    def late(self) -> int:
        """How much it will still do by itself."""
        return len(self._agenda)

    def later(self, wait_s: float, job: Callable[[], object]) -> None:
        """Do something in some seconds."""
        self._agenda.add(wait_s, job)

    async def strike(self) -> None:
        """Do what the plan wants at the next step."""
        fault = self._trouble.at("bar", *ON_BARS)
        if fault is None:
            return
        if fault.kind == "competing":
            self._gateway.withhold_bars(until_told=True)
            self.later(fault.wait_s, partial(self._gateway.withhold_bars, until_told=False))
            return
        self._gateway.announce(LINK_LOST, TEXTS[LINK_LOST])
        if fault.kind == "link_lost":
            self._back_with = fault.status or LINK_NEW
            self.later(fault.wait_s, self._link_again)
            return
        self.is_away = fault.kind == "restart"
        self.is_logged_out = not self.is_away
        self._gateway.break_off()
        self.later(fault.wait_s, self._up_again)
        await self.release()

    async def release(self) -> None:
        """Do what is due."""
        for job in self._agenda.due():
            job()

    def deliver(self, message: Told) -> bool:
        """Pass a message on; without the link it is kept, or lost where the link comes back new."""
        if self._back_with == LINK_KEPT:
            self._kept.append(message)
            return True
        return not self._back_with and self._gateway.pass_on(message)

    def call(self, client: Caller, fields: list[str]) -> tuple[Fate, Passage]:
        """What becomes of a call."""
        kind = int(fields[0])
        passage = self._trouble.request(MESSAGES.get(kind, ""), is_broker=kind not in OF_DATA)
        return self._fate(passage.fault, client, fields), passage

    def answered(self, passage: Passage) -> None:
        """Note that a call got its verdict."""
        self._trouble.answered(passage)

    def _fate(self, fault: Fault | None, client: Caller, fields: list[str]) -> Fate:
        if fault is None:
            return "serve"
        if fault.kind == "too_many_requests":
            _too_fast(client, fields)
            return "refuse"
        if fault.kind == "hang":
            return "say no more" if fault.after else "hear no more"
        return "serve and break" if fault.after else "break"

    def _link_again(self) -> None:
        code, self._back_with = self._back_with, 0
        kept, self._kept = self._kept, []
        self._gateway.announce(code, TEXTS[code])
        if code == LINK_NEW:
            self._gateway.forget_bars()
        for message in kept:
            self._gateway.pass_on(message)

    def _up_again(self) -> None:
        if self.is_away:
            self._gateway.begin_anew()
        self.is_away = self.is_logged_out = False


def _too_fast(client: Caller, fields: list[str]) -> None:
    if int(fields[0]) == HISTORY:
        client.error(fields[1], DATA_REFUSED, PACING)
    else:
        client.error(-1, TOO_FAST, "Max rate of messages per second has been exceeded:max=50")
