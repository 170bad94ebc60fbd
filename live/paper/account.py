"""The account's two rule sets: Backtrader's own, and Alpaca's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Protocol

from brokers.fills import Bar
from brokers.orders import OrderSchema, Terms
from brokers.situation import Surroundings
from live.paper import alpaca_checks
from live.paper.alpaca_checks import Ask, Asset
from live.paper.desk import Desk
from live.paper.hours import Hours
from live.paper.ledger import Seen
from live.paper.refusal import unprocessable
from live.paper.working import Ends, Working

BACKTRADERS_DAY_END = time(23, 59, 59, 9999)  # order.py: the microseconds are Backtrader's
BACKTRADERS_SESSION_END = time(23, 59, 59, 999990)  # feed.py
AT_ONCE = ("ioc", "fok", "opg", "cls")


class Rules(Protocol):
    """What one kind of account allows, and when it lets an order work."""

    @property
    def reserves_cash(self) -> bool:
        """Whether orders wait for the next step, where cash is reserved for one after the other.

        Until then they cannot be cancelled.
        """

    @property
    def legs_shrink(self) -> bool:
        """Whether what one leg fills is taken off the others."""

    def check(self, order: OrderSchema, desk: Desk, at: datetime, /) -> None:
        """Look at an order at the door.

        Raises:
            VenueRefused: the account may not place it.
        """

    def check_replacement(self, old: Working, terms: Terms, desk: Desk, at: datetime, /) -> None:
        """Look at what `old` is to become; raises as `check` does."""

    def quantity_after(self, old: Working, asked: Decimal | None, /) -> Decimal:
        """The quantity of a replacement."""

    def is_open(self, order: Working, at: datetime, /) -> bool:
        """Whether an order that comes at that instant is accepted at once."""

    def trades(self, order: Working, at: datetime, /) -> bool:
        """Whether a bar that ended at that instant is one that the order may meet."""

    def bar_for(self, order: Working, seen: Seen, at: datetime, /) -> Bar | None:
        """The prices to try an order on at step `at`; None: not now."""

    def ends(self, terms: Terms, created: Seen, at: datetime, /) -> Ends:
        """When an order that was created on a bar has to end."""

    def lapses_by(self, seen: Seen, at: datetime, /) -> float:
        """The instant to hold against `Ends.lapses_at`."""

    def credit(self, desk: Desk, /) -> float:
        """How far below zero cash may go."""

    def buying_power(self, desk: Desk, /) -> Decimal:
        """What new positions may cost."""


@dataclass(frozen=True, slots=True)
class BacktraderRules:
    """BackBroker's: cash is checked twice, shorts bring cash, any bar will do.

    Args:
        session_end_at: UTC, as the feeds' `sessionend`; decides about market-on-close orders.
        legs_shrink: False is BackBroker's own way.
    """

    session_end_at: time = BACKTRADERS_SESSION_END
    legs_shrink: bool = False
    reserves_cash: bool = True

    def check(self, order: OrderSchema, _desk: Desk, _at: datetime) -> None:
        """Refuse what BackBroker has no word for; a market order for the close is its Close."""
        for terms in (order, *order.legs):
            is_close = (terms.order_type, terms.time_in_force) == ("market", "cls")
            if terms.time_in_force not in ("day", "gtc", "gtd") and not is_close:
                raise unprocessable(f"Backtrader has no time_in_force {terms.time_in_force}")

    def check_replacement(self, _old: Working, _terms: Terms, _desk: Desk, _at: datetime) -> None:
        """Anything goes; cash is checked when it fills."""

    def quantity_after(self, old: Working, asked: Decimal | None) -> Decimal:
        """What is asked, else what remains."""
        return asked or old.remaining

    def is_open(self, _order: Working, _at: datetime) -> bool:
        """Never: BackBroker accepts orders at its next step."""
        return False

    def trades(self, _order: Working, _at: datetime) -> bool:
        """Always: Backtrader has no hours."""
        return True

    def bar_for(self, _order: Working, seen: Seen, _at: datetime) -> Bar | None:
        """The newest bar, also one that was tried before, when another symbol alone moved."""
        return seen.bar

    def ends(self, terms: Terms, created: Seen, _at: datetime) -> Ends:
        """A day order lapses with the UTC day of the bar that it was created on.

        Its session ends at `session_end_at` on that day, or on the next when it is past.
        """
        session_end = datetime.combine(created.at, self.session_end_at, created.at.tzinfo)
        if session_end < created.at:
            session_end += timedelta(days=1)
        lapses_at = terms.expires_at
        if terms.time_in_force == "day":
            lapses_at = datetime.combine(created.at, BACKTRADERS_DAY_END, created.at.tzinfo)
        return Ends(lapses_at.timestamp() if lapses_at else math.nan, session_end.timestamp())

    def lapses_by(self, seen: Seen, _at: datetime) -> float:
        """The symbol's own time."""
        return seen.at.timestamp()

    def credit(self, _desk: Desk) -> float:
        """None."""
        return 0.0

    def buying_power(self, desk: Desk) -> Decimal:
        """The cash."""
        return Decimal(repr(desk.ledger.cash))


