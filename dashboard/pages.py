"""Which pages there are: a view is a module with `show(desk)` and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brokers.errors import SeawallError
from dashboard.desk import Desk
from dashboard.look import cards
from dashboard.views import (
    certificates,
    decisions,
    equity,
    fill_cost,
    outliers,
    parity,
    positions,
    ranking,
    sectors,
    session,
    sweeps,
    why,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Args:
        title: in the menu; its lower-case form, blanks as hyphens, is the page's address.
        icon: a Material symbol's name (fonts.google.com/icons).
        show: draws it, from top to bottom.
        is_live: drawn anew every second, because a log may have grown.
    """

    title: str
    icon: str
    show: Callable[[Desk], None]
    is_live: bool = False

    @property
    def path(self) -> str:
        """The page's address."""
        return self.title.lower().replace(" ", "-")

    def draw(self, desk: Desk) -> None:
        """Draw it; what a log or a report lacks is said in one line."""
        try:
            self.show(desk)
        except SeawallError as error:
            cards.banner(str(error), "bad")


PAGES: Mapping[str, tuple[Page, ...]] = {
    "Trading": (
        Page("Session", "monitor_heart", session.show, is_live=True),
        Page("Equity", "show_chart", equity.show, is_live=True),
        Page("Positions", "account_balance_wallet", positions.show, is_live=True),
        Page("Decisions", "list_alt", decisions.show, is_live=True),
        Page("Why", "help", why.show, is_live=True),
        Page("Fill cost", "payments", fill_cost.show, is_live=True),
        Page("Parity", "compare_arrows", parity.show),
    ),
    "Research": (
        Page("Sectors", "donut_small", sectors.show),
        Page("Outliers", "troubleshoot", outliers.show),
        Page("Ranking", "leaderboard", ranking.show),
        Page("Sweeps", "grid_on", sweeps.show),
        Page("Certificates", "verified", certificates.show),
    ),
}
