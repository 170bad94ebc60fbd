"""Session: whether it is alive and well, and what it holds."""

from dashboard.desk import Desk
from dashboard.look import cards


def show(desk: Desk) -> None:
    """Show it."""
    cards.heading("Session", str(desk.options.logs[0]))
