"""Our gateway in this process, and the wires to it: its own bytes, but no sockets or threads."""

import asyncio
import random
from dataclasses import replace
from typing import cast

from brokers.store import Link
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from brokers.wire.ibkr_contracts import Contracts
from brokers.wire.limiter import Limiter
from feeds.alpaca_client import AlpacaData
from feeds.ibkr import IbkrBars
from feeds.ibkr_pacing import Unpaced
from live.paper.tws_api import TwsApi
from live.paper.venue import Venue
from live.rehearsal.crash import Crash, MortalAccount, MortalLine
from live.rehearsal.memory import CALLS_A_MINUTE, MINUTE_S, ORDER_CALLS, PATIENCE_S
from live.rehearsal.pipe import PipeLoop
from live.rehearsal.play import Play
from live.rehearsal.still import VirtualClock

ACCOUNT, BARS = 1, 2  # ports, and client ids


class GatewaySide:
    """One gateway, and the wires to it; see `live.rehearsal.memory.FarSide`.

    Args:
        clock: of the wires and of the sessions.
    """

    def __init__(self, play: Play, venue: Venue, clock: VirtualClock) -> None:
        self.venue = venue
        self.began_at = venue.at
        self.gate = TwsApi(venue, clock)
        self._clock = clock
        self._seed, self._night = play.seed, play.night

    def connect(self, wanted: AlpacaData, crash: Crash) -> Link:
        """Make one session's wires; to be called on the loop that will use them."""
        rng = random.Random(f"seawall jitter {self._seed}")  # noqa: S311  no secret
        clock, loop = self._clock, cast("PipeLoop", asyncio.get_running_loop())
        loop.listen(ACCOUNT, self.gate.serve, MortalLine(crash))
        loop.listen(BARS, self.gate.serve)
        known = Contracts()
        gateway = Gateway(port=ACCOUNT, client_id=ACCOUNT, messages_a_second=0, night=self._night)
        account = MortalAccount(
            Ibkr(gateway, clock=clock, rng=rng, contracts=known),
            limiter=Limiter(CALLS_A_MINUTE, MINUTE_S, clock, order_calls=ORDER_CALLS),
            backoff=Backoff(deadline_s=PATIENCE_S),
            breaker=Breaker(clock, lambda _: None),
            clock=clock,
            rng=rng,
        )
        account.crash = crash
        bars = IbkrBars(
            replace(gateway, port=BARS, client_id=BARS),
            wanted,
            clock=clock,
            rng=rng,
            on_outage=lambda _: None,
            pace=Unpaced(),
            contracts=known,
        )
        return Link(account, bars)
