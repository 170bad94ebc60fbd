"""Our own gateway on loopback, and the wire to it."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from brokers.clock import SystemClock
from brokers.wire.ibkr import Ibkr
from brokers.wire.ibkr_access import Gateway
from live.paper.account import BacktraderRules
from live.paper.tws_api import Terms, TwsApi
from tests.contract.test_transports import PaperStage, paper_market
from tests.contract.transport_suite import LONGEST_S


@dataclass
class TwsStage(PaperStage):
    api: TwsApi | None = None
    server: asyncio.Server | None = None

    @property
    def port(self):
        return self.server.sockets[0].getsockname()[1]

    async def drop(self):
        self.api.break_off()

    @asynccontextmanager
    async def restart(self):
        """Let the gateway go down, and come up again when the block ends."""
        port = self.port
        self.server.close()
        self.api.break_off()
        while self.transport.heard[0] >= 0:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0)
        yield
        self.server = await asyncio.start_server(self.api.serve, "127.0.0.1", port)

    def says(self, code, order_id=-1, text="as IB says it"):
        """Have the gateway send an error."""
        for session in self.api.sessions.values():
            session.error(order_id, code, text)


@dataclass(frozen=True)
class Patience:
    timeout_s: float = 2.0
    quiet_s: float = 15.0


def scene(play, patience=Patience(), clock=None, night=None, **terms):
    async def run():
        real = SystemClock()
        venue = paper_market(BacktraderRules(), real)
        api = TwsApi(venue, real, Terms(**terms))
        stage = TwsStage(None, venue, api=api)
        stage.server = await asyncio.start_server(api.serve, "127.0.0.1", 0)
        where = Gateway(port=stage.port, night=night)
        stage.transport = Ibkr(where, clock=clock or real, rng=random.Random(1), **asdict(patience))
        async with asyncio.timeout(LONGEST_S):
            await play(stage)
            await stage.transport.close()
        stage.server.close()
        api.break_off()

    asyncio.run(run())
