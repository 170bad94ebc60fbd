"""The paper venue in this process, and the wires to it: bytes, but no sockets and no threads."""

import random

from pydantic import SecretStr

from brokers.store import Link
from brokers.wire.alpaca import Alpaca
from brokers.wire.alpaca_access import AlpacaKeys
from brokers.wire.backoff import Backoff
from brokers.wire.breaker import Breaker
from brokers.wire.http_asgi import Asgi
from brokers.wire.limiter import Limiter
from feeds.alpaca import AlpacaBars
from feeds.alpaca_client import AlpacaData
from live.paper.alpaca_api import AlpacaApi
from live.paper.venue import Venue
from live.rehearsal.crash import Crash, MortalAccount, MortalHttp
from live.rehearsal.play import Play
from live.rehearsal.still import VirtualClock

CALLS_A_MINUTE, ORDER_CALLS, MINUTE_S = 180, 60, 60.0
PATIENCE_S = 600.0  # several planned 429 in a row, each with a minute to wait, are no outage


class FarSide:
    """One venue, and the wires to it.

    Args:
        clock: of the wires and of the sessions.
    """

    def __init__(self, play: Play, venue: Venue, clock: VirtualClock) -> None:
        spec = play.venue
        self.venue = venue
        self.began_at = venue.at
        self._api: AlpacaApi = spec.api(venue, clock)
        self.gate = self._api.gate
        self._keys = AlpacaKeys(SecretStr(spec.key_id), SecretStr(spec.secret))
        self._clock = clock
        self._seed = play.seed

    def connect(self, wanted: AlpacaData, crash: Crash) -> Link:
        """Make one session's wires; to be called on the loop that will use them."""
        rng = random.Random(f"seawall jitter {self._seed}")  # noqa: S311  no secret
        clock, keys = self._clock, self._keys

        def http() -> Asgi:
            return Asgi(self._api, clock=clock, headers=keys.headers())

        account = MortalAccount(
            Alpaca(MortalHttp(http(), crash), keys, clock=clock, rng=rng),
            limiter=Limiter(CALLS_A_MINUTE, MINUTE_S, clock, order_calls=ORDER_CALLS),
            backoff=Backoff(deadline_s=PATIENCE_S),
            breaker=Breaker(clock, lambda _: None),
            clock=clock,
            rng=rng,
        )
        account.crash = crash
        bars = AlpacaBars(
            http(), http(), keys, wanted, clock=clock, rng=rng, on_outage=lambda _: None
        )
        return Link(account, bars)
