"""The live half as a process of its own: a whole session, driven over its standard streams.

It knows the venue by URL and its clock only. One JSON object a line: questions come in, answers go
out; nothing else is printed there. Both go past `sys.stdin` and `sys.stdout`, whose locks a thread
that still waits at the end of the process would hold, which ends Python by a fatal error.
"""

import dataclasses
import os
import random
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from threading import Thread
from typing import Any, cast

import orjson
from pydantic import SecretStr

from brokers.errors import SeawallError
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_night import Night
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from live.alerts import Alerts
from live.config import specs
from live.folder import Folder
from live.rehearsal.driven import DrivenClock
from live.rehearsal.play import RuleSet, profile_for
from live.session import Session
from live.settings import LiveSettings
from live.shutdown import Policy
from live.stack import Stack, build
from live.start import begin
from live.venues import Access
from live.view import NoView

QUESTIONS, ANSWERS = 0, 1  # file descriptors
CHUNK = 1 << 16


def main(line: str) -> int:
    """Run one session; 0 when it came to its end."""
    told = orjson.loads(line)
    settings = LiveSettings.model_validate(told["settings"], strict=False)
    clock = DrivenClock(datetime.fromisoformat(told["now"]))
    desk = Desk(clock)
    Thread(target=desk.answer, name="rehearsal", daemon=True).start()
    try:
        _run(settings, _access(told), clock, desk, told["commission"])
    except SeawallError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


def _run(
    settings: LiveSettings, access: Access, clock: DrivenClock, desk: "Desk", commission: float
) -> None:
    folder, rng = Folder(settings.path), random.Random(settings.paper.seed)  # noqa: S311
    folder.make()
    start = begin(settings, access, folder, clock, rng, accept_data=True, adopt=False, fresh=False)
    start = dataclasses.replace(start, clock=clock)
    desk.stack = stack = build(settings, specs(settings), access, start, folder, rng)
    stack.broker.setcommission(commission)
    session = Session(
        "rehearsal",
        stack,
        start,
        Policy("keep", settings.shutdown.deadline_s),
        (),
        view=NoView(),
        alerts=Alerts(None),
        log_name=str(folder.log),
    )
    report = session.run()
    sys.stderr.write(report.text_block())


def _access(told: Mapping[str, Any]) -> Access:
    url, account = told["url"], cast("RuleSet", told["account"])
    profile = profile_for(account, told["calendar"])
    access = Access(name="rehearsal", where=url, profile=profile, is_ours=True)
    if url.startswith("tws:"):
        port = int(url.rpartition(":")[2])
        night = told["night"] and Night(**told["night"])
        gateway = Gateway(port=port, messages_a_second=0, night=night)
        return dataclasses.replace(access, gateway=gateway)
    if url.startswith("https:"):
        return dataclasses.replace(access, portal=PortalAccess(url, competes=True))
    keys = AlpacaKeys(SecretStr(told["key_id"]), SecretStr(told["secret"]))
    return dataclasses.replace(access, trading=url, data=url, stream=url, keys=keys)


def _lines(channel: int) -> Iterator[bytes]:
    """What comes, line by line, until there is no more."""
    rest = b""
    while chunk := os.read(channel, CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _heard(stack: Stack) -> tuple[int, int]:
    """Messages and updates of a gateway, where calls and updates share a connection."""
    direct = stack.wires.made and stack.wires.made.direct
    return direct.heard if isinstance(direct, Ibkr | Portal) else (-1, 0)


class Desk:
    """Answers whoever drives the session."""

    def __init__(self, clock: DrivenClock) -> None:
        self.stack: Stack | None = None
        self._clock = clock

    def answer(self) -> None:
        """Answer until there are no more questions; a thread of its own."""
        for line in _lines(QUESTIONS):
            said = orjson.loads(line)
            if said["do"] == "move":
                self._clock.move(said["wait_s"], datetime.fromisoformat(said["now"]))
            elif said["do"] == "finish" and self.stack is not None:
                self.stack.turns.finish()
            os.write(ANSWERS, orjson.dumps(self._state()) + b"\n")

    def _state(self) -> dict[str, Any]:
        stack = self.stack
        told: dict[str, Any] = {"due_s": self._clock.due_s, "state": "starting"}
        if stack is None or stack.store.state == "new":
            return told
        progress = stack.store.progress
        heard, updates = _heard(stack)
        return told | {
            "state": stack.store.state,
            "received": stack.inbox.received,
            "is_awaited": stack.inbox.is_awaited,
            "is_idle": stack.store.state == "live" and stack.store.is_idle,
            "updates": progress.updates,
            "heard": heard,
            "told": updates,
            "streams": progress.streams,
            "comparisons": progress.comparisons,
            "at_work": len(stack.blotter.alive),
            "bar": stack.log.turn_end_at,
            "failure": str(stack.store.failure or stack.wires.data_failure),
        }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
