"""A transport and the scripted Client Portal that it speaks to."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from brokers.clock import SystemClock
from brokers.wire.portal import Portal
from brokers.wire.portal_access import PortalAccess
from brokers.wire.portal_pacing import Unpaced
from tests.brokers.loopback import serving
from tests.brokers.portal_double import ACCOUNT, PortalDouble
from tests.contract.transport_suite import LONGEST_S

ORDERS, PLACE = "iserver/account/orders", f"iserver/account/{ACCOUNT}/orders"
TRADES, INIT = "iserver/account/trades", "iserver/auth/ssodh/init"
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
ORDER = f"iserver/account/{ACCOUNT}/order"


class Hasty(SystemClock):
    """A hundred seconds in each."""

    def monotonic(self):
        return super().monotonic() * 100

    async def wait(self, wait_s):
        await asyncio.sleep(wait_s / 100)


@dataclass
class Stage:
    transport: Portal
    double: PortalDouble
    url: str


@asynccontextmanager
async def staged(double, timeout_s=5.0, clock=None, **access):
    clock = clock or SystemClock()
    async with asyncio.timeout(LONGEST_S), serving(double.app) as url:
        portal = Portal(
            PortalAccess(url, **access),
            clock=clock,
            rng=random.Random(1),
            pace=Unpaced(),
            timeout_s=timeout_s,
        )
        try:
            yield Stage(portal, double, url)
        finally:
            await portal.close()


def scene(play, double=None, **options):
    async def run():
        async with staged(double or PortalDouble(), **options) as stage:
            await play(stage)

    asyncio.run(run())
