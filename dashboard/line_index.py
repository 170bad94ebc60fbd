"""Where each line of a log is, when it was written, and what it is about."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from analyzers.why import entry_of
from dashboard.column import Column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NONE = -1  # in place of a symbol or an order
COLUMNS = {
    "at": np.int64,  # microseconds since 1970 UTC
    "kind": np.int16,
    "symbol": np.int32,
    "order": np.int32,
    "start": np.int64,  # byte; filled last, so that a row that has one is whole
}
Record = Mapping[str, Any]
Rows = npt.NDArray[np.intp]


class LineIndex:
    """One row a line. Kinds, symbols and orders (an entry and its legs are one) are numbered.

    Args:
        columns, names: as `columns` and `names` gave them.
    """

    def __init__(
        self,
        columns: Mapping[str, npt.NDArray[np.generic]] | None = None,
        names: Mapping[str, list[str]] | None = None,
    ) -> None:
        held, known = columns or {}, names or {}
        self._columns = {name: Column(kind, held.get(name)) for name, kind in COLUMNS.items()}
        self._codes = {
            name: {text: number for number, text in enumerate(known.get(name, ()))}
            for name in ("kind", "symbol", "order")
        }

    def __len__(self) -> int:
        return len(self._columns["start"])

    def add(self, record: Record, start: int) -> None:
        """Add a line."""
        order_id = record.get("order_id")
        row = (
            (datetime.fromisoformat(record["at"]) - EPOCH) // MICROSECOND,
            self._code("kind", record["kind"]),
            self._code("symbol", symbol_of(record)),
            self._code("order", entry_of(order_id)[0] if order_id else None),
            start,
        )
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)

    def find(
        self,
        *,
        kinds: Iterable[str] = (),
        symbols: Iterable[str] = (),
        order: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Rows:
        """Rows that meet all that is asked, oldest first; what is left out is not asked.

        Args:
            symbols: lines that are about no symbol in particular do not meet this.
            since, until: aware; both ends count.
        """
        rows = np.ones(len(self), dtype=np.bool_)
        for name, wanted in (("kind", tuple(kinds)), ("symbol", tuple(symbols))):
            if wanted:
                codes = [self._codes[name].get(text, NONE - 1) for text in wanted]
                rows &= np.isin(self._numbers(name)[: len(rows)], codes)
        if order is not None:
            rows &= self._numbers("order")[: len(rows)] == self._codes["order"].get(order, NONE - 1)
        if since is not None:
            rows &= self._numbers("at")[: len(rows)] >= (since - EPOCH) // MICROSECOND
        if until is not None:
            rows &= self._numbers("at")[: len(rows)] <= (until - EPOCH) // MICROSECOND
        return np.flatnonzero(rows)

    def starts(self, rows: Rows) -> list[int]:
        """The bytes at which these lines begin."""
        return [int(start) for start in self._numbers("start")[rows]]

    def known(self, name: str) -> list[str]:
        """The kinds, symbols or orders that the log has, in the order in which they came."""
        return list(self._codes[name])

    def orders_like(self, beginning: str) -> list[str]:
        """Entries whose id begins so."""
        return [order for order in self.known("order") if order.startswith(beginning)]

    @property
    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The rows as arrays, to be kept."""
        return {name: column.values[: len(self)] for name, column in self._columns.items()}

    @property
    def names(self) -> dict[str, list[str]]:
        """What the numbers stand for, to be kept."""
        return {name: list(codes) for name, codes in self._codes.items()}

    def _numbers(self, name: str) -> npt.NDArray[Any]:
        return self._columns[name].values

    def _code(self, name: str, text: str | None) -> int:
        if text is None:
            return NONE
        codes = self._codes[name]
        return codes.setdefault(text, len(codes))


def symbol_of(record: Record) -> str | None:
    """The one symbol that a line is about; None: all, or none."""
    context = record.get("market_context")
    symbol = context["symbol"] if context else record.get("symbol")
    if symbol is None and len(record.get("bars", ())) == 1:
        (symbol,) = record["bars"]
    return None if symbol is None else str(symbol)
