"""TLS for the paper venue: a certificate made at its start, as the Client Portal gateway has."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brokers.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Identity:
    """What a server shows to its clients.

    Args:
        authority: PEM file of who signed the certificate, for clients that verify.
    """

    context: ssl.SSLContext
    authority: Path


@contextmanager
def identity(host: str) -> Iterator[Identity]:
    """Make a certificate for loopback and `host`; its file goes when the block ends.

    Raises:
        ConfigError: the package that makes it is missing.
    """
    try:
        import trustme  # noqa: PLC0415  an extra
    except ImportError:
        raise ConfigError("portal: trustme is missing: pip install 'seawall[ibkr]'") from None
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = dict.fromkeys(("127.0.0.1", "localhost", host))
    authority.issue_cert(*names).configure_cert(context)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(file))
        yield Identity(context, file)
