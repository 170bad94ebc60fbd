"""What is rehearsed: one strategy on one set of bars, under one account's rules and one plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal

import pandas as pd

from backtest.inputs import Feeds
from backtest.spec import RunSpec
from brokers.errors import ConfigError
from brokers.profile import Profile
from brokers.wire.ibkr_night import Night
from feeds.bars import check_bars
from feeds.frames import bar_ends
from feeds.market import CALENDAR
from feeds.passport import KEY, Passport, passport_of
from feeds.timeframe import Timeframe
from live.paper.account import AlpacaRules, BacktraderRules
from live.paper.faults import Plan
from live.paper.foresight import profile_of
from live.paper.hours import ALWAYS, Hours
from live.paper.spec import VenueSpec

RuleSet = Literal["backtrader", "alpaca"]
Front = Literal["alpaca", "tws", "portal"]
LIVE = ("1m", "1d")
SILENCE_S = 3600.0  # the market stands still while the session waits: that is no mute stream


@dataclass(frozen=True)
class Play:
    """One rehearsal.

    Args:
        frames: bar frames by symbol, all of one timeframe.
        account: the venue's rules, which then stand in the guard of both halves.
        front: the protocol that the venue speaks; but for Alpaca's own the rules are backtrader's.
        night: of the gateway's restarts, as the session knows it; None: it knows of none.
        seed: of the venue's ids and of the session's jitter.
        warm_up: bars that both halves see before they may order.
        strategy: what another process knows it by; by default its name.

    Raises:
        ConfigError: the frames do not fit together, or cannot come live: daily ones have to end
            with New York's sessions.
    """

    spec: RunSpec
    frames: Mapping[str, pd.DataFrame]
    account: RuleSet = "backtrader"
    front: Front = "alpaca"
    night: Night | None = None
    plan: Plan = field(default_factory=Plan)
    seed: int = 0
    warm_up: int = 0
    strategy: str = ""

    def __post_init__(self) -> None:
        self.commission  # noqa: B018  reading it checks it
        if self.front != "alpaca" and self.account == "alpaca":
            raise ConfigError("Alpaca's rules go with Alpaca's protocol: use those of backtrader")
        found = {passport.timeframe for passport in self.passports.values()}
        if len(found) != 1 or not found <= set(LIVE):
            raise ConfigError(
                f"a rehearsal has bars of {' or '.join(LIVE)}, as they come live, not of "
                f"{', '.join(sorted(found)) or 'nothing'}"
            )
        if not self.timeframe.is_intraday and self.calendar != CALENDAR:
            raise ConfigError(
                f"daily bars come live after the closes of {CALENDAR}, these have those of "
                f"{self.calendar or 'no calendar'}: give the source calendar={CALENDAR}"
            )

    @cached_property
    def commission(self) -> float:
        """Fraction of a fill's notional.

        Raises:
            ConfigError: it is a scheme, which no venue here has.
        """
        if not isinstance(self.spec.commission, int | float):
            raise ConfigError("a rehearsal's commission is a fraction of the notional")
        return float(self.spec.commission)

    @cached_property
    def passports(self) -> dict[str, Passport]:
        """Of the frames, by symbol."""
        checked = {symbol: check_bars(frame, symbol) for symbol, frame in self.frames.items()}
        return {symbol: passport_of(bars, symbol) for symbol, bars in checked.items()}

    @cached_property
    def stamped(self) -> dict[str, pd.DataFrame]:
        """The frames with their passports."""
        frames = {symbol: frame.copy(deep=False) for symbol, frame in self.frames.items()}
        for symbol, frame in frames.items():
            frame.attrs[KEY] = self.passports[symbol]
        return frames

    @cached_property
    def closes(self) -> pd.DataFrame:
        """The last close of each symbol, by the bars' ends."""
        columns = {
            symbol: pd.Series(
                frame["close"].to_numpy(), index=bar_ends(frame, self.passports[symbol])
            )
            for symbol, frame in self.frames.items()
        }
        return pd.DataFrame(columns).sort_index().ffill()

    @property
    def ends_at(self) -> datetime:
        """The end of the last bar."""
        end: datetime = self.closes.index[-1].to_pydatetime()
        return end.astimezone(UTC)

    @property
    def trades_after(self) -> datetime | None:
        """The end of the last bar of the warm-up; None: there is none."""
        if not self.warm_up:
            return None
        end: datetime = self.closes.index[self.warm_up - 1].to_pydatetime()
        return end.astimezone(UTC)

    @property
    def starts_at(self) -> datetime:
        """The start of the first bar."""
        start: datetime = min(frame.index[0] for frame in self.frames.values()).to_pydatetime()
        return start.astimezone(UTC)

    @property
    def timeframe(self) -> Timeframe:
        """Of all bars."""
        return Timeframe(next(iter(self.passports.values())).timeframe)

    @property
    def calendar(self) -> str | None:
        """By whose closes daily bars end."""
        return next(iter(self.passports.values())).calendar

    @cached_property
    def profile(self) -> Profile:
        """What the guard of both halves knows of the account's rules."""
        return profile_for(self.account, self.calendar)

    def with_ticks(self, feeds: Feeds) -> Feeds:
        """The feeds, with the price steps that the account's rules want."""
        for symbol, feed in feeds.items():
            first = Decimal(repr(float(self.frames[symbol]["close"].iloc[0])))
            tick = self.profile.tick(first)
            feed.p.tick = None if tick is None else float(tick)
        return feeds

    @property
    def venue(self) -> VenueSpec:
        """The far side, in lock-step."""
        return VenueSpec(
            front=self.front,
            account=self.account,
            cash=float(self.spec.cash),
            commission=self.commission,
            slippage_frac=self.spec.slippage_bps / 10_000,
            seed=self.seed,
            plan=self.plan.to_toml(),
            plan_name=self.plan.name,
            warm_up=self.warm_up,
        )


def profile_for(account: RuleSet, calendar: str | None) -> Profile:
    """What a guard knows of the rules of an account."""
    if account == "backtrader":
        return profile_of(BacktraderRules())
    return profile_of(AlpacaRules(hours=Hours(calendar or ALWAYS)))
