"""What the account may trade, asked before anything is sent."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from brokers.errors import ConfigError, VenueRefused
from brokers.wire.http import Http
from brokers.wire.transport import VenueAccount
from live.asking import ask

Size = float | str | None


async def require(
    ask_for_objections: Callable[[Sequence[str], Iterable[Size]], Awaitable[list[str]]],
    account: VenueAccount,
    symbols: Sequence[str],
    sizes: Iterable[Size],
) -> None:
    """Let a session begin that can trade.

    Args:
        sizes: the stakes of its strategies.

    Raises:
        ConfigError: the account or a symbol cannot be traded; the text says what to do.
        TransportError: the venue did not say.
    """
    if account.blocked:
        raise ConfigError(
            f"account {account.account_id} cannot trade ({account.blocked}): settle it there first"
        )
    wrong = await ask_for_objections(symbols, sizes)
    if wrong:
        raise ConfigError("; ".join(wrong))


async def objections(http: Http, symbols: Sequence[str], sizes: Iterable[Size]) -> list[str]:
    """What speaks against trading these symbols, a sentence each."""
    has_parts = any(isinstance(size, float) and size % 1 for size in sizes)
    found = [await _objection(http, symbol, has_parts=has_parts) for symbol in symbols]
    return [objection for objection in found if objection]


async def _objection(http: Http, symbol: str, *, has_parts: bool) -> str:
    try:
        asset = await ask(http, f"/v2/assets/{symbol}")
    except VenueRefused as refused:
        if refused.code.startswith("404"):
            return f"{symbol} is unknown to the venue: correct data.symbols"
        raise
    if not asset.get("tradable") or asset.get("status") != "active":
        return f"{symbol} cannot be traded now: leave it out of data.symbols"
    if has_parts and not asset.get("fractionable"):
        return f"{symbol} takes whole units only: give a whole size"
    return ""
