"""Where IB Gateway listens, and as which of its clients we come."""

from dataclasses import dataclass

from brokers.wire.ibkr_night import Night

PAPER_PORT, LIVE_PORT = 4002, 4001
MESSAGES_A_SECOND = 45  # IB closes the socket on more than 50


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway on this machine, or one that is reached through a tunnel.

    Args:
        client_id: at most one connection has it; orders belong to the client that placed them.
        account: needed where the login manages several.
        symbols: written with their exchange, which must be known before orders are read.
        messages_a_second: what the gateway takes of one client; 0 is no limit.
        night: when it restarts; None: never, as our own.
    """

    host: str = "127.0.0.1"
    port: int = PAPER_PORT
    client_id: int = 1
    account: str = ""
    symbols: tuple[str, ...] = ()
    messages_a_second: int = MESSAGES_A_SECOND
    night: Night | None = None

    @property
    def where(self) -> str:
        """Names it in errors."""
        return f"IB Gateway at {self.host}:{self.port}"
