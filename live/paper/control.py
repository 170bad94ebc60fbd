"""The harness's own way to the venue: steps, counters and time, behind a door of its own."""

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from brokers.clock import Clock, ManualClock
from brokers.errors import SeawallError
from live.paper.faults import Plan
from live.paper.market import Step
from live.paper.venue import Venue

_TIMEOUT_S = 60.0


class ControlError(SeawallError):
    """The venue's control endpoint refused, or is not there."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What the venue has seen and done.

    Args:
        requests: calls that came in, the last one's number.
        in_flight: calls not yet answered, `parked` ones (hangs) among them.
        told: messages of the present connection, where calls and updates share one; else -1.
        updates_sent: messages of trade_updates that left, duplicates among them.
        updates_withheld: those that never will.
        updates_late: what is held back and will still leave.
        data_sent: likewise for frames of market data.
        at: the market's time, ISO 8601.
        now: the wires' time.
        hits: faults that struck, by kind.
        missed: kinds of planned faults that have not struck.
        longest_row: failed requests in a row, as the breaker counts.
    """

    requests: int
    in_flight: int
    parked: int
    told: int
    updates_sent: int
    updates_withheld: int
    updates_late: int
    is_listened_to: bool
    is_mute: bool
    data_sent: int
    data_withheld: int
    is_data_listened_to: bool
    is_data_mute: bool
    orders: int
    steps_left: bool
    at: str
    now: str
    hits: dict[str, int]
    missed: tuple[str, ...]
    longest_row: int


class Traffic(Protocol):
    """What has come in at the venue's front."""

    @property
    def requests(self) -> int:
        """How many requests came."""

    @property
    def in_flight(self) -> int:
        """How many are not answered yet."""

    @property
    def parked(self) -> int:
        """How many of these never will be."""

    @property
    def told(self) -> int:
        """Messages of the present connection; -1 where calls and updates do not share one."""


class Control:
    """What may be asked of the venue by whoever holds the token."""

    def __init__(self, venue: Venue, gate: Traffic, clock: Clock) -> None:
        self._venue = venue
        self._gate = gate
        self._clock = clock
        self._step: Step | None = None

    def counters(self) -> Counters:
        """Count everything."""
        venue, gate = self._venue, self._gate
        updates, data, trouble = venue.updates, venue.data, venue.trouble
        return Counters(
            requests=gate.requests,
            in_flight=gate.in_flight,
            parked=gate.parked,
            told=gate.told,
            updates_sent=updates.sent,
            updates_withheld=updates.withheld,
            updates_late=venue.late,
            is_listened_to=updates.is_listened_to,
            is_mute=updates.is_mute,
            data_sent=data.sent,
            data_withheld=data.withheld,
            is_data_listened_to=data.is_listened_to,
            is_data_mute=data.is_mute,
            orders=len(venue.tickets),
            steps_left=venue.market.next_at is not None,
            at=venue.at.isoformat(),
            now=self._clock.now().isoformat(),
            hits=trouble.hits,
            missed=tuple(fault.kind for fault in trouble.missed),
            longest_row=trouble.longest_row,
        )

    async def step(self) -> dict[str, Any]:
        """Go to the next step, match it and send its updates; its bars are not sent yet."""
        self._step = step = self._venue.market.advance()
        if step is None:
            return {"at": None, "symbols": [], "updates": 0}
        if isinstance(self._clock, ManualClock):
            self._clock.sleep((step.at - self._clock.now()).total_seconds())
        updates = await self._venue.match(step)
        return {"at": step.at.isoformat(), "symbols": list(step.bars), "updates": updates}

    async def bars(self) -> dict[str, Any]:
        """Send the bars of the step that was matched last; a second time does nothing."""
        step, self._step = self._step, None
        if step is not None:
            await self._venue.send_bars(step)
        return {"at": step and step.at.isoformat()}

    async def wait(self, wait_s: float) -> dict[str, Any]:
        """Move the wires' virtual time on, and send what is due by then."""
        if not isinstance(self._clock, ManualClock):
            raise ControlError("the venue runs in real time: only lock-step can be moved on")
        self._clock.sleep(wait_s)
        self._venue.move(self._clock.now())  # or what comes now would bear an earlier instant
        await self._venue.release()
        return {"now": self._clock.now().isoformat()}

    def arm(self, plan: str) -> None:
        """Add the faults of a plan, in TOML; they count from now on."""
        self._venue.trouble.arm(Plan.from_toml(plan, "the control door's"))

    async def drop(self, stream: str) -> None:
        """Break the connection of a stream."""
        if stream == "trade_updates":
            await self._venue.updates.drop()
        elif stream == "data":
            await self._venue.data.drop()
        else:
            raise ControlError(f"no stream {stream!r}: use trade_updates or data")


def control_app(control: Control, token: str, stop: Any) -> ASGIApp:
    """Make the application behind the control endpoint; `stop` is called to end the venue."""

    async def ask(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            return JSONResponse(await _answer(control, request.path_params["what"], body, stop))
        except (SeawallError, orjson.JSONDecodeError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 422)

    app = Starlette(routes=[Route("/{what}", ask, methods=["POST"])])

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        is_known = Request(scope).headers.get("authorization") == f"Bearer {token}"
        door: ASGIApp = app if is_known else JSONResponse({"error": "no such token"}, 401)
        await door(scope, receive, send)

    return guarded


async def _answer(control: Control, what: str, body: dict[str, Any], stop: Any) -> Any:
    match what:
        case "counters":
            return _plain(control.counters())
        case "step":
            return await control.step()
        case "bars":
            return await control.bars()
        case "wait":
            return await control.wait(float(body.get("wait_s", 0.0)))
        case "arm":
            control.arm(str(body.get("plan", "")))
        case "drop":
            await control.drop(str(body.get("stream")))
        case "stop":
            stop()
        case _:
            raise ControlError(f"no such question: {what}")
    return {}


def _plain(counters: Counters) -> Any:
    return orjson.loads(orjson.dumps(counters))


class Remote:
    """The harness's end; blocking, and for one thread.

    Args:
        url: of the control endpoint.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._line = HTTPConnection(parts.hostname or "", parts.port or 0, timeout=_TIMEOUT_S)
        self._token = token

    def counters(self) -> Counters:
        """Count everything."""
        told = self._ask("counters")
        return Counters(**{**told, "missed": tuple(told["missed"])})

    def step(self) -> dict[str, Any]:
        """Match the next step: its end `at` (None after the last), `symbols`, `updates` made."""
        return self._ask("step")

    def bars(self) -> dict[str, Any]:
        """Send the bars of the step matched last."""
        return self._ask("bars")

    def wait(self, wait_s: float) -> dict[str, Any]:
        """Move the venue's virtual time on."""
        return self._ask("wait", wait_s=wait_s)

    def arm(self, plan: str) -> None:
        """Add the faults of a plan, in TOML, from now on."""
        self._ask("arm", plan=plan)

    def drop(self, stream: Literal["trade_updates", "data"]) -> None:
        """Break the connection of a stream."""
        self._ask("drop", stream=stream)

    def stop(self) -> None:
        """End the venue."""
        self._ask("stop")

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _ask(self, what: str, **words: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}"}
        try:
            self._line.request("POST", f"/{what}", orjson.dumps(words), headers)
            answer = self._line.getresponse()
            told: dict[str, Any] = orjson.loads(answer.read())
        except (OSError, HTTPException) as error:
            self._line.close()
            raise ControlError(f"the venue does not answer: {error}") from None
        if answer.status != 200:
            raise ControlError(f"the venue refused {what}: {told.get('error')}")
        return told
