"""Where the Client Portal gateway listens, and what it may be asked to do for us."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from brokers.errors import ConfigError
from brokers.wire.http_aiohttp import is_loopback
from brokers.wire.portal_questions import MAY_CONFIRM

PORT = 5000
BASE = "/v1/api"


@dataclass(frozen=True, slots=True)
class PortalAccess:
    """A gateway that somebody has logged in to with a browser.

    Args:
        url: scheme, host and port.
        account: needed where the login manages several.
        certificate: PEM file that the gateway's certificate must match; empty: it is not looked
            at, which is for a gateway on this machine alone.
        competes: takes the login away from another session (TWS, a phone) instead of refusing.
        confirms: ids of the questions about orders that are answered with yes.
        is_money: a login to an account that is none of paper is not refused.

    Raises:
        ConfigError: the address is none, or would send orders in the clear or to anybody.
    """

    url: str = f"https://localhost:{PORT}"
    account: str = ""
    certificate: str = ""
    competes: bool = False
    confirms: frozenset[str] = MAY_CONFIRM
    is_money: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"portal: {self.url!r} is no address: write it as https://localhost:{PORT}"
            )
        if self.is_near:
            return
        if parts.scheme == "http":
            raise ConfigError(f"portal: {self.url} is not encrypted: use https")
        if not self.certificate:
            raise ConfigError(
                f"portal: {self.url} is another machine: name the PEM file of its certificate"
            )

    @property
    def is_near(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")

    @property
    def where(self) -> str:
        """Names it in errors."""
        return f"Client Portal gateway at {self.url}"

    def tls(self) -> ssl.SSLContext | None:
        """How its certificate is looked at; None: it has none."""
        if self.url.startswith("http:"):
            return None
        if self.certificate:
            return ssl.create_default_context(cafile=self.certificate)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
