"""The account's two rule sets: Backtrader's own, and Alpaca's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Protocol

from brokers.fills import Bar
from brokers.orders import OrderSchema, Terms
from live.paper import alpaca_checks
from live.paper.alpaca_checks import Ask, Asset
from live.paper.desk import Desk
from live.paper.hours import Hours
from live.paper.ledger import Seen
from live.paper.refusal import unprocessable
from live.paper.working import Working

BACKTRADERS_DAY_END = time(23, 59, 59, 9999)  # order.py: the microseconds are Backtrader's
BACKTRADERS_SESSION_END = time(23, 59, 59, 999990)  # feed.py


class Rules(Protocol):
    """What one kind of account allows, and when it lets an order work."""

    @property
    def name(self) -> str:
        """As rehearsals print it."""

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

    def lapses_at(self, terms: Terms, created: Seen, at: datetime, /) -> float:
        """The last instant at which it works, in seconds since 1970; NaN: for ever."""

    def lapses_by(self, seen: Seen, at: datetime, /) -> float:
        """The instant to hold against `lapses_at`."""

    def session_end(self, created: Seen, at: datetime, /) -> float:
        """The end of the session that an order was created in, in seconds since 1970."""

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
    name: str = "backtrader"
    reserves_cash: bool = True

    def check(self, order: OrderSchema, _desk: Desk, _at: datetime) -> None:
        """Refuse only what BackBroker has no word for."""
        for terms in (order, *order.legs):
            if terms.time_in_force not in ("day", "gtc", "gtd"):
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

    def lapses_at(self, terms: Terms, created: Seen, _at: datetime) -> float:
        """A day order lapses with the UTC day of the bar that it was created on."""
        if terms.time_in_force == "day":
            return datetime.combine(created.at, BACKTRADERS_DAY_END, created.at.tzinfo).timestamp()
        return terms.expires_at.timestamp() if terms.expires_at else math.nan

    def lapses_by(self, seen: Seen, _at: datetime) -> float:
        """The symbol's own time."""
        return seen.at.timestamp()

    def session_end(self, created: Seen, _at: datetime) -> float:
        """`session_end_at` on the day of the creation bar, or on the next when it is past."""
        end = datetime.combine(created.at, self.session_end_at, created.at.tzinfo)
        return (end if end >= created.at else end + timedelta(days=1)).timestamp()

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
    name: str = "alpaca"
    reserves_cash: bool = False
    legs_shrink: bool = True

    def check(self, order: OrderSchema, desk: Desk, at: datetime) -> None:
        """Ask every check in turn; the first refusal is the answer."""
        for check in alpaca_checks.AT_SUBMISSION:
            check(self._ask(order, order, desk, at))
        if self.has_pattern_day_trader_rule:
            alpaca_checks.pattern_day_trader(self._ask(order, order, desk, at))

    def check_replacement(self, old: Working, terms: Terms, desk: Desk, at: datetime) -> None:
        """Ask the checks of price, quantity and buying power, as though `old` were gone."""
        for check in alpaca_checks.AT_REPLACEMENT:
            check(self._ask(terms, old.order, desk, at, old))

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
            is_last = at.timestamp() >= order.session_end
            return Bar(*[seen.bar.close] * 4) if is_last else None
        return seen.bar

    def lapses_at(self, terms: Terms, created: Seen, at: datetime) -> float:
        """Orders for a day or its auctions lapse with the first close after they came."""
        return math.nan if terms.time_in_force == "gtc" else self.session_end(created, at)

    def lapses_by(self, _seen: Seen, at: datetime) -> float:
        """The venue's time."""
        return at.timestamp()

    def session_end(self, _created: Seen, at: datetime) -> float:
        """The first close after it came."""
        return self.hours.close_of(at).timestamp()

    def credit(self, desk: Desk) -> float:
        """What a margin account lends."""
        return (self.multiplier - 1) * max(desk.ledger.value, 0.0)

    def buying_power(self, desk: Desk) -> Decimal:
        """Cash and loan, less what shorts and working orders take."""
        return alpaca_checks.buying_power(desk, self.multiplier)

    def _ask(
        self,
        terms: Terms,
        order: OrderSchema,
        desk: Desk,
        at: datetime,
        replaced: Working | None = None,
    ) -> Ask:
        asset = self.assets.get(order.symbol, Asset())
        shorts = self.shorting_enabled
        return Ask(terms, order, desk, at, self.hours, asset, self.multiplier, shorts, replaced)
