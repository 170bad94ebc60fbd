"""The venues by name. A line here permits moving money: nothing else chooses where orders go."""

import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from brokers.clock import Clock
from brokers.errors import ConfigError
from brokers.profile import ALPACA, BACKTRADER, IBKR, PORTAL, Profile
from brokers.wire.alpaca_access import KEY_ID, AlpacaKeys, trading_url
from brokers.wire.http import Http
from brokers.wire.http_aiohttp import Aiohttp
from brokers.wire.ibkr_access import LIVE_PORT, PAPER_PORT, Gateway
from brokers.wire.ibkr_contracts import PLACED
from brokers.wire.ibkr_night import Night
from brokers.wire.portal_access import PortalAccess
from feeds.alpaca import DATA_URL, STREAM_URL, data_url, keys_from_environment
from live.durations import speed
from live.embedded_market import market
from live.paper.child import VenueProcess
from live.paper.spec import VenueSpec
from live.settings import DataSection, LiveSettings
from live.venue_alone import spec_of

IB_TAPE, IB_ADJUSTMENT = "ibkr", "split"  # its TRADES leave some out; splits are in their past
NO_KEYS = AlpacaKeys(SecretStr(""), SecretStr(""))  # a gateway has logged in already


class HttpTo(Protocol):
    """Makes the way to one host."""

    def __call__(
        self,
        base_url: str,
        *,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        connections: int = ...,
    ) -> Http:
        """Make it; see `Aiohttp`."""


@dataclass(frozen=True, slots=True)
class Access:
    """One account, and where it and its data are.

    Args:
        where: "paper", "live" or a URL; names the account in errors.
        speed: market seconds in one real second.
        is_embedded: the venue began with this session and ends with it.
        is_ours: its market may run faster than the day, and skip nights.
        http: makes the way to each of its hosts.
        tape, adjustment: of its bars, where it has one kind, whatever the settings ask for.
        gateway: of IBKR, in the stead of hosts and keys.
        portal: of IBKR, likewise.
    """

    name: str
    where: str
    trading: str = ""
    data: str = ""
    stream: str = ""
    keys: AlpacaKeys = NO_KEYS
    gateway: Gateway | None = None
    portal: PortalAccess | None = None
    profile: Profile = ALPACA
    speed: float = 1.0
    is_money: bool = False
    is_embedded: bool = False
    is_ours: bool = False
    http: HttpTo = Aiohttp
    tape: str = ""
    adjustment: str = ""

    @property
    def account(self) -> str:
        """What names the account for the lock."""
        if self.gateway is not None:
            return f"{self.gateway.where} {self.gateway.account} {self.gateway.client_id}"
        if self.portal is not None:
            return f"{self.portal.where} {self.portal.account}"
        return f"{self.trading} {self.keys.key_id.get_secret_value()}"

    def kind_of_bars(self, data: DataSection) -> tuple[str, str]:
        """Tape and adjustment of its past bars."""
        return self.tape or data.feed, self.adjustment or data.adjustment


Open = Callable[[LiveSettings, Clock], AbstractContextManager[Access]]


