"""What to do when our books and the venue's differ: a table, and a stop unless one said --adopt.

The blotter finds the differences and explains what it can; only what it cannot comes here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from brokers.errors import SeawallError
from brokers.facts import Mismatch

HOW_TO_GO_ON = (
    "look at the account, then start again; --adopt takes the venue's quantities for the truth"
)


class Unreconcilable(SeawallError):
    """Our books and the venue's differ, and nothing explains it."""

    def __init__(self, differences: Iterable[Mismatch]) -> None:
        self.differences = tuple(differences)
        told = "; ".join(map(told_of, self.differences))
        super().__init__(f"our books and the venue's differ: {told}; {HOW_TO_GO_ON}")


def agreed(differences: Sequence[Mismatch], *, adopt: bool) -> tuple[Mismatch, ...]:
    """The differences to adopt; none when the books agree.

    Raises:
        Unreconcilable: there are some, and nobody said that the venue is right; or one is an order
            that we never sent, which no adopting explains.
    """
    strangers = [each for each in differences if each.venue_order_id is not None]
    if strangers or (differences and not adopt):
        raise Unreconcilable(differences)
    return tuple(differences)


def told_of(difference: Mismatch) -> str:
    """One difference in one line."""
    if difference.venue_order_id is not None:
        return (
            f"{difference.symbol}: the venue has an order {difference.venue_order_id} that this "
            "session never sent: cancel it there"
        )
    return f"{difference.symbol}: ours {difference.ours:f}, the venue's {difference.theirs:f}"


def as_record(difference: Mismatch, *, adopted: bool) -> Mapping[str, Any]:
    """One difference as a line of the decision log."""
    return {
        "kind": "reconcile",
        "symbol": difference.symbol,
        "ours": difference.ours,
        "theirs": difference.theirs,
        "venue_order_id": difference.venue_order_id,
        "adopted": adopted,
    }


def table(differences: Iterable[Mismatch]) -> Table:
    """The differences side by side; signed units."""
    shown = Table(title="Our books and the venue's differ", title_justify="left", box=None)
    shown.add_column("symbol")
    for column in ("ours", "venue's", "difference"):
        shown.add_column(column, justify="right")
    shown.add_column("venue's order")
    for row in differences:
        gap = f"{row.theirs - row.ours:+f}"
        shown.add_row(row.symbol, f"{row.ours:f}", f"{row.theirs:f}", gap, row.venue_order_id or "")
    return shown