@dataclass(frozen=True, slots=True)
class AlpacaRules:
    """Alpaca's validation; its sources are those of protocols/alpaca.md, section 4.

    Args:
        hours: of the exchange; by default always open, and no window for opg and cls.
        assets: by symbol, where one has not every right.
        multiplier: 1 keeps BackBroker's cash check at execution; 2 and 4 lend the equity.
        has_pattern_day_trader_rule: abolished in 2026.
        replaces_whole: a replacement of a partly filled order has the original quantity again
            (Alpaca-API#165); False: what remains.
    """

    hours: Hours = field(default_factory=Hours)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    multiplier: int = 1
    shorting_enabled: bool = True
    has_pattern_day_trader_rule: bool = False
    replaces_whole: bool = True
    reserves_cash: bool = False
    legs_shrink: bool = True

    def check(self, order: OrderSchema, desk: Desk, at: datetime) -> None:
        """Look at an order as `review` does, and at the account's day trades."""
        self.review(order, desk.surroundings(), at)
        if self.has_pattern_day_trader_rule:
            ask = self._ask(order, order, desk.surroundings(), at)
            alpaca_checks.pattern_day_trader(ask, desk.fills)

    def review(self, order: OrderSchema, account: Surroundings, at: datetime) -> None:
        """Ask every check in turn; the first refusal is the answer.

        Raises:
            VenueRefused: the account may not place it.
        """
        ask = self._ask(order, order, account, at)
        for check in alpaca_checks.AT_SUBMISSION:
            check(ask)

    def check_replacement(self, old: Working, terms: Terms, desk: Desk, at: datetime) -> None:
        """Ask the checks of price, quantity and buying power, as though its family were gone."""
        ask = self._ask(terms, old.order, desk.surroundings(without=old.root), at)
        for check in alpaca_checks.AT_REPLACEMENT:
            check(ask)

    def quantity_after(self, old: Working, asked: Decimal | None) -> Decimal:
        """What is asked, else the original quantity, filled or not."""
        return asked or (old.quantity if self.replaces_whole else old.remaining)

    def is_open(self, order: Working, at: datetime) -> bool:
        """In hours; an extended order outside too."""
        return order.order.extended_hours or self.hours.is_open(at)

    def trades(self, order: Working, at: datetime) -> bool:
        """In hours; an extended order outside too."""
        return order.order.extended_hours or self.hours.trades(at)

    def bar_for(self, order: Working, seen: Seen, at: datetime) -> Bar | None:
        """A new bar in hours; its open alone for opg, the session's last close for cls."""
        if seen.at != at or not self.trades(order, at):
            return None
        if order.terms.time_in_force == "opg":
            return Bar(*[seen.bar.open] * 4)
        if order.terms.time_in_force == "cls":
            is_last = at.timestamp() >= order.ends.session_end
            return Bar(*[seen.bar.close] * 4) if is_last else None
        return seen.bar

    def ends(self, terms: Terms, _created: Seen, at: datetime) -> Ends:
        """Orders for a day or its auctions lapse with the first close after they came."""
        close_s = self.hours.close_of(at).timestamp()
        if terms.time_in_force == "gtc":
            return Ends(math.nan, close_s)
        return Ends(close_s, close_s, has_one_chance=terms.time_in_force in AT_ONCE)

    def lapses_by(self, _seen: Seen, at: datetime) -> float:
        """The venue's time."""
        return at.timestamp()

    def credit(self, desk: Desk) -> float:
        """What a margin account lends."""
        return (self.multiplier - 1) * max(desk.ledger.value, 0.0)

    def buying_power(self, desk: Desk) -> Decimal:
        """Cash and loan, less what shorts and working orders take."""
        return alpaca_checks.buying_power(desk.surroundings(), self.multiplier)

    def _ask(self, terms: Terms, order: OrderSchema, account: Surroundings, at: datetime) -> Ask:
        asset = self.assets.get(order.symbol, Asset())
        shorts = self.shorting_enabled
        return Ask(terms, order, account, at, self.hours, asset, self.multiplier, shorts)