@contextmanager
def embedded(settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """Run our own venue as a child process while the block runs."""
    del clock
    frames, warm_up = market(settings.data, settings.paper)
    spec = spec_of(settings.paper, warm_up)
    with tempfile.TemporaryDirectory() as folder, VenueProcess(spec, frames, Path(folder)) as venue:
        yield Access(
            name="paper",
            where=venue.url,
            trading=venue.url,
            data=venue.url,
            stream=venue.url,
            keys=AlpacaKeys(SecretStr(spec.key_id), SecretStr(spec.secret)),
            profile=ALPACA if spec.account == "alpaca" else BACKTRADER,
            speed=speed(settings.paper.speed),
            is_embedded=True,
            is_ours=True,
        )


@contextmanager
def standing(settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """A venue of ours that somebody runs at `settings.url`, at `paper.speed`."""
    del clock
    default = VenueSpec()
    keys = AlpacaKeys(SecretStr(default.key_id), SecretStr(default.secret))
    yield Access(
        name="paper",
        where=settings.url,
        trading=trading_url(settings.url),
        data=data_url(settings.url),
        stream=data_url(settings.url),
        keys=keys_from_environment() if os.environ.get(KEY_ID) else keys,
        speed=speed(settings.paper.speed),
        is_ours=True,
    )


@contextmanager
def alpaca(where: str, settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """Alpaca's own account, or whoever speaks its protocol at `settings.url`."""
    del clock
    access = Access(
        name="alpaca" if where == "paper" else "alpaca-live",
        where=where,
        trading=trading_url(settings.url or where),
        data=data_url(settings.url or DATA_URL),
        stream=data_url(settings.url or STREAM_URL),
        keys=keys_from_environment(),
        is_money=where == "live",
    )
    yield replace(access, where=settings.url) if settings.url else access


@contextmanager
def embedded_gateway(settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """Run our own venue as a child process that speaks as IB Gateway does."""
    del clock
    _require_no_url(settings)
    frames, warm_up = market(settings.data, settings.paper)
    spec = spec_of(settings.paper, warm_up, "tws")
    with tempfile.TemporaryDirectory() as folder, VenueProcess(spec, frames, Path(folder)) as venue:
        port = int(venue.url.rpartition(":")[2])
        yield Access(
            name="paper-tws",
            where=venue.url,
            gateway=Gateway(port=port),
            profile=BACKTRADER,
            speed=speed(settings.paper.speed),
            is_embedded=True,
            is_ours=True,
        )


@contextmanager
def ibkr(name: str, port: int, settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """IBKR's account behind a gateway that runs already."""
    del clock
    _require_no_url(settings)
    told = settings.ibkr
    gateway = Gateway(
        told.host,
        told.port or port,
        told.client_id,
        told.account,
        symbols=tuple(symbol for symbol in settings.data.symbols if PLACED in symbol),
        night=Night(told.restart_begin, told.restart_end, told.restart_zone),
    )
    yield Access(
        name=name,
        where=gateway.where,
        gateway=gateway,
        profile=IBKR,
        is_money=name.endswith("-live"),
        tape=IB_TAPE,
        adjustment=IB_ADJUSTMENT,
    )


@contextmanager
def embedded_portal(settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """Run our own venue as a child process that speaks as the Client Portal gateway does."""
    del clock
    _require_no_url(settings)
    frames, warm_up = market(settings.data, settings.paper)
    spec = spec_of(settings.paper, warm_up, "portal").model_copy(update={"calls_per_minute": 0})
    with tempfile.TemporaryDirectory() as folder, VenueProcess(spec, frames, Path(folder)) as venue:
        yield Access(
            name="paper-portal",
            where=venue.url,
            portal=PortalAccess(venue.url, certificate=venue.authority, competes=True),
            profile=BACKTRADER,
            speed=speed(settings.paper.speed),
            is_embedded=True,
            is_ours=True,
        )


@contextmanager
def portal(name: str, settings: LiveSettings, clock: Clock) -> Iterator[Access]:
    """IBKR's account behind a Client Portal gateway that somebody has logged in to."""
    del clock
    _require_no_url(settings)
    told, is_money = settings.portal, name.endswith("-live")
    access = PortalAccess(
        told.url,
        told.account,
        certificate=told.certificate,
        competes=told.competes,
        confirms=frozenset(told.confirms),
        is_money=is_money,
    )
    yield Access(
        name=name,
        where=access.where,
        portal=access,
        profile=PORTAL,
        is_money=is_money,
        tape=IB_TAPE,
        adjustment=IB_ADJUSTMENT,
    )


VENUES: Mapping[str, Open] = {
    "paper": embedded,
    "alpaca": partial(alpaca, "paper"),
    "alpaca-live": partial(alpaca, "live"),
    "paper-tws": embedded_gateway,
    "ibkr": partial(ibkr, "ibkr", PAPER_PORT),
    "ibkr-live": partial(ibkr, "ibkr-live", LIVE_PORT),
    "paper-portal": embedded_portal,
    "portal": partial(portal, "portal"),
    "portal-live": partial(portal, "portal-live"),
}


def opened(settings: LiveSettings, clock: Clock) -> AbstractContextManager[Access]:
    """Get at the venue that the settings name.

    Raises:
        ConfigError: there is none of this name.
    """
    if settings.venue not in VENUES:
        raise ConfigError(f"unknown venue {settings.venue!r}: use one of {', '.join(VENUES)}")
    open_one = VENUES[settings.venue]
    if open_one is embedded and settings.url:
        open_one = standing
    return open_one(settings, clock)


def _require_no_url(settings: LiveSettings) -> None:
    if settings.url:
        where = "host and port of a gateway in [ibkr], venue ibkr"
        if "portal" in settings.venue:
            where = "the url of a gateway in [portal], venue portal"
        raise ConfigError(
            f"url {settings.url} is of a venue that speaks Alpaca's protocol: leave it out for "
            f"{settings.venue}, and say {where}"
        )


def jitter(settings: LiveSettings) -> random.Random:
    """What draws the waits between tries."""
    return random.Random(settings.paper.seed)  # noqa: S311  no secret
