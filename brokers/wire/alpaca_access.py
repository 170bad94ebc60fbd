"""Where Alpaca is, and the keys that open it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from brokers.errors import ConfigError

TRADING = {"paper": "https://paper-api.alpaca.markets", "live": "https://api.alpaca.markets"}
KEY_ID, SECRET_KEY = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class AlpacaKeys:
    """A key pair of one account; neither half is ever shown."""

    key_id: SecretStr
    secret_key: SecretStr

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {
            "APCA-API-KEY-ID": self.key_id.get_secret_value(),
            "APCA-API-SECRET-KEY": self.secret_key.get_secret_value(),
        }

    def authenticate(self) -> dict[str, object]:
        """The first message on /stream, in the form that alpaca-py sends."""
        data = {
            "key_id": self.key_id.get_secret_value(),
            "secret_key": self.secret_key.get_secret_value(),
        }
        return {"action": "authenticate", "data": data}


def trading_url(where: str) -> str:
    """The address of an account: "paper", "live", or a URL of its own.

    Raises:
        ConfigError: it is none of these, or would send the keys unencrypted to another machine.
    """
    if where in TRADING:
        return TRADING[where]
    parts = urlsplit(where)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ConfigError(
            f"{where!r} is no address of Alpaca: say paper, live, or scheme://host:port alone"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"{where} would send the keys unencrypted: use https://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc}"


def keys_refused(url_or_name: str) -> ConfigError:
    """The error for keys that Alpaca does not take."""
    return ConfigError(
        f"Alpaca ({url_or_name}) refused the keys: check {KEY_ID} and {SECRET_KEY}; keys of a "
        "paper account open only paper-api.alpaca.markets, keys of a live account only "
        "api.alpaca.markets"
    )
