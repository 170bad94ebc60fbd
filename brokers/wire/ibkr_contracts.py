"""Which of IB's contracts a symbol stands for; one that could be several is refused."""

from typing import TYPE_CHECKING, Any

from brokers.errors import SchemaRefused
from brokers.wire.ibkr_line import Line

if TYPE_CHECKING:
    from ib_async.contract import Contract

CURRENCY = "USD"
PLACED = "@"  # before the exchange of a symbol that needs it


class Contracts:
    """Stocks by symbol: `AAPL`, or `AAPL@NASDAQ` where it is listed more than once.

    A class of shares is written with a point (`BRK.B`), which IB writes with a blank.
    """

    def __init__(self) -> None:
        self._known: dict[str, Contract] = {}
        self._symbols: dict[int, str] = {}

    def has(self, symbol: str) -> bool:
        """Whether it was looked up before."""
        return symbol in self._known

    def symbol(self, contract: Any) -> str:
        """What we call one of IB's contracts."""
        return self._symbols.get(contract.conId) or contract.symbol.replace(" ", ".")

    async def find(self, symbol: str, line: Line) -> "Contract":
        """The contract of a symbol; `line` is asked for one that is new.

        Raises:
            VenueRefused: IB has none (code 200).
            SchemaRefused: it has several; the text names them.
            Transient: no answer.
        """
        if symbol in self._known:
            return self._known[symbol]
        name, _, primary = symbol.partition(PLACED)
        wanted = _stock(name.replace(".", " "), primary)
        rows = await line.ask(
            lambda client, number: client.reqContractDetails(number, wanted),
            "contractDetailsEnd",
        )
        found = {row[1].contract.conId: row[1].contract for row in rows}
        if len(found) != 1:
            choices = ", ".join(f"{name}{PLACED}{it.primaryExchange}" for it in found.values())
            raise SchemaRefused(f"IB lists {symbol} {len(found)} times: write one of {choices}")
        contract: Contract
        (contract,) = found.values()
        self._known[symbol] = contract
        self._symbols[contract.conId] = symbol
        return contract


def _stock(symbol: str, primary: str) -> "Contract":
    from ib_async.contract import Stock  # noqa: PLC0415  an extra

    return Stock(symbol, "SMART", CURRENCY, primaryExchange=primary)
